/* store/receipt_days.h - receipts of a day's jobs lie together and leave at once, in the place of one by one.
 *
 * Where the database can (PostgreSQL: a partition a UTC day of the time in jobId; db_has_days).  What lies in a day stays there when
 * its batch leaves for the archive (archived.h), until all of the day may go; receipts outside of all days leave one by one.
 * A day ends in three steps: its changes are counted from now on (watch); a reader finds what must stay (survey), however long
 * that takes; and a task moves that among those outside of all days and drops the rest, unless a row was changed since.
 * ERR_AGAIN: readers are in the way of a lock, which was waited for a moment only. */
#ifndef QUITTANCE_STORE_RECEIPT_DAYS_H
#define QUITTANCE_STORE_RECEIPT_DAYS_H

#include "store/db.h"

#define DAY_STAYS_MAX 10000u                  /* moved within a turn: some tenths of a second */

bool db_has_days(const struct db *db);
/* The last day there is; 0: none. */
MUST_USE bool store_day_last(struct db *db, uint64_t *day, struct err *err);
/* In a task.  A day that is there stays; so does one of which receipts lie outside of all days. */
MUST_USE bool store_day_make(struct db *db, uint64_t day, struct err *err);
/* The first day behind `after` that ended by by_ms, if no batch that was opened in it or earlier has receipts that did not leave. */
MUST_USE bool store_day_due(struct db *db, uint64_t after, uint64_t by_ms, uint64_t *day, bool *found, struct err *err);
/* In a task. */
MUST_USE bool store_day_watch(struct db *db, uint64_t day, struct err *err);

struct day_survey {
    uint64_t day, changes;
    size_t stays;                             /* DAY_STAYS_MAX + 1: more than that */
    struct buf keys;                          /* of these: jobId and provider each */
};
/* A reader's, in a transaction of its own.  survey->keys is initialised; survey->day is set. */
MUST_USE bool store_day_survey(struct db *db, struct day_survey *survey, struct err *err);
/* In a task.  *dropped false: it was changed since the survey. */
MUST_USE bool store_day_drop(struct db *db, const struct day_survey *survey, bool *dropped, struct err *err);

#endif
