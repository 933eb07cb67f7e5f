/* store/measures.h - what the rules of plausibility and the comparison of cache hits look at (core/plausible.h, core/hidden.h).
 *
 * Sums of accepted receipts by provider and time, written once a commit group; values stay below MEASURE_MAX, where they
 * stop growing. */
#ifndef QUITTANCE_STORE_MEASURES_H
#define QUITTANCE_STORE_MEASURES_H

#include "gateway/core/hidden.h"
#include "store/db.h"

/* Kept in provider_measures.kind: append only, never renumber.  In brackets the slot. */
enum measure { MEASURE_BUSY_MS = 1 /* minute */, MEASURE_WORK /* hour */, MEASURE_EVIDENCE /* day */ };
#define MEASURE_MAX (UINT64_C(1) << 62)

MUST_USE bool store_measure(struct db *db, struct address provider, enum measure kind, uint64_t slot, uint64_t *value, bool *found, struct err *err);
MUST_USE bool store_measure_set(struct db *db, struct address provider, enum measure kind, uint64_t slot, uint64_t value, struct err *err);
/* From the first of these slots that there is, up to `before`: their sum, and how many slots that span is. */
MUST_USE bool store_measure_past(struct db *db, struct address provider, enum measure kind, uint64_t from, uint64_t before,
                                 uint64_t *sum, uint64_t *span, struct err *err);
MUST_USE bool store_measures_drop(struct db *db, struct address provider, enum measure kind, uint64_t before, struct err *err);

/* Of this day or the one before. */
MUST_USE bool store_evidence_find(struct db *db, struct address provider, uint64_t day, struct hash evidence, struct job_id *job,
                                  bool *found, struct err *err);
MUST_USE bool store_evidence_add(struct db *db, struct address provider, uint64_t day, struct hash evidence, struct job_id job,
                                 struct err *err);
MUST_USE bool store_evidence_drop(struct db *db, struct address provider, uint64_t before_day, struct err *err);

/* Sets the use of each day in the list: zeros where there is no row. */
struct cache_day { uint64_t day; struct hash model; struct address provider; struct cache_use use; };
MUST_USE bool store_cache_days_find(struct db *db, struct cache_day *list, size_t count, struct err *err);
/* Each of another key; one without jobs is none.  The first of a new day sweeps those that nobody looks at any more. */
MUST_USE bool store_cache_days_add(struct db *db, const struct cache_day *more, size_t count, struct err *err);
/* Sums from a day on, by model, then provider. */
typedef bool cache_use_fn(void *self, struct hash model, struct address provider, const struct cache_use *use);
MUST_USE bool store_cache_uses(struct db *db, uint64_t from_day, cache_use_fn *visit, void *self, struct err *err);
/* Providers that hide cache hits, as the days up to this one say, by model. */
typedef void hidden_fn(void *self, struct hash model, const struct cache_peer *peer);
MUST_USE bool store_cache_hidden(struct db *db, uint64_t day, hidden_fn *visit, void *self, struct err *err);

#endif
