#include "gateway/settle/rewards.h"

#include "gateway/base/mem.h"
#include "store/ledger.h"

#include <inttypes.h>
#include <stdlib.h>

static bool add_posting(void *self, const struct posting *p, struct err *err)
{
    if (role_is_credit(p->share.role))
        return nets_add(self, p->share.account, p->share.amount, AMOUNT_ZERO, err);
    return p->share.role != ROLE_ADJUSTED_DOWN || nets_add(self, p->share.account, AMOUNT_ZERO, p->share.amount, err);
}

bool rewards_earned(struct db *db, uint64_t batch, struct address protocol_account, const struct debts *before,
                    struct reward_leaves *earned, struct debts *after, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    struct nets nets = { 0 };
    bool ok = store_postings_of_batch(db, batch, add_posting, &nets, err)
           && nets_settle(&nets, before, protocol_account, after, err);

    if (ok) {
        leaves.list = mem_array(nets.count + 1, sizeof *leaves.list);
        for (size_t i = 0; i < nets.count; i++)
            if (!amount_is_zero(nets.list[i].growth))
                leaves.list[leaves.count++] = (struct reward_leaf){ nets.list[i].account, nets.list[i].growth };
        *earned = leaves;
    }
    nets_clear(&nets);
    return ok;
}

bool rewards_balance(struct amount total_before, const struct batch_row *batch, const struct debts *before,
                     const struct debts *after, struct amount total, struct err *err)
{
    struct amount left, right;

    if (!amount_add(total_before, batch->amount, &left) || !amount_add(left, debts_of(after, after->holder), &left)
        || !amount_add(total, debts_of(before, before->holder), &right))
        return err_set(err, ERR_OVERFLOW, "the sum of all rewards is over 256 bits");
    return amount_cmp(left, right) == 0
        || err_set(err, ERR_HALT, "the postings of batch %" PRIu64 " do not add up to its amount", batch->number);
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
