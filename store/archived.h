/* store/archived.h - receipts that have left the store for the archive of their batch (archive_file.h).
 *
 * A batch's row in archived_batches is written before its first receipt leaves; from then on whoever does not find a job in `receipts`
 * looks into the archives whose jobs begin before it and end after it.  Readers of store/receipts.h never see the difference.
 *
 * What an archive does not hold stays, or is found again: the promise by the time of acceptance and the hash among its leaves, a
 * bundle by its root; a receipt with an operator's reason stays in `receipts`, and so do conflicts. */
#ifndef QUITTANCE_STORE_ARCHIVED_H
#define QUITTANCE_STORE_ARCHIVED_H

#include "store/archive_file.h"
#include "store/batches.h"
#include "store/receipts.h"

/* -- looking, archived.c: for receipts.c and receipts_of_batch.c, after they have not found it in the store -- */
MUST_USE bool archived_find(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found, struct err *err);
/* But those that the store has too: they are leaving just now, or have an operator's reason. */
MUST_USE bool archived_of_job(struct db *db, struct job_id job, receipt_fn *visit, void *self, struct err *err);
/* receipts.c: in the store, not in archives. */
MUST_USE bool store_receipt_find_kept(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found,
                                      struct err *err);
/* Whether one may hold a job from first to last. */
MUST_USE bool archived_may_hold(struct db *db, struct job_id first, struct job_id last, bool *may, struct err *err);
/* *archived false: all of them are in the store still. */
MUST_USE bool archived_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, bool *archived, struct err *err);
/* The place of one receipt in the receipts tree of a settlement, whether it has left or not. */
MUST_USE bool archived_prove(struct db *db, const struct settlement_row *settlement, struct job_id job, struct address provider,
                             uint64_t *index, struct proof *proof, bool *found, struct err *err);

/* -- leaving, archived_moves.c -- */
struct archived_batch {
    uint64_t batch, sequence, frames, moved;
    struct hash digest;
    struct job_id first, last;
};
/* The batch that is under way, unless it waits for a day; else, found from `after` on, the lowest final one with receipts that was closed
 * before closed_before_ms: *begun false, its sequence and digest. */
MUST_USE bool store_archived_next(struct db *db, uint64_t after, uint64_t closed_before_ms, struct archived_batch *batch, bool *begun,
                                  bool *found, struct err *err);
MUST_USE bool store_archived_begin(struct db *db, const struct archived_batch *batch, struct err *err);
/* Bundles of the pages above *page, count of them at most; *page becomes the last of these, 0: there were none left. */
MUST_USE bool store_archived_note_bundles(struct db *db, uint64_t batch, uint64_t *page, unsigned count, struct err *err);
/* The receipts of the next frame leave, but those that lie in a day (receipt_days.h): they leave with it.  ERR_HALT: the store and the
 * frame are not the same receipts. */
MUST_USE bool store_archived_move(struct db *db, struct archived_batch *batch, const struct archive_frame *frame, struct err *err);
/* After the last frame: the next pages, of so many receipts together at most, or the next one alone; *done: no page is left, and nothing
 * is under way any more. */
MUST_USE bool store_archived_drop_pages(struct db *db, uint64_t batch, uint64_t receipts, bool *done, struct err *err);

#endif
