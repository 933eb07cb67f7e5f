/* gateway/settle/plan_parts.h - one dry run: plan.c says what is to be settled, plan_dues.c who is paid, plan_calls.c with which
 * calls. */
#ifndef QUITTANCE_SETTLE_PLAN_PARTS_H
#define QUITTANCE_SETTLE_PLAN_PARTS_H

#include "gateway/settle/parts.h"
#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"

struct planning {
    struct settle *settle;
    struct settle_plan plan;
    struct reward_leaves leaves;              /* as they would be once everything that waits is settled */
    struct debts owed;                        /* then */
    struct dues dues;                         /* who would be paid */
    struct tx tx;                             /* of a call: its data is set anew for each */
    uint64_t gas_most;                        /* that one transaction may have */
    bool distributes;                         /* the run pays anybody at all: there is, or will be, an active settlement */
    uint64_t active;                          /* the sequence that the contract pays by already, and the run goes on with; 0: none */
};

/* What is told, once a reason. */
void plan_stop(struct settle_plan *plan, const char *reason, const char *detail);
/* Everybody due, but for those who are left out, by reason. */
MUST_USE bool plan_dues(struct planning *p, struct err *err);
/* content: sequence, receipts and amount.  settlement NULL: not prepared yet, so without roots.  parent: the header it builds
 * on, where the contract can be asked about it now; else NULL. */
MUST_USE bool plan_commit(struct planning *p, const struct settlement_row *settlement, const struct plan_call *content,
                          const struct hash *parent, struct err *err);
MUST_USE bool plan_sets(struct planning *p, struct err *err);

#endif
