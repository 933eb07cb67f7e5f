#include "gateway/core/debts.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

void debts_clear(struct debts *d)
{
    free(d->list);
    *d = (struct debts){ 0 };
}

struct amount debts_of(const struct debts *d, struct address account)
{
    for (size_t i = 0; i < d->count; i++)
        if (address_eq(d->list[i].account, account))
            return d->list[i].amount;
    return AMOUNT_ZERO;
}

void debts_add(struct debts *d, struct address account, struct amount amount)
{
    if ((d->count & (d->count - 1)) == 0)
        d->list = mem_grow(d->list, d->count == 0 ? 1 : d->count * 2, sizeof *d->list);
    d->list[d->count++] = (struct debt){ account, amount };
}

void nets_clear(struct nets *n)
{
    free(n->list);
    *n = (struct nets){ 0 };
}

static bool add_to(struct net *net, struct amount credit, struct amount debit, struct err *err)
{
    return (amount_add(net->credit, credit, &net->credit) && amount_add(net->debit, debit, &net->debit))
        || err_set(err, ERR_OVERFLOW, "an account's sums over 256 bits");
}

bool nets_add(struct nets *n, struct address account, struct amount credit, struct amount debit, struct err *err)
{
    /* They mostly come by account. */
    if (n->count > 0 && address_eq(n->list[n->count - 1].account, account))
        return add_to(&n->list[n->count - 1], credit, debit, err);
    if (n->count == n->capacity) {
        n->capacity = n->capacity == 0 ? 64 : n->capacity * 2;
        n->list = mem_grow(n->list, n->capacity, sizeof *n->list);
    }
    n->list[n->count++] = (struct net){ .account = account, .credit = credit, .debit = debit };
    return true;
}

static int by_account(const void *a, const void *b)
{
    const struct net *x = a, *y = b;

    return address_cmp(&x->account, &y->account);
}

static bool fold(struct nets *n, struct err *err)
{
    size_t kept = 0;

    qsort(n->list, n->count, sizeof *n->list, by_account);
    for (size_t i = 1; i < n->count; i++) {
        struct net *last = &n->list[kept];

        if (!address_eq(last->account, n->list[i].account))
            n->list[++kept] = n->list[i];
        else if (!add_to(last, n->list[i].credit, n->list[i].debit, err))
            return false;
    }
    n->count = kept + 1;
    return true;
}

/* What was owed, and what is withheld for it from its holder, who has it back until the new debts are known. */
static bool add_debts(struct nets *n, const struct debts *before, struct err *err)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct debt *d = &before->list[i];

        if (!nets_add(n, d->account, AMOUNT_ZERO, d->amount, err)
            || (!address_eq(d->account, before->holder) && !nets_add(n, before->holder, d->amount, AMOUNT_ZERO, err)))
            return false;
    }
    return true;
}

static void settle_one(struct net *net)
{
    net->growth = net->debt = AMOUNT_ZERO;
    if (!amount_sub(net->credit, net->debit, &net->growth) && !amount_sub(net->debit, net->credit, &net->debt))
        bug("of two amounts neither is the larger");
}

bool nets_settle(struct nets *n, const struct debts *before, struct address protocol, struct debts *after, struct err *err)
{
    struct debts owed = { .holder = protocol };
    struct net *own = NULL;

    if (!add_debts(n, before, err) || !nets_add(n, protocol, AMOUNT_ZERO, AMOUNT_ZERO, err) || !fold(n, err))
        return false;
    for (size_t i = 0; i < n->count; i++)
        if (address_eq(n->list[i].account, protocol))
            own = &n->list[i];
        else
            settle_one(&n->list[i]);
    for (size_t i = 0; i < n->count; i++)
        if (!amount_is_zero(n->list[i].debt) && !add_to(own, AMOUNT_ZERO, n->list[i].debt, err))
            return false;
    settle_one(own);
    for (size_t i = 0; i < n->count; i++)
        if (!amount_is_zero(n->list[i].debt))
            debts_add(&owed, n->list[i].account, n->list[i].debt);
    *after = owed;
    return true;
}
