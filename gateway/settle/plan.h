/* gateway/settle/plan.h - what a run would send, what that costs, and what is left out and why; nothing is kept or sent.
 *
 * Work that is being distributed and what waits behind it are one: an account that is due by both is counted once.
 * Costs are the most that is possible: gas limits at the fee offered now, and the chain's fee for data.  Roots of a commit are
 * made at the run; what it costs does not depend on them. */
#ifndef QUITTANCE_SETTLE_PLAN_H
#define QUITTANCE_SETTLE_PLAN_H

#include "chain/fee.h"
#include "gateway/base/amount.h"

#define PLAN_FIRST 10u

/* One transaction. */
struct plan_call {
    bool is_commit;
    bool has_roots;                           /* of a commit: it is prepared */
    uint64_t sequence, receipts, accounts, bytes;      /* receipts of a commit, accounts of a distribute; bytes of calldata */
    uint64_t gas, gas_limit;                  /* expected, and given to it */
    struct hash receipts_root, rewards_root;
    struct amount amount;                     /* the total committed, or what is paid */
    struct wei data_fee, max_cost;
};

enum plan_reason { PLAN_BELOW_MINIMUM, PLAN_IN_FLIGHT, PLAN_REFUSED, PLAN_NEXT_SETTLEMENT };
#define PLAN_REASONS (PLAN_NEXT_SETTLEMENT + 1)
const char *plan_reason_name(enum plan_reason reason);
/* Who is owed something and not paid by this run. */
struct plan_left { uint64_t accounts; struct amount amount; struct address first[PLAN_FIRST]; };

/* What would keep the run from sending all of it: fees, contract, activation, budget, funds. */
struct plan_stop { const char *reason; char detail[400]; };
#define PLAN_STOPS_MAX 5u

struct settle_plan {
    uint64_t receipts, accounts, due_accounts, sets, gas;
    struct amount growth, total, due;
    struct fee fee;
    struct plan_call *calls;                  /* owned; in the order they would be sent */
    size_t call_count;
    struct plan_left left[PLAN_REASONS];
    struct plan_stop stops[PLAN_STOPS_MAX];
    size_t stop_count;
    struct wei max_cost, balance, in_flight;  /* of all calls; of the signer; what open transactions may take of it */
    struct wei run_cost, max_run_cost, day_cost, max_day_cost;
};
void settle_plan_clear(struct settle_plan *plan);

#endif
