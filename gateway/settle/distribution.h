/* gateway/settle/distribution.h - one look at what is due, shared by distribute.c and refused.c. */
#ifndef QUITTANCE_SETTLE_DISTRIBUTION_H
#define QUITTANCE_SETTLE_DISTRIBUTION_H

#include "gateway/settle/parts.h"
#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"

struct distribution {
    struct settle *settle;
    uint64_t sequence, gas_max;                /* gas: of one call */
    struct reward_leaves leaves;
    struct transactions txs;
    struct tree *tree;
    struct dues dues;
    bool undecided;                            /* somebody is due whose call is not final */
};

/* Calls the first `count` of the dues without sending.  *refused: the token does not pay some of them; they are left out
 * and no longer among the dues.  Errors as those of send_estimate. */
MUST_USE bool distribution_preview(struct distribution *d, size_t count, const struct buf *data, bool *refused,
                                   struct err *err);
void distribution_leave_out(struct distribution *d, size_t due, const struct err *why);
void distribution_take_out_left_out(struct distribution *d);

#endif
