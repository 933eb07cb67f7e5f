/* store/meta.h - single numbers the gateway remembers. */
#ifndef QUITTANCE_STORE_META_H
#define QUITTANCE_STORE_META_H

#include "store/db.h"

MUST_USE bool store_meta_get(struct db *db, const char *key, uint64_t *value, struct err *err);     /* 0 when never set */
MUST_USE bool store_meta_set(struct db *db, const char *key, uint64_t value, struct err *err);
MUST_USE bool store_meta_raise(struct db *db, const char *key, struct err *err);                    /* by one */

#endif
