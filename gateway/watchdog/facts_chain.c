#include "gateway/watchdog/facts.h"

#include <stdio.h>

#include "chain/rpc_health.h"
#include "gateway/settle/behind.h"
#include "store/figures.h"

#define RUNS_LOOKED_AT 10u
#define GAS_OF_A_RUN 1000000u      /* a commit and a few payments: until a run was measured */
#define GROWTH_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define GROWTH_LEAST_MS (UINT64_C(24) * 3600 * 1000)      /* growth of a shorter time is taken for a day's */

static bool ask_gas(struct rpc *rpc, struct db *db, const struct chain_question *q, struct chain_facts *f, struct err *err)
{
    struct err high = { 0 };
    struct fee_market market;
    struct fee fee;
    uint64_t gas;

    if (!rpc_balance(rpc, q->signer, &f->gas_balance, err) || !rpc_fee_market(rpc, &market, err)
        || !store_gas_of_run(db, RUNS_LOOKED_AT, &gas, err))
        return false;
    f->fees_over_ceiling = !fee_suggest(&market, q->max_fee, &fee, &high);
    f->gas_price = f->fees_over_ceiling ? q->max_fee : fee.max_fee;
    f->gas_runs_left = gas_runs_left(f->gas_balance, f->gas_price, gas != 0 ? gas : GAS_OF_A_RUN);
    return true;
}

/* What the contract holds, and what a commit may pull: the lower of the funder's balance and allowance. */
static bool ask_funds(struct rpc *rpc, const struct chain_question *q, struct address funder, struct chain_facts *f, struct err *err)
{
    struct amount allowance;

    f->prefunded = address_is_zero(funder);
    f->pullable = AMOUNT_ZERO;
    if (!token_balance(rpc, q->token, q->contract, &f->contract_balance, err))
        return false;
    if (!f->prefunded) {
        if (!token_balance(rpc, q->token, funder, &f->pullable, err)
            || !token_allowance(rpc, q->token, funder, q->contract, &allowance, err))
            return false;
        if (amount_cmp(allowance, f->pullable) < 0)
            f->pullable = allowance;
    }
    /* Two sums of one token's supply; a token that lies gets the greatest. */
    if (!amount_add(f->contract_balance, f->pullable, &f->funds))
        f->funds = f->contract_balance;
    return true;
}

/* Owed: all that was ever earned, committed or not, but for what was collected. */
static bool sum_owed(struct db *db, uint64_t now_ms, struct chain_facts *f, struct err *err)
{
    uint64_t since_ms = now_ms > GROWTH_MS ? now_ms - GROWTH_MS : 0, span_ms;
    struct settlement_row last;
    struct amount total = f->total;
    struct growth growth;
    bool found;

    if (!store_growth(db, since_ms, &growth, err) || !store_settlement_last_valid(db, &last, &found, err))
        return false;
    /* The contract's total is that of the active root: a pending one, or one about to be committed, is owed too. */
    if (found && amount_cmp(last.content.total, total) > 0)
        total = last.content.total;
    if (!amount_sub(total, f->total_claimed, &f->owed) || !amount_add(f->owed, growth.uncommitted, &f->owed))
        return err_set(err, ERR_OVERFLOW, "what is owed is over 256 bits, or more was collected than the total");
    f->uncommitted = growth.uncommitted;
    span_ms = growth.from_ms != 0 && now_ms > growth.from_ms ? now_ms - growth.from_ms : 0;
    f->funds_days_left = funds_days_left(f->funds, f->owed, growth.recent, span_ms > GROWTH_LEAST_MS ? span_ms : GROWTH_LEAST_MS);
    return true;
}

/* Read after the view: what this store committed it had prepared before. */
static bool find_strange_root(struct db *db, const struct settlement_view *view, struct chain_facts *f, struct err *err)
{
    bool ours = true;

    f->strange_sequence = 0;
    if (view->has_pending && !store_has_rewards_root(db, view->pending_root, &ours, err))
        return false;
    if (!ours)
        f->strange_sequence = view->pending_sequence;
    if (!ours || hash_is_zero(view->active_root))
        return true;
    if (!store_has_rewards_root(db, view->active_root, &ours, err))
        return false;
    if (!ours)
        f->strange_sequence = view->has_pending ? view->pending_sequence - 1 : view->sequence;
    return true;
}

bool facts_of_chain(struct rpc *rpc, struct db *db, const struct chain_question *q, const struct settlement_view *view,
                    uint64_t now_ms, struct chain_facts *facts, struct err *err)
{
    struct chain_facts f = { .asked = true, .seen = true, .seen_ms = now_ms };
    struct block head;

    if (!rpc_block(rpc, BLOCK_LATEST, &head, err)
        || !confirmed_block(rpc, q->confirmations, &f.confirmed, &f.any_confirmed, err))
        return false;
    f.head = head.number;
    f.head_time_s = head.timestamp_s;
    f.is_operator = address_eq(view->operator_, q->signer);
    f.total = view->total;
    f.total_claimed = view->total_claimed;
    f.cap_available = view->cap_available;
    f.paused_until_s = view->paused_until_s > head.timestamp_s ? view->paused_until_s : 0;
    if (!ask_gas(rpc, db, q, &f, err) || !ask_funds(rpc, q, view->funder, &f, err) || !sum_owed(db, now_ms, &f, err)
        || !find_strange_root(db, view, &f, err))
        return false;
    *facts = f;
    return true;
}

void facts_of_no_chain(uint64_t now_ms, const struct err *why, struct chain_facts *facts)
{
    facts->asked = true;
    if (facts->away_since_ms == 0)
        facts->away_since_ms = now_ms;
    snprintf(facts->away, sizeof facts->away, "%s", why->text);
}

void facts_of_endpoints(struct rpc *rpc, struct chain_facts *facts)
{
    struct rpc_health list[RPC_URLS_MAX];
    size_t count = rpc_health(rpc, list);

    facts->endpoints_out = 0;
    facts->endpoint_out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        facts->endpoints[i].head = list[i].head;
        facts->endpoints[i].lag = list[i].lag;
        facts->endpoints[i].finalized = list[i].finalized;
    }
    for (size_t i = 0; count > 1 && i < count; i++)
        if (list[i].state != ENDPOINT_UP && facts->endpoints_out++ == 0)
            snprintf(facts->endpoint_out, sizeof facts->endpoint_out, "%s is %s: %s", list[i].name, endpoint_state_name(list[i].state),
                     list[i].why);
}
