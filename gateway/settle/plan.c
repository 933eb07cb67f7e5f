/* What a run would do; asks chain and store, keeps nothing. */
#include "gateway/settle/plan_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/adjustments.h"

void settle_plan_clear(struct settle_plan *plan)
{
    free(plan->calls);
    *plan = (struct settle_plan){ 0 };
}

/* ---- what is offered ---- */

/* Above the ceiling nothing would be sent; the cost is shown all the same. */
static bool read_prices(struct planning *p, struct err *err)
{
    static const struct wei no_ceiling = { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
    struct settle *s = p->settle;
    struct fee_market market;

    if (!rpc_fee_market(s->rpc, &market, err) || !send_gas_limit(s, &p->gas_most, err))
        return false;
    if (!fee_suggest(&market, s->config.max_fee, &p->plan.fee, err)) {
        plan_stop(&p->plan, "fees", err->text);
        if (!fee_suggest(&market, no_ceiling, &p->plan.fee, err))
            return false;
    }
    p->tx.chain_id = s->config.chain_id;
    p->tx.to = s->config.contract;
    fee_put(p->plan.fee, &p->tx);
    return rpc_nonce(s->rpc, s->account, BLOCK_LATEST, &p->tx.nonce, err);
}

/* ---- what waits to be settled ---- */

static bool add_batch(struct planning *p, const struct batch_row *batch, struct err *err)
{
    struct reward_leaves earned, next;
    struct debts owed;
    bool ok;

    if (!rewards_earned(p->settle->db, batch->number, batch->protocol_account, &p->owed, &earned, &owed, err))
        return false;
    debts_clear(&p->owed);
    p->owed = owed;
    ok = rewards_next(&p->leaves, &earned, &next, &p->plan.total, err)
        && (amount_add(p->plan.growth, batch->amount, &p->plan.growth)
            || err_set(err, ERR_OVERFLOW, "growth over 256 bits"));
    reward_leaves_clear(&earned);
    if (!ok)
        return false;
    reward_leaves_clear(&p->leaves);
    p->leaves = next;
    p->plan.receipts += batch->receipts;
    return true;
}

static bool load_settled(struct planning *p, struct err *err)
{
    struct settlement_row last;
    bool found;

    if (!store_settlement_last_valid(p->settle->db, &last, &found, err))
        return false;
    if (!found)
        return true;
    p->plan.total = last.content.total;
    return store_leaves_load(p->settle->db, last.sequence, &p->leaves, err)
        && store_debts_load(p->settle->db, last.sequence, &p->owed, err);
}

/* Sequences go up by one; those that others used are passed (prepare.c). */
struct sequences { struct settlement_view view; uint64_t next; };

static bool first_sequence(struct planning *p, struct sequences *q, struct err *err)
{
    struct settlement_row last;
    bool found;

    if (!settlement_read(p->settle->rpc, p->settle->config.contract, &q->view, err)
        || !store_settlement_last(p->settle->db, &last, &found, err))
        return false;
    q->next = (found && last.sequence > q->view.sequence ? last.sequence : q->view.sequence) + 1;
    return true;
}

/* A commit that the contract would take next can be asked about: it names what it lacks. */
static bool add_commit(struct planning *p, struct sequences *q, const struct settlement_row *settlement,
                       const struct plan_call *content, struct err *err)
{
    struct settle *s = p->settle;
    bool is_next = content->sequence == q->view.sequence + 1 && !q->view.has_pending;
    struct hash parent;

    if (q->view.has_pending)
        plan_stop(&p->plan, "activation", "the settlement before waits for its activation");
    if (is_next && q->view.sequence == 0)
        parent = header_first(s->config.chain_id, s->config.contract, s->config.token);
    else if (is_next && !settlement_header(s->rpc, s->config.contract, q->view.sequence, &parent, err))
        return false;
    return plan_commit(p, settlement, content, is_next ? &parent : NULL, err);
}

/* A prepared one whose commit is not under way. */
static bool add_prepared(struct planning *p, struct sequences *q, const struct batch_row *batch, struct err *err)
{
    struct settlement_row settlement;
    struct transactions txs;
    bool under_way;

    if (!settlement_of(p->settle, batch, &settlement, err) || !transactions_of(p->settle, settlement.sequence, &txs, err))
        return false;
    under_way = transactions_live(p->settle, &txs, "commit") != NULL;
    transactions_clear(&txs);
    return under_way || add_commit(p, q, &settlement, &(struct plan_call){ .sequence = settlement.sequence,
                                   .receipts = settlement.content.receipts, .amount = settlement.content.total }, err);
}

static bool add_work(struct planning *p, struct sequences *q, const struct batch_row *batch, struct err *err)
{
    bool empty;

    switch (batch->state) {
    case BATCH_OPEN:
    case BATCH_CLOSED:
        if (!add_batch(p, batch, err))
            return false;
        if (!work_is_empty(p->settle, batch, &empty, err))
            return false;
        if (p->leaves.count == 0 || empty)
            return true;
        p->distributes = true;
        p->active = 0;
        return add_commit(p, q, NULL, &(struct plan_call){ .sequence = q->next++, .receipts = batch->receipts,
                                                           .amount = p->plan.total }, err);
    case BATCH_PREPARED:
        p->distributes = true;
        return add_prepared(p, q, batch, err);
    case BATCH_COMMITTED:
        p->distributes = true;
        return true;
    case BATCH_ACTIVE:
        p->distributes = true;
        p->active = batch->sequence;
        return true;
    case BATCH_DISTRIBUTED:
    case BATCH_FINAL:
    case BATCH_CANCELLED:
        return true;
    }
    bug("batch state %d", (int)batch->state);
}

static bool plan_work(struct planning *p, struct sequences *q, struct err *err)
{
    struct settle *s = p->settle;
    struct batch_row batch;
    bool found;

    if (!load_settled(p, err) || !first_sequence(p, q, err) || !store_batch_unfinished(s->db, &batch, &found, err)
        || (!found && !store_batch_open(s->db, &batch, err)))
        return false;
    for (found = true; found;)
        if (!add_work(p, q, &batch, err) || !store_batch_find(s->db, batch.number + 1, &batch, &found, err))
            return false;
    p->plan.accounts = p->leaves.count;
    return true;
}

/* ---- what it may cost ---- */

static void check_ceiling(struct settle_plan *plan, const char *setting, struct wei spent, struct wei ceiling)
{
    char cost[U256_DECIMAL_MAX], spent_text[U256_DECIMAL_MAX], ceiling_text[U256_DECIMAL_MAX], detail[400];

    if (u256_is_zero(plan->max_cost.v) || u256_cmp(wei_sum(spent, plan->max_cost).v, ceiling.v) <= 0)
        return;
    u256_to_decimal(plan->max_cost.v, cost);
    u256_to_decimal(spent.v, spent_text);
    u256_to_decimal(ceiling.v, ceiling_text);
    snprintf(detail, sizeof detail, "all calls may cost %s wei on top of %s: over %s of %s", cost, spent_text, setting,
             ceiling_text);
    plan_stop(plan, "budget", detail);
}

static void check_funds(struct settle_plan *plan)
{
    char need[U256_DECIMAL_MAX], have[U256_DECIMAL_MAX], detail[400];
    struct wei needed = wei_sum(plan->max_cost, plan->in_flight);

    if (u256_is_zero(plan->max_cost.v) || u256_cmp(plan->balance.v, needed.v) >= 0)
        return;
    u256_to_decimal(needed.v, need);
    u256_to_decimal(plan->balance.v, have);
    snprintf(detail, sizeof detail, "the signer has %s wei; all calls and those in flight may need %s", have, need);
    plan_stop(plan, "funds", detail);
}

/* The run is that of the settlement in progress, or of the one that begins. */
static bool plan_money(struct planning *p, const struct sequences *q, struct err *err)
{
    struct settle *s = p->settle;
    struct settle_plan *plan = &p->plan;
    struct batch_row batch;
    struct spent spent;
    size_t count;
    bool found;

    if (!work_find(s, &batch, &found, err)
        || !budget_spent(s, found && batch.sequence != 0 ? batch.sequence : q->next, 0, &spent, err)
        || !rpc_balance(s->rpc, s->account, &plan->balance, err) || !send_in_flight(s, &count, &plan->in_flight, err))
        return false;
    plan->run_cost = spent.run;
    plan->day_cost = spent.day;
    plan->max_run_cost = s->config.max_run_cost;
    plan->max_day_cost = s->config.max_day_cost;
    check_ceiling(plan, "max_run_cost_gwei", plan->run_cost, plan->max_run_cost);
    check_ceiling(plan, "max_day_cost_gwei", plan->day_cost, plan->max_day_cost);
    check_funds(plan);
    return true;
}

bool settle_plan(struct settle *s, struct settle_plan *plan, struct err *err)
{
    struct planning p = { .settle = s };
    struct sequences q = { .next = 0 };
    bool ok;

    tx_init(&p.tx);
    ok = work_may_begin(s, err) && read_prices(&p, err) && plan_work(&p, &q, err) && plan_dues(&p, err) && plan_sets(&p, err)
      && plan_money(&p, &q, err);
    tx_clear(&p.tx);
    reward_leaves_clear(&p.leaves);
    debts_clear(&p.owed);
    dues_clear(&p.dues);
    if (ok)
        *plan = p.plan;
    else
        settle_plan_clear(&p.plan);
    return ok;
}
