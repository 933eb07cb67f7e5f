/* store/pages.h - receipts that were accepted together, out of one submission or in one commit group, kept as one page.
 *
 * A page holds once what its receipts share, and their fields in frames of PAGE_FRAME, each packed by itself.  Those of a bundle share
 * its signature and their provider; those that were signed one by one have their signatures in the frames.  A receipt still has its
 * row in `receipts`: job and provider, the page and its slot there.  So one key finds every receipt, and each costs one small row.
 * Readers of store/receipts.h never see the difference.  A page does not change; a slot whose receipt must is marked gone and becomes
 * a whole row. */
#ifndef QUITTANCE_STORE_PAGES_H
#define QUITTANCE_STORE_PAGES_H

#include "store/receipts.h"

#define PAGE_FRAME 256u

/* The frames of a page, packed. */
struct page_content {
    struct buf *frame;                        /* owned */
    size_t frames;
};
void page_content_init(struct page_content *content, size_t count);       /* for so many receipts */
void page_content_clear(struct page_content *content);
/* fields: RECEIPT_PACKED bytes each of its count receipts, in the order of their slots.  Several threads may pack frames of one
 * content: most of the work of keeping a page is this. */
void page_pack_frame(struct page_content *content, size_t frame, const uint8_t *fields, size_t count);

struct page {
    uint64_t id, batch, count, received_at_ms, accepted_at_ms, price_version;
    uint64_t bundle;                          /* 0: signed one by one */
    uint64_t promise, promise_first;          /* promise index of slot 0; the others follow */
    struct buf indexes;                       /* owned; see the schema */
    struct buf gone;                          /* owned */
};
void page_clear(struct page *page);
/* Sets the id.  amounts, and without a bundle signatures: of each slot. */
MUST_USE bool store_page_insert(struct db *db, struct page *page, const struct page_content *content, const struct amount *amounts,
                                const struct signature *signatures, struct err *err);
/* Where these receipts lie, in slots from first_slot on; state accepted.  near: their jobs lie side by side, with few of others between. */
struct paged_key { struct job_id job; struct address provider; };
MUST_USE bool store_receipts_insert_paged(struct db *db, uint64_t page, uint64_t first_slot, const struct paged_key *keys, size_t count,
                                          bool near, struct err *err);

/* Fills all of row from where it lies. */
MUST_USE bool store_page_receipt(struct db *db, uint64_t page, uint64_t slot, struct receipt_row *row, struct err *err);
/* The receipt is a whole row from now on; row is what store_receipt_find gave. */
MUST_USE bool store_page_leave(struct db *db, const struct receipt_row *row, struct err *err);

/* Fills all of row but the hash.  The rest: of that slot; signature NULL: in a bundle. */
void page_fill_row(const struct page *page, uint64_t slot, const uint8_t fields[RECEIPT_PACKED], struct amount amount,
                   const struct signature *signature, struct receipt_row *row);

/* All pages of a batch; borrowed from them: page. */
typedef bool page_fn(void *self, const struct page *page, struct err *err);
MUST_USE bool store_pages_of_batch(struct db *db, uint64_t batch, page_fn *visit, void *self, struct err *err);
/* The one of the batch with the highest id up to a bound; page_clear where found. */
MUST_USE bool store_page_up_to(struct db *db, uint64_t batch, uint64_t id, struct page *page, bool *found, struct err *err);
/* ERR_STORE: no such page.  Its buffers are initialised. */
MUST_USE bool store_page_find(struct db *db, uint64_t id, struct page *page, struct err *err);
/* One frame unpacked: count receipts of the page from slot number * PAGE_FRAME on. */
struct page_frame {
    uint64_t number;
    size_t count;
    struct buf fields;                        /* owned */
    struct amount amounts[PAGE_FRAME];
    bool has_signatures;
    struct signature signatures[PAGE_FRAME];
};
void page_frame_init(struct page_frame *frame);
void page_frame_clear(struct page_frame *frame);
MUST_USE bool store_page_frame(struct db *db, const struct page *page, uint64_t number, struct page_frame *frame, struct err *err);
/* Many as they lie in the store, which where it is far away is one question, and to be unpacked when no transaction waits for it. */
struct packed_frame {
    const struct page *page;                  /* borrowed: which frame is asked for */
    uint64_t number;
    bool found;
    struct buf packed, amounts, signatures;   /* owned */
};
void packed_frame_init(struct packed_frame *packed);
void packed_frame_clear(struct packed_frame *packed);
MUST_USE bool store_packed_frames(struct db *db, struct packed_frame *list, size_t count, struct err *err);
MUST_USE bool page_frame_unpack(const struct packed_frame *packed, struct page_frame *frame, struct err *err);
/* The receipt of this place in the frame: page_fill_row. */
void page_frame_row(const struct page *page, const struct page_frame *frame, size_t at, struct receipt_row *row);
bool *page_gone(const struct page *page);     /* by slot; caller frees */
uint64_t page_bundle_index(const struct page *page, uint64_t slot);
void page_index_add(struct page *page, uint64_t index);      /* of the next slot, where they are not all of the bundle */

/* receipts_of_batch.c: those of a batch that lie in no page, by (jobId, provider). */
MUST_USE bool store_receipt_rows_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, struct err *err);
/* So many of them from after a key on; after NULL: from the first. */
MUST_USE bool store_receipt_rows_after(struct db *db, uint64_t batch, const struct paged_key *after, unsigned limit, receipt_fn *visit,
                                       void *self, struct err *err);
/* db.c: the frame read last is kept with the connection, as who asks for one receipt of it asks for the next; an id that was rolled
 * back may come again with other content. */
void page_cache_forget(struct db *db);
void page_cache_free(struct db *db);

#endif
