#include "store/pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/core/word.h"
#include "gateway/lib/pack.h"

#define PLACE 4                               /* bytes of a number in `indexes`, big-endian */

void page_content_init(struct page_content *content, size_t count)
{
    content->frames = (count + PAGE_FRAME - 1) / PAGE_FRAME;
    content->frame = mem_array(content->frames, sizeof *content->frame);
    for (size_t i = 0; i < content->frames; i++)
        buf_init(&content->frame[i]);
}

void page_content_clear(struct page_content *content)
{
    for (size_t i = 0; i < content->frames; i++)
        buf_clear(&content->frame[i]);
    free(content->frame);
    *content = (struct page_content){ 0 };
}

void page_pack_frame(struct page_content *content, size_t frame, const uint8_t *fields, size_t count)
{
    struct err err = { 0 };

    buf_reset(&content->frame[frame]);
    if (!zstd_pack_fast(fields, count * RECEIPT_PACKED, &content->frame[frame], &err))
        bug("%s", err.text);                  /* bounded by PAGE_FRAME */
}

void page_clear(struct page *page)
{
    buf_clear(&page->indexes);
    buf_clear(&page->gone);
}

uint64_t page_bundle_index(const struct page *page, uint64_t slot)
{
    return page->indexes.len == 0 ? slot : be32_get(page->indexes.data + PLACE * slot);
}

void page_index_add(struct page *page, uint64_t index)
{
    uint8_t place[PLACE];

    be32_put(place, (uint32_t)index);
    buf_add(&page->indexes, place, sizeof place);
}

/* -- writing -- */

static void add_amount(struct amount amount, struct buf *out)
{
    uint8_t bytes[32];
    size_t zeros = 0;

    u256_to_be(amount.base_units, bytes);
    while (zeros < sizeof bytes && bytes[zeros] == 0)
        zeros++;
    buf_add_byte(out, (uint8_t)(sizeof bytes - zeros));
    buf_add(out, bytes + zeros, sizeof bytes - zeros);
}

/* signatures NULL: in a bundle. */
static bool insert_frame(struct db *db, uint64_t page, uint64_t frame, const struct buf *packed, const struct buf *amounts,
                         const struct signature *signatures, size_t count, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO receipt_frames (page, frame, packed, amounts, signatures) VALUES (?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, page);
    stmt_bind_u64(&st, frame);
    stmt_bind_blob(&st, packed->data, packed->len);
    stmt_bind_blob(&st, amounts->data, amounts->len);
    if (signatures != NULL)
        stmt_bind_blob(&st, signatures, count * sizeof *signatures);
    else
        stmt_bind_null(&st);
    return stmt_exec_rows(&st, 1, err);
}

static bool insert_head(struct db *db, struct page *page, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO receipt_pages (batch, bundle, count, received_at, accepted_at, price_version, promise,"
                        " promise_first, indexes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id", &st, err))
        return false;
    stmt_bind_u64(&st, page->batch);
    if (page->bundle != 0)
        stmt_bind_u64(&st, page->bundle);
    else
        stmt_bind_null(&st);
    stmt_bind_u64(&st, page->count);
    stmt_bind_u64(&st, page->received_at_ms);
    stmt_bind_u64(&st, page->accepted_at_ms);
    stmt_bind_u64(&st, page->price_version);
    stmt_bind_u64(&st, page->promise);
    stmt_bind_u64(&st, page->promise_first);
    if (page->indexes.len > 0)
        stmt_bind_blob(&st, page->indexes.data, page->indexes.len);
    else
        stmt_bind_null(&st);
    return stmt_exec_id(&st, &page->id, err);
}

bool store_page_insert(struct db *db, struct page *page, const struct page_content *content, const struct amount *amounts,
                       const struct signature *signatures, struct err *err)
{
    struct buf packed;
    bool ok = insert_head(db, page, err);

    buf_init(&packed);
    for (size_t i = 0; ok && i < content->frames; i++) {
        size_t from = i * PAGE_FRAME, count = page->count - from < PAGE_FRAME ? page->count - from : PAGE_FRAME;

        buf_reset(&packed);
        for (size_t k = 0; k < count; k++)
            add_amount(amounts[from + k], &packed);
        ok = insert_frame(db, page->id, i, &content->frame[i], &packed, page->bundle == 0 ? signatures + from : NULL, count, err);
    }
    buf_clear(&packed);
    return ok;
}

#define PAGED "INSERT INTO receipts (job_id, provider, state, page, slot) VALUES "
#define ROW "(?, ?, 1, ?, ?)"
#define BESIDE "INSERT INTO receipts (job_id, provider, state, page, slot, beside) VALUES "
#define BESIDE_ROW "(?, ?, 1, ?, ?, 1)"
#define ROWS_4(row) row ", " row ", " row ", " row
#define ROWS_16(row) ROWS_4(ROWS_4(row))
#define ROWS_128(row) ROWS_4(ROWS_16(row)) ", " ROWS_4(ROWS_16(row))

/* Many rows a statement: opening the table and its indices for each would cost as much as the insert.  But SQLite copies each page that
 * a statement of several rows changes, as it may fail half-way, and those of one row have no such copies: where each row has a page of
 * its own these cost less. */
static const struct { size_t rows; const char *literal_sql, *beside_sql; } inserts[] = {
    { 128, PAGED ROWS_128(ROW), BESIDE ROWS_128(BESIDE_ROW) },
    { 16, PAGED ROWS_16(ROW), BESIDE ROWS_16(BESIDE_ROW) },
    { 1, PAGED ROW, BESIDE BESIDE_ROW },
};

static bool insert_paged(struct db *db, const char *literal_sql, uint64_t page, uint64_t slot, const struct paged_key *keys,
                         size_t count, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, literal_sql, &st, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        stmt_bind_job_id(&st, &keys[i].job);
        stmt_bind_address(&st, &keys[i].provider);
        stmt_bind_u64(&st, page);
        stmt_bind_u64(&st, slot + i);
    }
    return stmt_exec_rows(&st, count, err);
}

bool store_receipts_insert_paged(struct db *db, uint64_t page, uint64_t first_slot, const struct paged_key *keys, size_t count,
                                 bool near, struct err *err)
{
    bool beside = db_is_beside(db);
    size_t at = 0;

    for (size_t i = near ? 0 : ARRAY_LEN(inserts) - 1; i < ARRAY_LEN(inserts); i++)
        for (; count - at >= inserts[i].rows; at += inserts[i].rows)
            if (!insert_paged(db, beside ? inserts[i].beside_sql : inserts[i].literal_sql, page, first_slot + at, keys + at,
                              inserts[i].rows, err))
                return false;
    return true;
}

/* -- reading -- */

#define COLUMNS "id, batch, bundle, count, received_at, accepted_at, price_version, promise, promise_first, indexes, gone"

static void read_head(struct stmt *st, struct page *page)
{
    page->id = stmt_u64(st);
    page->batch = stmt_u64(st);
    page->bundle = stmt_u64(st);
    page->count = stmt_u64(st);
    page->received_at_ms = stmt_u64(st);
    page->accepted_at_ms = stmt_u64(st);
    page->price_version = stmt_u64(st);
    page->promise = stmt_u64(st);
    page->promise_first = stmt_u64(st);
    buf_reset(&page->indexes);
    buf_reset(&page->gone);
    stmt_buf(st, &page->indexes);
    stmt_buf(st, &page->gone);
}

bool store_page_find(struct db *db, uint64_t id, struct page *page, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipt_pages WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_STORE, "there is no page %" PRIu64, id);
    read_head(&st, page);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_page_up_to(struct db *db, uint64_t batch, uint64_t id, struct page *page, bool *found, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipt_pages WHERE batch = ? AND id <= ? ORDER BY id DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, id);
    if (!stmt_step(&st, &any, err))
        return false;
    if (any) {
        buf_init(&page->indexes);
        buf_init(&page->gone);
        read_head(&st, page);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err)) {
        if (any)
            page_clear(page);
        return false;
    }
    *found = any;
    return true;
}

bool store_pages_of_batch(struct db *db, uint64_t batch, page_fn *visit, void *self, struct err *err)
{
    struct page page = { 0 };
    struct stmt st;
    bool any, ok;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM receipt_pages WHERE batch = ? ORDER BY id", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    buf_init(&page.indexes);
    buf_init(&page.gone);
    while ((ok = stmt_step(&st, &any, err)) && any) {
        read_head(&st, &page);
        ok = stmt_ok(&st, err) && visit(self, &page, err);
        if (!ok) {
            stmt_end(&st);
            break;
        }
    }
    page_clear(&page);
    return ok;
}
