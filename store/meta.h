/* store/meta.h - single numbers the gateway remembers. */
#ifndef QUITTANCE_STORE_META_H
#define QUITTANCE_STORE_META_H

#include "store/db.h"

MUST_USE bool store_meta_get(struct db *db, const char *key, uint64_t *value, struct err *err);     /* 0 when never set */
MUST_USE bool store_meta_set(struct db *db, const char *key, uint64_t value, struct err *err);
/* Raises "settings" (store_catalog_settings) by one, and says so to all who use the store. */
MUST_USE bool store_settings_changed(struct db *db, struct err *err);
/* The last commit group that had a turn: its number and time, and what the clock said ("group", "group_ms", "clock_ms"); and as of which
 * db_place.since ("writers_since"). */
struct last_group { uint64_t number, now_ms, clock_ms, since; };
MUST_USE bool store_meta_group(struct db *db, struct last_group *last, struct err *err);
MUST_USE bool store_meta_set_group(struct db *db, uint64_t number, uint64_t now_ms, uint64_t clock_ms, struct err *err);

#endif
