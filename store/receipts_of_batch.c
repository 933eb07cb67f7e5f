/* All receipts of a batch by (jobId, provider): whole rows come so from an index, those of pages have to be sorted.
 *
 * A batch may hold five million: the sorter's memory is bounded, and what it does not hold lies in a file.  Reading, sorting and
 * publishing so many takes a minute, and a snapshot that is held so long keeps SQLite's log from beginning anew, which grows by
 * tens of MiB a second, and PostgreSQL from clearing up.  Nothing of a closed batch changes any more, so its receipts are read once, in
 * steps of milliseconds; what takes long is done between them and afterwards. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/sorter.h"
#include "store/archived.h"
#include "store/batch_rows.h"
#include "store/pages.h"

#define SORT_MEMORY ((size_t)48 * 1024 * 1024)
#define AT_ONCE 64u                           /* rows whose hashes are computed side by side */
#define FRAMES_AT_ONCE 64u                    /* read in one step: about 2 MiB */

struct sort_key { uint8_t b[sizeof(struct job_id) + sizeof(struct address)]; };

/* All that makes the row again. */
struct record {
    uint8_t fields[RECEIPT_PACKED];           /* jobId and provider are the first of them: it is sorted by their bytes */
    uint32_t page;                            /* in the list of pages */
    uint32_t slot;
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
    struct batch_rows *rows;                  /* NULL: they are asked for in the caller's transaction */
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

static bool sort_frame(struct batch_receipts *l, const struct page_frame *frame, const struct page *page, const bool *gone, struct err *err)
{
    struct record record = { .page = (uint32_t)(page - l->pages) };

    for (size_t i = 0; i < frame->count; i++) {
        uint64_t slot = frame->number * PAGE_FRAME + i;

        if (slot < page->count && gone[slot])
            continue;
        memcpy(record.fields, frame->fields.data + i * RECEIPT_PACKED, RECEIPT_PACKED);
        record.slot = (uint32_t)slot;
        record.amount = frame->amounts[i];
        if (frame->has_signatures)
            record.signature = frame->signatures[i];
        if (!sorter_add(l->sorter, &record, err))
            return false;
    }
    return true;
}

/* Some frames, in the order of the pages. */
struct step {
    struct packed_frame frames[FRAMES_AT_ONCE];
    size_t count;
    size_t page, number;                      /* the frame that comes after them */
    struct page_frame unpacked;
};

static void choose_frames(const struct batch_receipts *l, struct step *s)
{
    for (s->count = 0; s->count < FRAMES_AT_ONCE && s->page < l->page_count;) {
        const struct page *page = &l->pages[s->page];

        if (s->number * PAGE_FRAME >= page->count) {
            s->page++;
            s->number = 0;
            continue;
        }
        s->frames[s->count].page = page;
        s->frames[s->count++].number = s->number++;
    }
}

static bool read_frames(const struct batch_receipts *l, struct step *s, bool own, struct err *err)
{
    bool ok;

    if (own && !db_begin(l->db, err))
        return false;
    ok = store_packed_frames(l->db, s->frames, s->count, err);
    if (own)
        db_rollback(l->db);
    return ok;
}

static bool sort_frames(struct batch_receipts *l, struct step *s, struct err *err)
{
    const struct page *page = NULL;
    bool *gone = NULL, ok = true;

    for (size_t i = 0; ok && i < s->count; i++) {
        if (s->frames[i].page != page) {
            page = s->frames[i].page;
            free(gone);
            gone = page_gone(page);
        }
        ok = page_frame_unpack(&s->frames[i], &s->unpacked, err) && sort_frame(l, &s->unpacked, page, gone, err);
    }
    free(gone);
    return ok;
}

/* own: each step is a transaction of its own. */
static bool sort_pages(struct batch_receipts *l, bool own, struct err *err)
{
    size_t record = l->any_single ? sizeof(struct record) : offsetof(struct record, signature);
    struct step *s = mem_new(sizeof *s);
    bool ok = true;

    if (l->page_count > 0)
        l->sorter = sorter_new(record, sizeof(struct sort_key), SORT_MEMORY);
    page_frame_init(&s->unpacked);
    for (size_t i = 0; i < FRAMES_AT_ONCE; i++)
        packed_frame_init(&s->frames[i]);
    for (choose_frames(l, s); ok && s->count > 0; choose_frames(l, s))
        ok = read_frames(l, s, own, err) && sort_frames(l, s, err);
    for (size_t i = 0; i < FRAMES_AT_ONCE; i++)
        packed_frame_clear(&s->frames[i]);
    page_frame_clear(&s->unpacked);
    free(s);
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
    batch_rows_free(l->rows);
    sorter_free(l->sorter);
    for (size_t i = 0; i < l->page_count; i++)
        page_clear(&l->pages[i]);
    free(l->pages);
    free(l->block);
    free(l);
}

/* own: in a transaction even so, as PostgreSQL gives a list piece by piece only within one, and at once is all of it in memory. */
static bool list_pages(struct batch_receipts *l, bool own, struct err *err)
{
    bool ok;

    if (own && !db_begin(l->db, err))
        return false;
    ok = store_pages_of_batch(l->db, l->batch, keep_page, l, err);
    if (own)
        db_rollback(l->db);
    return ok;
}

static bool open_list(struct db *db, uint64_t batch, bool own, struct batch_receipts **receipts, struct err *err)
{
    struct batch_receipts *l = mem_new(sizeof *l);

    l->db = db;
    l->batch = batch;
    l->block = mem_array(AT_ONCE, sizeof *l->block);
    if (!list_pages(l, own, err) || !sort_pages(l, own, err) || (own && !batch_rows_read(db, batch, &l->rows, err))) {
        batch_receipts_close(l);
        return false;
    }
    *receipts = l;
    return true;
}

bool batch_receipts_open(struct db *db, uint64_t batch, struct batch_receipts **receipts, struct err *err)
{
    return open_list(db, batch, true, receipts, err);
}

static bool each_row(struct batch_receipts *l, struct err *err)
{
    return l->rows != NULL ? batch_rows_each(l->rows, give_whole, l, err) : store_receipt_rows_of_batch(l->db, l->batch, give_whole, l, err);
}

bool batch_receipts_each(struct batch_receipts *l, receipt_fn *visit, void *self, struct err *err)
{
    bool ok;

    l->visit = visit;
    l->self = self;
    l->next = l->count = 0;
    l->stopped = false;
    err->code = ERR_NONE;
    ok = (l->sorter == NULL || sorter_finish(l->sorter, err)) && each_row(l, err) && (l->stopped || give_before(l, NULL, err));
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
    if (!open_list(db, batch, false, &l, err))
        return false;
    ok = batch_receipts_each(l, visit, self, err);
    batch_receipts_close(l);
    return ok;
}
