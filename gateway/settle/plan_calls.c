/* The calls a run would make, each with its size, gas and cost. */
#include "gateway/settle/plan_parts.h"

#include "gateway/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMIT_GAS 140000u         /* of a contract's first, the dearest (contract.md 2) */

void plan_stop(struct settle_plan *plan, const char *reason, const char *detail)
{
    struct plan_stop *stop = &plan->stops[plan->stop_count];

    for (size_t i = 0; i < plan->stop_count; i++)
        if (strcmp(plan->stops[i].reason, reason) == 0)
            return;
    if (plan->stop_count == PLAN_STOPS_MAX)
        bug("more reasons to stop than are known");
    stop->reason = reason;
    snprintf(stop->detail, sizeof stop->detail, "%s", detail);
    plan->stop_count++;
}

/* The call in p->tx with its expected gas. */
static bool add_call(struct planning *p, struct plan_call call, struct err *err)
{
    struct settle_plan *plan = &p->plan;

    call.bytes = p->tx.data.len;
    if (!tx_gas_limit(&p->tx, call.gas, p->gas_most, &call.gas_limit, err))
        return false;
    p->tx.gas = call.gas_limit;
    if (!send_data_fee(p->settle, &p->tx, &call.data_fee, err))
        return false;
    call.max_cost = fee_cost(call.gas_limit, p->tx.max_fee, call.data_fee);
    plan->max_cost = wei_sum(plan->max_cost, call.max_cost);
    plan->gas += call.gas;
    plan->calls = mem_grow(plan->calls, plan->call_count + 1, sizeof *plan->calls);
    plan->calls[plan->call_count++] = call;
    return true;
}

/* Expected gas as the node says, and where the contract refuses the call, why. */
static bool ask_gas(struct planning *p, uint64_t *gas, struct err *err)
{
    struct settle *s = p->settle;

    if (rpc_estimate_gas(s->rpc, s->account, &s->config.contract, &p->tx.data, gas, err))
        return true;
    if (err->code != ERR_CHAIN)
        return false;
    (void)explain_revert(s, err);
    plan_stop(&p->plan, "contract", err->text);
    return true;
}

/* Bytes of a root that is not made yet: none of them zero, as nearly all of a root are not. */
static struct hash unmade(void)
{
    struct hash h;

    memset(h.b, 0x11, sizeof h.b);
    return h;
}

bool plan_commit(struct planning *p, const struct settlement_row *settlement, const struct plan_call *content,
                 const struct hash *parent, struct err *err)
{
    struct plan_call call = *content;
    struct commit_args args = { call.sequence, unmade(), unmade(), unmade(), unmade(), call.amount, call.receipts };

    call.is_commit = true;
    call.gas = COMMIT_GAS;
    if (settlement != NULL) {
        const struct settlement_content *c = &settlement->content;

        args = (struct commit_args){ c->sequence, settlement->parent, c->receipts_root, c->rewards_root, c->archive, c->total,
                                     c->receipts };
        call.has_roots = true;
        call.receipts_root = c->receipts_root;
        call.rewards_root = c->rewards_root;
    } else if (parent != NULL) {
        args.parent = *parent;
    }
    buf_reset(&p->tx.data);
    settlement_commit_call(&args, &p->tx.data);
    return (parent == NULL || ask_gas(p, &call.gas, err)) && add_call(p, call, err);
}

static struct plan_call sum_of(const struct due *due, size_t count)
{
    struct plan_call call = { .accounts = count, .gas = SET_GAS_CALL };

    for (size_t i = 0; i < count; i++) {
        call.gas += due[i].gas;
        if (!amount_add(call.amount, due[i].amount, &call.amount))
            bug("the sum of what is due is over 256 bits");
    }
    return call;
}

static bool plan_set(struct planning *p, const struct tree *tree, const struct due *due, size_t count, struct err *err)
{
    struct plan_call call = sum_of(due, count);

    buf_reset(&p->tx.data);
    return set_call(&p->leaves, tree, due, count, &p->tx.data, err) && (p->active == 0 || ask_gas(p, &call.gas, err))
        && add_call(p, call, err);
}

/* As find_set cuts them (distribute.c): as many as gas and bytes allow. */
static bool plan_next(struct planning *p, const struct tree *tree, struct dues *rest, uint64_t gas_max, struct err *err)
{
    size_t count;

    if (!dues_look_up_holders(p->settle->rpc, p->settle->config.token, &p->leaves, rest, err))
        return false;
    count = set_fill(rest->list, rest->count, gas_max);
    while (!plan_set(p, tree, rest->list, count, err)) {
        if (err->code != ERR_LIMIT || count == 1)
            return false;
        count /= 2;
    }
    rest->list += count;
    rest->count -= count;
    p->plan.sets++;
    return true;
}

/* Most gas of one set: at a fee above the ceiling nothing is sent, so the ceiling is what counts for its size. */
static uint64_t set_gas(const struct planning *p)
{
    const struct settle *s = p->settle;
    struct fee fee = p->plan.fee;
    uint64_t most = s->config.set_gas != 0 ? s->config.set_gas : SET_GAS_MAX, limit;

    if (u256_cmp(fee.max_fee.v, s->config.max_fee.v) > 0)
        fee.max_fee = s->config.max_fee;
    limit = p->gas_most < fee_gas_max(fee) ? p->gas_most : fee_gas_max(fee);
    return most < limit / 4 * 3 ? most : limit / 4 * 3;
}

bool plan_sets(struct planning *p, struct err *err)
{
    struct dues rest = p->dues;                /* borrowed */
    struct tree *tree;
    bool ok = true;

    if (rest.count == 0)
        return true;
    tree = rewards_tree(&p->leaves, p->settle->config.token);
    while (ok && rest.count > 0)
        ok = plan_next(p, tree, &rest, set_gas(p), err);
    tree_free(tree);
    return ok;
}
