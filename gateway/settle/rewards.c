#include "gateway/settle/rewards.h"

#include "gateway/base/mem.h"
#include "store/ledger.h"

#include <stdlib.h>

static struct reward_leaf *add_leaf(struct reward_leaves *leaves, size_t *capacity)
{
    if (leaves->count == *capacity) {
        *capacity = *capacity == 0 ? 64 : *capacity * 2;
        leaves->list = mem_grow(leaves->list, *capacity, sizeof *leaves->list);
    }
    return &leaves->list[leaves->count++];
}

struct earning { struct reward_leaves leaves; size_t capacity; };

/* Postings come by account, so that the same account is always the last leaf. */
static bool add_posting(void *self, const struct posting *p, struct err *err)
{
    struct earning *e = self;
    struct reward_leaf *last = e->leaves.count > 0 ? &e->leaves.list[e->leaves.count - 1] : NULL;
    int order = last == NULL ? -1 : address_cmp(&last->account, &p->share.account);

    if (!role_is_credit(p->share.role) || amount_is_zero(p->share.amount))
        return true;
    if (order > 0)
        return err_set(err, ERR_BUG, "postings are not in the order of accounts");
    if (order == 0)
        return amount_add(last->claimable, p->share.amount, &last->claimable)
            || err_set(err, ERR_OVERFLOW, "what an account earned is over 256 bits");
    *add_leaf(&e->leaves, &e->capacity) = (struct reward_leaf){ p->share.account, p->share.amount };
    return true;
}

bool rewards_earned(struct db *db, uint64_t batch, struct reward_leaves *earned, struct err *err)
{
    struct earning e = { 0 };

    if (!store_postings_of_batch(db, batch, add_posting, &e, err)) {
        reward_leaves_clear(&e.leaves);
        return false;
    }
    *earned = e.leaves;
    return true;
}

bool rewards_next(const struct reward_leaves *before, const struct reward_leaves *earned, struct reward_leaves *after,
                  struct amount *total, struct err *err)
{
    struct reward_leaves merged = { mem_array(before->count + earned->count + 1, sizeof *merged.list), 0 };
    struct amount sum = AMOUNT_ZERO;
    size_t b = 0, e = 0;

    while (b < before->count || e < earned->count) {
        struct reward_leaf *leaf = &merged.list[merged.count++];
        int order = b == before->count ? 1
                  : e == earned->count ? -1
                  : address_cmp(&before->list[b].account, &earned->list[e].account);

        *leaf = order <= 0 ? before->list[b++] : earned->list[e++];
        if ((order == 0 && !amount_add(leaf->claimable, earned->list[e++].claimable, &leaf->claimable))
            || !amount_add(sum, leaf->claimable, &sum)) {
            reward_leaves_clear(&merged);
            return err_set(err, ERR_OVERFLOW, "the sum of all rewards is over 256 bits");
        }
    }
    *after = merged;
    *total = sum;
    return true;
}

struct tree *rewards_tree(const struct reward_leaves *leaves, struct address token)
{
    struct hash *hashes = mem_array(leaves->count + 1, sizeof *hashes);
    struct tree *tree;

    for (size_t i = 0; i < leaves->count; i++)
        hashes[i] = tree_rewards_leaf(leaves->list[i].account, token, leaves->list[i].claimable);
    tree = tree_new(hashes, leaves->count);
    free(hashes);
    return tree;
}
