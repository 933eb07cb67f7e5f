/* gateway/settle/rewards.h - the leaves of a settlement: those of the last valid one plus what a batch earned.
 *
 * Design 5. Leaves are cumulative, sorted by account, each above zero; an account's leaf never falls (core/debts.h). */
#ifndef QUITTANCE_SETTLE_REWARDS_H
#define QUITTANCE_SETTLE_REWARDS_H

#include "gateway/core/debts.h"
#include "gateway/core/tree.h"
#include "store/batches.h"

/* What one batch adds to each leaf: its credits less corrections and debts; nobody with nothing.  before, after: what is owed, as
 * of the settlement before and with this one; after is the caller's to clear.  ERR_OVERFLOW. */
MUST_USE bool rewards_earned(struct db *db, uint64_t batch, struct address protocol_account, const struct debts *before,
                             struct reward_leaves *earned, struct debts *after, struct err *err);
/* Two ways to the same sum: total is what the settlement before had, plus what the batch kept while it was open, plus what its
 * protocol account owes now and the one before owed then.  ERR_HALT: it is not. */
MUST_USE bool rewards_balance(struct amount total_before, const struct batch_row *batch, const struct debts *before,
                              const struct debts *after, struct amount total, struct err *err);
/* after = before + earned, and the sum of all its leaves.  ERR_OVERFLOW. */
MUST_USE bool rewards_next(const struct reward_leaves *before, const struct reward_leaves *earned,
                           struct reward_leaves *after, struct amount *total, struct err *err);
struct tree *rewards_tree(const struct reward_leaves *leaves, struct address token);      /* caller owns */

#endif
