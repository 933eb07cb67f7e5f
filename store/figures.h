/* store/figures.h - what a watchdog asks of the store: few numbers, each cheap enough to be asked again and again. */
#ifndef QUITTANCE_STORE_FIGURES_H
#define QUITTANCE_STORE_FIGURES_H

#include "store/db.h"

/* When the oldest receipt that no commit holds was accepted; 0: there is none.  Taken from the first page and the 1000
 * oldest other jobs of the oldest such batch, as an index on acceptance would cost each receipt. */
MUST_USE bool store_unsettled_since(struct db *db, uint64_t *accepted_at_ms, struct err *err);
MUST_USE bool store_cancelled_batch(struct db *db, uint64_t *number, struct err *err);          /* the lowest; 0: none */
/* uncommitted: accrued in batches that are in no settlement.  recent: accrued in batches that were open since since_ms, the
 * first of which was opened at from_ms (0: none). */
struct growth { struct amount uncommitted, recent; uint64_t from_ms; };
MUST_USE bool store_growth(struct db *db, uint64_t since_ms, struct growth *growth, struct err *err);
/* Most gas that one of the last `runs` settlements took; 0: none was mined. */
MUST_USE bool store_gas_of_run(struct db *db, unsigned runs, uint64_t *gas, struct err *err);
MUST_USE bool store_has_rewards_root(struct db *db, struct hash root, bool *has, struct err *err);

#endif
