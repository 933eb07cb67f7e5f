/* store/market.h - where each market stands, what was asked of it, and what providers announce (gateway/core/market.h). */
#ifndef QUITTANCE_STORE_MARKET_H
#define QUITTANCE_STORE_MARKET_H

#include "gateway/core/price.h"
#include "store/db.h"

#define MARKETS_MAX 1000u                     /* that run at a time: each is looked at when its window ends */

struct market_row {
    uint64_t base;
    uint64_t window_s, next_ms;               /* next_ms: begin of the window that is judged next */
    struct hash model;
    struct u256 multiplier;
};
/* What a price version changes here: a base opens its market, a step moves it on.  For store/prices.c. */
MUST_USE bool store_market_of_price(struct db *db, const struct price_version *p, struct err *err);
/* Those whose next window has ended, at most `most` of them, by base; now_ms UINT64_MAX: all that run. */
MUST_USE bool store_markets_due(struct db *db, uint64_t now_ms, struct market_row *list, size_t most, size_t *count, struct err *err);
/* When the next window of any ends; UINT64_MAX: none runs. */
MUST_USE bool store_markets_due_at(struct db *db, uint64_t *due_ms, struct err *err);
/* The windows before next_ms are judged. */
MUST_USE bool store_market_move(struct db *db, uint64_t base, uint64_t next_ms, struct err *err);
MUST_USE bool store_market_end(struct db *db, uint64_t base, struct err *err);

MUST_USE bool store_demand_add(struct db *db, uint64_t base, uint64_t from_ms, struct amount units, struct err *err);
MUST_USE bool store_demand(struct db *db, uint64_t base, uint64_t from_ms, struct u256 *units, struct err *err);

/* ERR_CONFLICT: one of the same provider, model and times was recorded in this millisecond. */
MUST_USE bool store_capacity_add(struct db *db, const struct announcement *a, struct err *err);
/* Of an archive; one that is there already is left alone. */
MUST_USE bool store_capacity_restore(struct db *db, const struct announcement *a, struct err *err);
/* The provider's last for the model, by validFrom, among those recorded after a time. */
MUST_USE bool store_capacity_last(struct db *db, struct address provider, struct hash model, uint64_t after_ms,
                                  struct announcement *a, bool *found, struct err *err);
/* Nothing of what the provider announced counts from the next windows on. */
MUST_USE bool store_capacity_withdraw(struct db *db, struct address provider, uint64_t now_ms, struct err *err);
/* Of a model, recorded after after_ms and not after until_ms, in order of (provider, validFrom). */
typedef bool announcement_fn(void *self, const struct announcement *a, struct err *err);
MUST_USE bool store_capacities(struct db *db, struct hash model, uint64_t after_ms, uint64_t until_ms, announcement_fn *visit,
                               void *self, struct err *err);
/* When the first after that time was recorded; *found false: none. */
MUST_USE bool store_capacity_next(struct db *db, struct hash model, uint64_t after_ms, uint64_t *recorded_at_ms, bool *found,
                                  struct err *err);

#endif
