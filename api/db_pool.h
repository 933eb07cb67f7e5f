/* api/db_pool.h - read-only connections, lent to one thread at a time.  Opened when first needed, at most `max`. */
#ifndef QUITTANCE_API_DB_POOL_H
#define QUITTANCE_API_DB_POOL_H

#include "store/db.h"

struct db_pool;
/* Borrows all of them. */
struct db_pool *db_pool_new(const char *store_url, const char *archive_dir, const uint8_t secret[32], size_t max);
void db_pool_free(struct db_pool *pool);                             /* all must be back; NULL is fine */
/* Waits for a free one; the snapshot of one read transaction, so that many reads are one picture. */
MUST_USE bool db_pool_take(struct db_pool *pool, struct db **db, struct err *err);
void db_pool_give(struct db_pool *pool, struct db *db);

#endif
