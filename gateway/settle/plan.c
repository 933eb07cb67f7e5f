/* What a run would do; asks chain and store, keeps nothing. */
#include "gateway/settle/parts.h"

#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"

#define COMMIT_GAS 140000u         /* of a contract's first, the dearest (contract.md 2) */

static bool add_batch(struct settle *s, const struct batch_row *batch, struct reward_leaves *leaves,
                      struct settle_plan *plan, struct err *err)
{
    struct reward_leaves earned, next;
    bool ok;

    if (!rewards_earned(s->db, batch->number, &earned, err))
        return false;
    ok = rewards_next(leaves, &earned, &next, &plan->total, err)
        && (amount_add(plan->growth, batch->amount, &plan->growth)
            || err_set(err, ERR_OVERFLOW, "growth over 256 bits"));
    reward_leaves_clear(&earned);
    if (!ok)
        return false;
    reward_leaves_clear(leaves);
    *leaves = next;
    plan->receipts += batch->receipts;
    return true;
}

/* The leaves as they would be once everything that waits is settled. */
static bool plan_leaves(struct settle *s, struct reward_leaves *leaves, struct settle_plan *plan, struct err *err)
{
    struct settlement_row last;
    struct batch_row batch;
    bool found;

    if (!store_settlement_last_valid(s->db, &last, &found, err))
        return false;
    if (found) {
        plan->total = last.content.total;
        if (!store_leaves_load(s->db, last.sequence, leaves, err))
            return false;
    }
    if (!store_batch_unfinished(s->db, &batch, &found, err) || (!found && !store_batch_open(s->db, &batch, err)))
        return false;
    for (found = true; found;) {
        if ((batch.state == BATCH_CLOSED || batch.state == BATCH_OPEN) && !add_batch(s, &batch, leaves, plan, err))
            return false;
        if (!store_batch_find(s->db, batch.number + 1, &batch, &found, err))
            return false;
    }
    plan->accounts = leaves->count;
    return true;
}

static bool plan_sets(struct settle *s, const struct reward_leaves *leaves, struct settle_plan *plan, struct err *err)
{
    struct dues dues = { 0 };

    if (!dues_read(s->rpc, s->config.contract, leaves, s->config.distribute_minimum, &dues, err))
        return false;
    plan->due_accounts = dues.count;
    plan->due = dues.total;
    plan->gas = plan->receipts > 0 || !amount_is_zero(plan->growth) ? COMMIT_GAS : 0;
    for (size_t at = 0; at < dues.count; plan->sets++)
        for (size_t n = set_fill(dues.list + at, dues.count - at, SET_GAS_MAX); n > 0; n--)
            plan->gas += dues.list[at++].gas;
    dues_clear(&dues);
    return true;
}

bool settle_plan(struct settle *s, struct settle_plan *plan, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    struct settle_plan planned = { 0 };
    bool ok = work_may_begin(s, err) && plan_leaves(s, &leaves, &planned, err) && plan_sets(s, &leaves, &planned, err)
        && send_fee(s, &planned.fee, err);

    reward_leaves_clear(&leaves);
    if (ok)
        *plan = planned;
    return ok;
}
