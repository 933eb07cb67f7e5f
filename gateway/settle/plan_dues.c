/* Whom a run would pay, and who is left out of it. */
#include "gateway/settle/plan_parts.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

const char *plan_reason_name(enum plan_reason reason)
{
    switch (reason) {
    case PLAN_BELOW_MINIMUM:   return "below-minimum";
    case PLAN_IN_FLIGHT:       return "in-flight";
    case PLAN_REFUSED:         return "refused";
    case PLAN_NEXT_SETTLEMENT: return "next-settlement";
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

/* Whom these calls pay that hold their work, and are final or not. */
static bool mark_paid_by(struct planning *p, const struct transactions *txs, bool final, bool *skip, struct err *err)
{
    for (size_t i = 0; i < txs->count; i++) {
        const struct transaction_row *t = &txs->list[i];
        struct reward_leaves set = { 0 };

        if (strcmp(t->kind, "distribute") != 0 || !transaction_holds_work(p->settle, t) || (t->state == TX_FINAL) != final)
            continue;
        if (!store_set_load(p->settle->db, t->id, &set, err))
            return false;
        mark_set(p, &set, skip);
        reward_leaves_clear(&set);
    }
    return true;
}

/* What calls pay that are not final is not known to be paid. */
static bool mark_in_flight(struct planning *p, bool *skip, struct err *err)
{
    struct transactions open;
    bool ok;

    if (!transactions_open(p->settle, &open, err))
        return false;
    ok = mark_paid_by(p, &open, false, skip, err);
    transactions_clear(&open);
    return ok;
}

/* Who is still due after a final call of the settlement that goes on was refused by it (distribute.c). */
static bool mark_tried(struct planning *p, bool *skip, struct err *err)
{
    struct transactions txs;
    bool ok;

    if (p->active == 0)
        return true;
    if (!transactions_of(p->settle, p->active, &txs, err))
        return false;
    ok = mark_paid_by(p, &txs, true, skip, err);
    transactions_clear(&txs);
    return ok;
}

/* A transfer of nothing out of the contract: as a rule the token says no to it where it would to a payment, and no balance is
 * needed.  A token that takes no such transfer at all, which the last one tells, says nothing about anybody. */
static bool mark_refused(struct planning *p, bool *skip, struct err *err)
{
    struct settle *s = p->settle;
    size_t count = p->dues.count;
    struct buf *calls = mem_array(count + 1, sizeof *calls);
    bool *refused = mem_array(count + 1, sizeof *refused);
    bool ok;

    for (size_t i = 0; i <= count; i++) {
        buf_init(&calls[i]);
        token_transfer_call(i < count ? account_of(p, &p->dues.list[i]) : s->account, amount_from_u64(0), &calls[i]);
    }
    ok = rpc_try_many(s->rpc, s->config.contract, s->config.token, calls, count + 1, refused, err);
    for (size_t i = 0; ok && i < count; i++)
        skip[i] = skip[i] || (refused[i] && !refused[count])
               || (p->active != 0 && is_left_out(s, p->active, account_of(p, &p->dues.list[i])));
    for (size_t i = 0; i <= count; i++)
        buf_clear(&calls[i]);
    free(refused);
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
        ok = mark_tried(p, skip, err) && mark_refused(p, skip, err);
        break;
    case PLAN_NEXT_SETTLEMENT:
        for (size_t i = 0; i < p->dues.count; i++)
            skip[i] = !p->distributes;
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
        || !leave_by(p, PLAN_IN_FLIGHT, err) || !leave_by(p, PLAN_BELOW_MINIMUM, err) || !leave_by(p, PLAN_REFUSED, err)
        || !leave_by(p, PLAN_NEXT_SETTLEMENT, err))
        return false;
    p->plan.due_accounts = p->dues.count;
    p->plan.due = p->dues.total;
    return true;
}
