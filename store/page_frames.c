/* Frames of pages: read alone or many at once, and unpacked. */
#include "store/pages.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/lib/pack.h"

_Static_assert(sizeof(struct signature) == 65, "signatures lie side by side as they are kept");

#define FRAME_OF "SELECT packed, amounts, signatures FROM receipt_frames WHERE page = ? AND frame = ?"

/* How many there were; amounts that do not end with the bytes are damage. */
static bool take_amounts(const uint8_t *bytes, size_t len, struct amount amounts[PAGE_FRAME], size_t *count)
{
    size_t at = 0;

    for (*count = 0; at < len && *count < PAGE_FRAME; ++*count) {
        uint8_t wide[32] = { 0 };
        size_t used = bytes[at];

        if (used > sizeof wide || at + 1 + used > len)
            return false;
        memcpy(wide + sizeof wide - used, bytes + at + 1, used);
        amounts[*count].base_units = u256_from_be(wide);
        at += 1 + used;
    }
    return at == len;
}

static bool take_signatures(const struct page *page, const uint8_t *bytes, size_t len, struct page_frame *f)
{
    f->has_signatures = page->bundle == 0;
    if (len != (f->has_signatures ? f->count * sizeof *f->signatures : 0))
        return false;
    if (len > 0)
        memcpy(f->signatures, bytes, len);
    return true;
}

void page_frame_init(struct page_frame *frame)
{
    frame->count = 0;
    buf_init(&frame->fields);
}

void page_frame_clear(struct page_frame *frame)
{
    buf_clear(&frame->fields);
}

static bool is_missing(uint64_t page, uint64_t number, struct err *err)
{
    return err_set(err, ERR_STORE, "there is no frame %" PRIu64 " of page %" PRIu64, number, page);
}

/* As they lie in the store. */
struct parts { const void *packed, *amounts, *signatures; size_t packed_len, amounts_len, signatures_len; };

static bool unpack(const struct page *page, uint64_t number, const struct parts *p, struct page_frame *frame, struct err *err)
{
    buf_reset(&frame->fields);
    frame->number = number;
    return zstd_unpack(p->packed, p->packed_len, PAGE_FRAME * RECEIPT_PACKED, &frame->fields, err)
        && ((take_amounts(p->amounts, p->amounts_len, frame->amounts, &frame->count) && frame->fields.len == frame->count * RECEIPT_PACKED
             && take_signatures(page, p->signatures, p->signatures_len, frame))
            || err_set(err, ERR_STORE, "frame %" PRIu64 " of page %" PRIu64 " is damaged", number, page->id));
}

bool store_page_frame(struct db *db, const struct page *page, uint64_t number, struct page_frame *frame, struct err *err)
{
    struct parts parts;
    struct stmt st;
    bool any, ok;

    if (!db_prepare(db, FRAME_OF, &st, err))
        return false;
    stmt_bind_u64(&st, page->id);
    stmt_bind_u64(&st, number);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return is_missing(page->id, number, err);
    stmt_blob(&st, &parts.packed, &parts.packed_len);
    stmt_blob(&st, &parts.amounts, &parts.amounts_len);
    stmt_blob(&st, &parts.signatures, &parts.signatures_len);
    ok = unpack(page, number, &parts, frame, err);
    stmt_end(&st);
    return ok;
}

/* -- many -- */

void packed_frame_init(struct packed_frame *packed)
{
    buf_init(&packed->packed);
    buf_init(&packed->amounts);
    buf_init(&packed->signatures);
}

void packed_frame_clear(struct packed_frame *packed)
{
    buf_clear(&packed->packed);
    buf_clear(&packed->amounts);
    buf_clear(&packed->signatures);
}

static void bind_place(const void *self, size_t i, struct stmt *st)
{
    const struct packed_frame *packed = (const struct packed_frame *)self + i;

    stmt_bind_u64(st, packed->page->id);
    stmt_bind_u64(st, packed->number);
}

static bool read_parts(void *self, size_t i, struct stmt *st, struct err *err)
{
    struct packed_frame *packed = (struct packed_frame *)self + i;

    (void)err;
    packed->found = true;
    stmt_buf(st, &packed->packed);
    stmt_buf(st, &packed->amounts);
    stmt_buf(st, &packed->signatures);
    return true;
}

bool store_packed_frames(struct db *db, struct packed_frame *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        list[i].found = false;
        buf_reset(&list[i].packed);
        buf_reset(&list[i].amounts);
        buf_reset(&list[i].signatures);
    }
    if (!db_each_key(db, FRAME_OF, count, bind_place, read_parts, list, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!list[i].found)
            return is_missing(list[i].page->id, list[i].number, err);
    return true;
}

bool page_frame_unpack(const struct packed_frame *packed, struct page_frame *frame, struct err *err)
{
    const struct parts parts = { packed->packed.data, packed->amounts.data, packed->signatures.data,
                                 packed->packed.len, packed->amounts.len, packed->signatures.len };

    return unpack(packed->page, packed->number, &parts, frame, err);
}
