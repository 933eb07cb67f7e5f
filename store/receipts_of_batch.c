/* All receipts of a batch by (jobId, provider): whole rows come so from an index, those of pages have to be sorted.
 *
 * A batch may hold five million: the sorter's memory is bounded, and what it does not hold lies in a file. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/sorter.h"
#include "store/archived.h"
#include "store/pages.h"

#define SORT_MEMORY ((size_t)48 * 1024 * 1024)
#define AT_ONCE 64u                           /* rows whose hashes are computed side by side */

struct sort_key { uint8_t b[sizeof(struct job_id) + sizeof(struct address)]; };

/* What is sorted: the key, then all that makes the row again. */
struct record {
    struct sort_key key;
    uint32_t page;                            /* in the list of pages */
    uint32_t slot;
    uint8_t fields[RECEIPT_PACKED];
    struct amount amount;
    struct signature signature;               /* last: left out where all pages of the batch are of bundles */
};

/* Merges both sources; the paged ones come in blocks. */
struct batch_receipts {
    struct db *db;
    uint64_t batch;
    struct sorter *sorter;                    /* NULL: the batch has no page */
    struct page *pages;                       /* owned, as are their bytes; there may be one for each eight receipts */
    size_t page_count, page_capacity;
    bool any_single;                          /* page without a bundle */
    struct receipt_row *block;                /* AT_ONCE of them */
    size_t next, count;
    receipt_fn *visit;
    void *self;
    bool stopped;
};

static struct sort_key key_of(const struct receipt *r)
{
    struct sort_key key;

    memcpy(key.b, r->job_id.b, sizeof r->job_id.b);
    memcpy(key.b + sizeof r->job_id.b, r->provider.b, sizeof r->provider.b);
    return key;
}

static bool keep_page(void *self, const struct page *page, struct err *err)
{
    struct batch_receipts *l = self;
    struct page *kept;

    if (l->page_count == l->page_capacity) {
        l->page_capacity = l->page_capacity == 0 ? 256 : 2 * l->page_capacity;
        l->pages = mem_grow(l->pages, l->page_capacity, sizeof *l->pages);
    }
    kept = &l->pages[l->page_count++];
    *kept = *page;
    buf_init(&kept->indexes);
    buf_init(&kept->gone);
    l->any_single = l->any_single || page->bundle == 0;
    return (buf_add(&kept->indexes, page->indexes.data, page->indexes.len) && buf_add(&kept->gone, page->gone.data, page->gone.len))
        || err_set(err, ERR_LIMIT, "a page of %" PRIu64 " receipts", page->count);
}

static bool sort_frame(struct batch_receipts *l, size_t page, const struct page_frame *frame, const bool *gone, struct err *err)
{
    struct record record = { .page = (uint32_t)page };
    struct receipt r;

    for (size_t i = 0; i < frame->count; i++) {
        uint64_t slot = frame->number * PAGE_FRAME + i;

        if (slot < l->pages[page].count && gone[slot])
            continue;
        memcpy(record.fields, frame->fields.data + i * RECEIPT_PACKED, RECEIPT_PACKED);
        receipt_unpack(record.fields, &r);
        record.key = key_of(&r);
        record.slot = (uint32_t)slot;
        record.amount = frame->amounts[i];
        if (frame->has_signatures)
            record.signature = frame->signatures[i];
        if (!sorter_add(l->sorter, &record, err))
            return false;
    }
    return true;
}

static bool sort_page(struct batch_receipts *l, size_t page, struct err *err)
{
    bool *gone = page_gone(&l->pages[page]), ok = true;
    struct page_frame frame;

    page_frame_init(&frame);
    for (uint64_t number = 0; ok && number * PAGE_FRAME < l->pages[page].count; number++)
        ok = store_page_frame(l->db, &l->pages[page], number, &frame, err) && sort_frame(l, page, &frame, gone, err);
    page_frame_clear(&frame);
    free(gone);
    buf_clear(&l->pages[page].gone);          /* what has gone is not sorted */
    return ok;
}

static bool sort_pages(struct batch_receipts *l, struct err *err)
{
    size_t record = l->any_single ? sizeof(struct record) : offsetof(struct record, signature);
    bool ok = true;

    if (l->page_count > 0)
        l->sorter = sorter_new(record, sizeof(struct sort_key), SORT_MEMORY);
    for (size_t page = 0; ok && page < l->page_count; page++)
        ok = sort_page(l, page, err);
    return ok;
}

/* The next rows of pages, with their hashes. */
static bool fill_block(struct batch_receipts *l, struct err *err)
{
    uint8_t words[AT_ONCE * RECEIPT_WORDS];
    struct hash hashes[AT_ONCE];
    const void *next;

    l->next = l->count = 0;
    while (l->sorter != NULL && l->count < AT_ONCE) {
        const struct record *r;
        const struct page *page;

        if (!sorter_next(l->sorter, &next, err))
            return false;
        if (next == NULL)
            break;
        r = next;
        page = &l->pages[r->page];
        page_fill_row(page, r->slot, r->fields, r->amount, page->bundle == 0 ? &r->signature : NULL, &l->block[l->count]);
        receipt_to_words(&l->block[l->count].signed_.receipt, words + l->count * RECEIPT_WORDS);
        l->count++;
    }
    receipt_words_hashes(words, l->count, hashes);
    for (size_t i = 0; i < l->count; i++)
        l->block[i].hash = hashes[i];
    return true;
}

static bool give(struct batch_receipts *l, const struct receipt_row *row, struct err *err)
{
    if (l->visit(l->self, row, err))
        return true;
    l->stopped = true;
    return false;
}

/* Paged rows that come before this key; NULL: all that are left. */
static bool give_before(struct batch_receipts *l, const struct sort_key *key, struct err *err)
{
    for (;;) {
        if (l->next == l->count && !fill_block(l, err))
            return false;
        if (l->count == 0)
            return true;
        if (key != NULL) {
            struct sort_key mine = key_of(&l->block[l->next].signed_.receipt);

            if (memcmp(mine.b, key->b, sizeof mine.b) > 0)
                return true;
        }
        if (!give(l, &l->block[l->next++], err))
            return false;
    }
}

static bool give_whole(void *self, const struct receipt_row *row, struct err *err)
{
    struct batch_receipts *l = self;
    struct sort_key key = key_of(&row->signed_.receipt);

    return give_before(l, &key, err) && give(l, row, err);
}

void batch_receipts_close(struct batch_receipts *l)
{
    if (l == NULL)
        return;
    sorter_free(l->sorter);
    for (size_t i = 0; i < l->page_count; i++)
        page_clear(&l->pages[i]);
    free(l->pages);
    free(l->block);
    free(l);
}

bool batch_receipts_open(struct db *db, uint64_t batch, struct batch_receipts **receipts, struct err *err)
{
    struct batch_receipts *l = mem_new(sizeof *l);

    l->db = db;
    l->batch = batch;
    l->block = mem_array(AT_ONCE, sizeof *l->block);
    if (!store_pages_of_batch(db, batch, keep_page, l, err) || !sort_pages(l, err)) {
        batch_receipts_close(l);
        return false;
    }
    *receipts = l;
    return true;
}

bool batch_receipts_each(struct batch_receipts *l, receipt_fn *visit, void *self, struct err *err)
{
    bool ok;

    l->visit = visit;
    l->self = self;
    l->next = l->count = 0;
    l->stopped = false;
    err->code = ERR_NONE;
    ok = (l->sorter == NULL || sorter_finish(l->sorter, err)) && store_receipt_rows_of_batch(l->db, l->batch, give_whole, l, err)
        && (l->stopped || give_before(l, NULL, err));
    return ok || (l->stopped && err->code == ERR_NONE);
}

bool store_receipts_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, struct err *err)
{
    struct batch_receipts *l;
    bool ok, archived;

    if (!archived_of_batch(db, batch, visit, self, &archived, err))
        return false;
    if (archived)
        return true;
    if (!batch_receipts_open(db, batch, &l, err))
        return false;
    ok = batch_receipts_each(l, visit, self, err);
    batch_receipts_close(l);
    return ok;
}
