#include <stdlib.h>

#include "api/settlement_shapes.h"
#include "gateway/base/mem.h"
#include "store/ledger.h"

/* The calls of one sequence that the chain has taken. */
struct calls {
    struct db *db;
    struct tx_hash *list;                     /* owned: distribute calls that are mined */
    size_t count, capacity;
    uint64_t all;
    struct reward_leaves paid_to;             /* owned: their accounts, sorted */
};

static bool is_mined(enum tx_state state)
{
    return state == TX_MINED || state == TX_FINAL;
}

static bool add_set(struct calls *c, uint64_t tx, struct err *err)
{
    struct reward_leaves set = { 0 };

    if (!store_set_load(c->db, tx, &set, err))
        return false;
    c->paid_to.list = mem_grow(c->paid_to.list, c->paid_to.count + set.count + 1, sizeof *set.list);
    for (size_t i = 0; i < set.count; i++)
        c->paid_to.list[c->paid_to.count++] = set.list[i];
    reward_leaves_clear(&set);
    return true;
}

static bool add_call(void *self, const struct transaction_row *t, struct err *err)
{
    struct calls *c = self;

    c->all++;
    if (strcmp(t->kind, "distribute") != 0 || !is_mined(t->state))
        return true;
    if (c->count == c->capacity) {
        c->capacity = c->capacity > 0 ? 2 * c->capacity : 8;
        c->list = mem_grow(c->list, c->capacity, sizeof *c->list);
    }
    c->list[c->count++] = t->mined;
    return add_set(c, t->id, err);
}

static int leaf_cmp(const void *a, const void *b)
{
    return address_cmp(&((const struct reward_leaf *)a)->account, &((const struct reward_leaf *)b)->account);
}

struct account_sum { const struct calls *calls; struct amount by_calls, claimed; };

static bool add_payment(void *self, const struct payment *p, struct err *err)
{
    struct account_sum *sum = self;
    bool ok = amount_add(sum->claimed, p->amount, &sum->claimed);

    for (size_t i = 0; ok && i < sum->calls->count; i++)
        if (hash_eq(sum->calls->list[i].h, p->tx.h))
            ok = amount_add(sum->by_calls, p->amount, &sum->by_calls);
    return ok || err_set(err, ERR_OVERFLOW, "payments over 256 bits");
}

static bool add_leaf(const struct calls *c, const struct reward_leaf *leaf, struct settlement_sums *sums,
                     struct err *err)
{
    struct account_sum sum = { .calls = c };
    bool called = c->paid_to.count > 0
               && bsearch(leaf, c->paid_to.list, c->paid_to.count, sizeof *leaf, leaf_cmp) != NULL;
    struct amount lacking, *to = called ? &sums->skipped : &sums->left;

    if (!store_payments_of_account(c->db, leaf->account, add_payment, &sum, err))
        return false;
    if (!amount_sub(leaf->claimable, sum.claimed, &lacking))
        lacking = AMOUNT_ZERO;                /* paid more since, under a later root */
    sums->skipped_accounts += called && !amount_is_zero(lacking);
    return (amount_add(sums->paid, sum.by_calls, &sums->paid) && amount_add(*to, lacking, to))
        || err_set(err, ERR_OVERFLOW, "payments of a settlement over 256 bits");
}

static bool add_leaves(const struct calls *c, uint64_t sequence, struct settlement_sums *sums, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    bool ok = store_leaves_load(c->db, sequence, &leaves, err);

    for (size_t i = 0; ok && i < leaves.count; i++)
        ok = add_leaf(c, &leaves.list[i], sums, err);
    reward_leaves_clear(&leaves);
    return ok;
}

bool settlement_sum(struct db *db, const struct settlement_row *s, struct settlement_sums *sums, bool *whole,
                    struct err *err)
{
    struct settlement_sums total = { 0 };
    struct calls c = { .db = db };
    bool walked = s->accounts <= SETTLEMENT_WALK_MAX;
    bool ok = store_tx_of_sequence(db, s->sequence, add_call, &c, err);

    if (ok && c.paid_to.count > 0)
        qsort(c.paid_to.list, c.paid_to.count, sizeof *c.paid_to.list, leaf_cmp);
    ok = ok && (!walked || add_leaves(&c, s->sequence, &total, err));
    free(c.list);
    reward_leaves_clear(&c.paid_to);
    if (!ok)
        return false;
    total.transactions = c.all;
    *sums = total;
    *whole = walked;
    return true;
}
