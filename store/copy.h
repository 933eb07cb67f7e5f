/* store/copy.h - all rows of one store into another, of the same kind or not.
 *
 * Table by table in the order of references, rows in the order of their keys, in transactions of some rows.  What has been
 * copied is seen in the target itself, so a copy that was killed goes on behind the last key.  `meta` comes last: with it, in
 * one transaction, goes the mark that says "unfinished", which every writer refuses (db_migrate).  Before that both sides are
 * read again: SHA-256 over all rows, each value as a byte for its kind (0 NULL, 1 number, 2 text, 3 bytes) and, but for NULL,
 * 8 bytes big-endian: the number, or the length of the bytes that follow. */
#ifndef QUITTANCE_STORE_COPY_H
#define QUITTANCE_STORE_COPY_H

#include "store/db.h"

struct copy_report {
    uint64_t tables, rows;                    /* compared on both sides; tables without `migrations` */
    bool resumed;                             /* an earlier copy had begun */
    struct hash digest;                       /* over name and digest of every table, by name */
};
/* After every transaction: rows of this table that this run has put there. */
typedef void copy_tell_fn(void *self, const char *table, uint64_t rows);
/* from, to: urls.  Nobody may write to either meanwhile: ERR_AGAIN names who does.  ERR_CONFIG: the source's schema is
 * not this program's.  ERR_CONFLICT: the target holds something else.  ERR_DIFFERS: the two sides are not the same. */
MUST_USE bool store_copy(const char *from, const char *to, copy_tell_fn *tell, void *self, struct copy_report *report, struct err *err);
/* ERR_HALT: a copy into this store has not ended. */
MUST_USE bool store_copy_ended(struct db *db, struct err *err);

#endif
