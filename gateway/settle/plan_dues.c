/* Whom a run would pay, and who is left out of it. */
#include "gateway/settle/plan_parts.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

const char *plan_reason_name(enum plan_reason reason)
{
    switch (reason) {
    case PLAN_BELOW_MINIMUM: return "below-minimum";
    case PLAN_IN_FLIGHT:     return "in-flight";
    case PLAN_REFUSED:       return "refused";
    }
    bug("reason to leave out %d", (int)reason);
}

static struct address account_of(const struct planning *p, const struct due *due)
{
    return p->leaves.list[due->leaf].account;
}

static void leave(struct planning *p, const struct due *due, enum plan_reason reason)
{
    struct plan_left *left = &p->plan.left[reason];

    if (left->accounts < PLAN_FIRST)
        left->first[left->accounts] = account_of(p, due);
    left->accounts++;
    if (!amount_add(left->amount, due->amount, &left->amount) || !amount_sub(p->dues.total, due->amount, &p->dues.total))
        bug("a due is no part of the sum of what is due");
}

/* Those for whom skip says so are left out for this reason. */
static void leave_where(struct planning *p, const bool *skip, enum plan_reason reason)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->dues.count; i++)
        if (skip[i])
            leave(p, &p->dues.list[i], reason);
        else
            p->dues.list[kept++] = p->dues.list[i];
    p->dues.count = kept;
}

static int by_account(const void *a, const void *b)
{
    return address_cmp(&((const struct reward_leaf *)a)->account, &((const struct reward_leaf *)b)->account);
}

static void mark_set(const struct planning *p, const struct reward_leaves *set, bool *skip)
{
    for (size_t i = 0; i < p->dues.count; i++) {
        struct reward_leaf key = { .account = account_of(p, &p->dues.list[i]) };

        skip[i] = skip[i] || bsearch(&key, set->list, set->count, sizeof *set->list, by_account) != NULL;
    }
}

/* Sets of calls that are not final: what they pay is not known to be paid. */
static bool mark_in_flight(struct planning *p, bool *skip, struct err *err)
{
    struct transactions open;
    bool ok;

    if (!transactions_open(p->settle, &open, err))
        return false;
    ok = true;
    for (size_t i = 0; ok && i < open.count; i++) {
        struct reward_leaves set = { 0 };

        if (strcmp(open.list[i].kind, "distribute") != 0 || !transaction_holds_work(p->settle, &open.list[i]))
            continue;
        ok = store_set_load(p->settle->db, open.list[i].id, &set, err);
        mark_set(p, &set, skip);
        reward_leaves_clear(&set);
    }
    transactions_clear(&open);
    return ok;
}

/* A transfer of nothing out of the contract: the token says no to it where it would to a payment, and no balance is needed. */
static bool mark_refused(struct planning *p, bool *skip, struct err *err)
{
    struct settle *s = p->settle;
    size_t count = p->dues.count;
    struct buf *calls = mem_array(count + 1, sizeof *calls);
    bool ok;

    for (size_t i = 0; i < count; i++) {
        buf_init(&calls[i]);
        token_transfer_call(account_of(p, &p->dues.list[i]), amount_from_u64(0), &calls[i]);
    }
    ok = rpc_try_many(s->rpc, s->config.contract, s->config.token, calls, count, skip, err);
    for (size_t i = 0; i < count; i++) {
        skip[i] = skip[i] || is_left_out(s, s->left_out_sequence, account_of(p, &p->dues.list[i]));
        buf_clear(&calls[i]);
    }
    free(calls);
    return ok;
}

static bool leave_by(struct planning *p, enum plan_reason reason, struct err *err)
{
    bool *skip = mem_array(p->dues.count + 1, sizeof *skip);
    bool ok = true;

    switch (reason) {
    case PLAN_BELOW_MINIMUM:
        for (size_t i = 0; i < p->dues.count; i++)
            skip[i] = amount_cmp(p->dues.list[i].amount, p->settle->config.distribute_minimum) < 0;
        break;
    case PLAN_IN_FLIGHT:
        ok = mark_in_flight(p, skip, err);
        break;
    case PLAN_REFUSED:
        ok = mark_refused(p, skip, err);
        break;
    }
    if (ok)
        leave_where(p, skip, reason);
    free(skip);
    return ok;
}

bool plan_dues(struct planning *p, struct err *err)
{
    struct settle *s = p->settle;

    if (!dues_read(s->rpc, s->config.contract, &p->leaves, amount_from_u64(0), &p->dues, err)
        || !leave_by(p, PLAN_IN_FLIGHT, err) || !leave_by(p, PLAN_BELOW_MINIMUM, err) || !leave_by(p, PLAN_REFUSED, err))
        return false;
    p->plan.due_accounts = p->dues.count;
    p->plan.due = p->dues.total;
    return true;
}
