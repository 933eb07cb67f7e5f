/* gateway/pool/pool.h - the popularity pool in time: which epoch it is, and the booking of those that are over.
 *
 * Epochs follow from the settings as they were recorded (store/popularity.h), so a restart changes nothing: each begins where the
 * one before ends, or when the pool was turned on, and ends at the next multiple of its length since 1970 UTC; it has the settings
 * in force when it begins.  `db` writes where a function says "in a writer's task"; else a reader will do. */
#ifndef QUITTANCE_POOL_POOL_H
#define QUITTANCE_POOL_POOL_H

#include "store/popularity.h"

#define POOL_BOOKED_AT_ONCE 64u               /* epochs in one task: more wait for the next */

/* In a writer's task: from now on, where they are not in force already. */
MUST_USE bool pool_set(struct db *db, uint64_t now_ms, const struct pool_settings *settings, struct err *err);
/* The epoch of this moment; *stored: it has its row.  Where none is running terms->begins_ms is when the next does, as things stand now, or
 * UINT64_MAX. */
MUST_USE bool pool_epoch_now(struct db *db, uint64_t now_ms, struct popularity_terms *terms, bool *running, bool *stored, struct err *err);
/* In a writer's task: a row for each epoch that has begun. */
MUST_USE bool pool_open_epochs(struct db *db, uint64_t now_ms, struct err *err);
/* Whether an epoch can be booked: it is over, and every batch with jobs of it is active, so that no cancel can take any back. */
MUST_USE bool pool_is_due(struct db *db, uint64_t now_ms, bool *due, struct err *err);
/* In a writer's task: books what is due into the open batch, one epoch after the other; shares, postings and the batch's sum in
 * one commit.  *booked counts epochs.  ERR_AGAIN: the first would take the batch over `room` (zero: no bound); it waits. */
MUST_USE bool pool_book(struct db *db, uint64_t now_ms, struct amount room, size_t *booked, struct err *err);
/* What the fees summed so far come to for an epoch that is not booked; popularity_clear, also after a failure. */
MUST_USE bool pool_compute(struct db *db, const struct popularity_terms *terms, struct popularity *p, struct err *err);
/* In a writer's task: the postings of a booked epoch, both sides, into a batch whose sum is the caller's; *paid is added to. */
MUST_USE bool pool_post(struct db *db, const struct catalog *catalog, const struct popularity *p, uint64_t batch, struct amount *paid,
                        struct err *err);
/* A booked epoch as it was booked; popularity_clear. */
MUST_USE bool pool_load(struct db *db, const struct epoch_row *row, struct popularity *p, struct err *err);

#endif
