/* One receipt of a page: read by way of the frame that was read last, and taken out when it becomes a whole row. */
#include "store/pages.h"

#include "store/driver.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/word.h"

#define BITS 0xFF                             /* the first byte of `gone` */
#define PLACE 4                               /* bytes of a number there, big-endian, as older versions wrote it */

struct page_cache {
    struct page page;                         /* id 0: nothing is kept */
    struct page_frame frame;
};

void page_cache_forget(struct db *db)
{
    if (db->page_cache != NULL)
        db->page_cache->page.id = 0;
}

void page_cache_free(struct db *db)
{
    if (db->page_cache == NULL)
        return;
    page_clear(&db->page_cache->page);
    page_frame_clear(&db->page_cache->frame);
    free(db->page_cache);
    db->page_cache = NULL;
}

static struct page_cache *cache_of(struct db *db)
{
    if (db->page_cache == NULL) {
        db->page_cache = mem_new(sizeof *db->page_cache);
        buf_init(&db->page_cache->page.indexes);
        buf_init(&db->page_cache->page.gone);
        page_frame_init(&db->page_cache->frame);
    }
    return db->page_cache;
}

void page_fill_row(const struct page *page, uint64_t slot, const uint8_t fields[RECEIPT_PACKED], struct amount amount,
                   const struct signature *signature, struct receipt_row *row)
{
    *row = (struct receipt_row){
        .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED, .page = page->id, .slot = slot,
        .has_bundle = page->bundle != 0, .bundle = page->bundle, .bundle_index = page->bundle != 0 ? page_bundle_index(page, slot) : 0,
        .received_at_ms = page->received_at_ms, .accepted_at_ms = page->accepted_at_ms, .batch = page->batch,
        .price_version = page->price_version, .amount = amount, .promise = page->promise, .promise_index = page->promise_first + slot,
    };
    receipt_unpack(fields, &row->signed_.receipt);
    row->signed_.has_signature = signature != NULL;
    if (signature != NULL)
        row->signed_.signature = *signature;
}

void page_frame_row(const struct page *page, const struct page_frame *frame, size_t at, struct receipt_row *row)
{
    page_fill_row(page, frame->number * PAGE_FRAME + at, frame->fields.data + at * RECEIPT_PACKED, frame->amounts[at],
                  frame->has_signatures ? &frame->signatures[at] : NULL, row);
}

bool store_page_receipt(struct db *db, uint64_t id, uint64_t slot, struct receipt_row *row, struct err *err)
{
    struct page_cache *c = cache_of(db);
    size_t in_frame = slot % PAGE_FRAME;

    if (c->page.id != id || c->frame.number != slot / PAGE_FRAME) {
        c->page.id = 0;
        if (!store_page_find(db, id, &c->page, err) || !store_page_frame(db, &c->page, slot / PAGE_FRAME, &c->frame, err)) {
            c->page.id = 0;
            return false;
        }
    }
    if (in_frame >= c->frame.count)
        return err_set(err, ERR_STORE, "page %" PRIu64 " has no slot %" PRIu64, id, slot);
    page_frame_row(&c->page, &c->frame, in_frame, row);
    row->hash = receipt_struct_hash(&row->signed_.receipt);
    return true;
}

/* Kept as BITS, then a bit a slot, the first the highest of its byte; by older versions as a list of slots, four bytes each, which
 * never begin so.  A list would be written whole for each slot that goes. */
bool *page_gone(const struct page *page)
{
    bool *gone = mem_array(page->count + 1, sizeof *gone);
    bool bits = page->gone.len > 0 && page->gone.data[0] == BITS;

    for (size_t slot = 0; bits && slot < page->count && 1 + slot / 8 < page->gone.len; slot++)
        gone[slot] = (page->gone.data[1 + slot / 8] >> (7 - slot % 8) & 1) != 0;
    for (size_t i = 0; !bits && i + PLACE <= page->gone.len; i += PLACE) {
        uint32_t slot = be32_get(page->gone.data + i);

        if (slot < page->count)
            gone[slot] = true;
    }
    return gone;
}

/* Only what this wants of the page: its count, and what has gone. */
static bool read_gone(struct db *db, uint64_t id, struct page *page, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT count, gone FROM receipt_pages WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_STORE, "there is no page %" PRIu64, id);
    page->count = stmt_u64(&st);
    stmt_buf(&st, &page->gone);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool write_gone(struct db *db, uint64_t id, const bool *gone, size_t count, struct err *err)
{
    size_t len = 1 + (count + 7) / 8;
    uint8_t *bits = mem_array(len, 1);
    struct stmt st;
    bool ok = db_prepare(db, "UPDATE receipt_pages SET gone = ? WHERE id = ?", &st, err);

    bits[0] = BITS;
    for (size_t slot = 0; slot < count; slot++)
        bits[1 + slot / 8] |= (uint8_t)(gone[slot] << (7 - slot % 8));
    if (ok) {
        stmt_bind_blob(&st, bits, len);
        stmt_bind_u64(&st, id);
        ok = stmt_exec_one(&st, err);
    }
    free(bits);
    return ok;
}

static bool mark_gone(struct db *db, uint64_t id, uint64_t slot, struct err *err)
{
    struct page page = { 0 };
    bool *gone = NULL, ok;

    buf_init(&page.gone);
    ok = read_gone(db, id, &page, err) && (slot < page.count || err_set(err, ERR_STORE, "page %" PRIu64 " has no slot %" PRIu64, id, slot));
    if (ok) {
        gone = page_gone(&page);
        gone[slot] = true;
        ok = write_gone(db, id, gone, page.count, err);
    }
    free(gone);
    page_clear(&page);
    return ok;
}

bool store_receipt_delete(struct db *db, const struct receipt_row *row, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM receipts WHERE job_id = ? AND provider = ? AND COALESCE(page, 0) = ? AND COALESCE(slot, 0) = ?",
                    &st, err))
        return false;
    stmt_bind_job_id(&st, &row->signed_.receipt.job_id);
    stmt_bind_address(&st, &row->signed_.receipt.provider);
    stmt_bind_u64(&st, row->page);
    stmt_bind_u64(&st, row->slot);
    return stmt_exec_one(&st, err) && (row->page == 0 || mark_gone(db, row->page, row->slot, err));
}

bool store_page_leave(struct db *db, const struct receipt_row *row, struct err *err)
{
    return store_receipt_delete(db, row, err) && store_receipt_insert(db, row, err);
}

static bool rebatch(struct db *db, const char *literal_sql, uint64_t from, uint64_t to, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, literal_sql, &st, err))
        return false;
    stmt_bind_u64(&st, to);
    stmt_bind_u64(&st, from);
    return stmt_exec(&st, NULL, err);
}

bool store_receipts_rebatch(struct db *db, uint64_t from, uint64_t to, struct err *err)
{
    page_cache_forget(db);
    return rebatch(db, "UPDATE receipts SET batch = ? WHERE batch = ?", from, to, err)
        && rebatch(db, "UPDATE receipt_pages SET batch = ? WHERE batch = ?", from, to, err);
}
