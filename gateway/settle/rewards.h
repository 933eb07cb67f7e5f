/* gateway/settle/rewards.h - the leaves of a settlement: those of the last valid one plus what a batch earned.
 *
 * Design 5. Leaves are cumulative, sorted by account, each above zero; an account's leaf never falls. */
#ifndef QUITTANCE_SETTLE_REWARDS_H
#define QUITTANCE_SETTLE_REWARDS_H

#include "gateway/core/tree.h"
#include "store/batches.h"

/* What each account earned by one batch: the sum of its credits; nobody with nothing.  ERR_OVERFLOW. */
MUST_USE bool rewards_earned(struct db *db, uint64_t batch, struct reward_leaves *earned, struct err *err);
/* after = before + earned, and the sum of all its leaves.  ERR_OVERFLOW. */
MUST_USE bool rewards_next(const struct reward_leaves *before, const struct reward_leaves *earned,
                           struct reward_leaves *after, struct amount *total, struct err *err);
struct tree *rewards_tree(const struct reward_leaves *leaves, struct address token);      /* caller owns */

#endif
