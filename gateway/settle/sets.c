#include "gateway/settle/sets.h"

#include "chain/settlement.h"
#include "gateway/base/mem.h"

#include <stdlib.h>

void dues_clear(struct dues *dues)
{
    free(dues->list);
    *dues = (struct dues){ 0 };
}

static void add_due(struct dues *dues, size_t leaf, struct amount claimable, struct amount claimed,
                    struct amount minimum)
{
    struct due due = { .leaf = leaf, .gas = amount_is_zero(claimed) ? SET_GAS_NEW : SET_GAS_PAID_BEFORE };

    if (!amount_sub(claimable, claimed, &due.amount) || amount_is_zero(due.amount)
        || amount_cmp(due.amount, minimum) < 0)
        return;
    dues->list[dues->count++] = due;
    /* Cannot pass 256 bits: the sum of all leaves does not. */
    if (!amount_add(dues->total, due.amount, &dues->total))
        bug("the sum of what is due is over 256 bits");
}

bool dues_read(struct rpc *rpc, struct address contract, const struct reward_leaves *leaves, struct amount minimum,
               struct dues *dues, struct err *err)
{
    struct address *accounts = mem_array(leaves->count + 1, sizeof *accounts);
    struct amount *claimed = mem_array(leaves->count + 1, sizeof *claimed);
    bool ok;

    for (size_t i = 0; i < leaves->count; i++)
        accounts[i] = leaves->list[i].account;
    ok = settlement_claimed(rpc, contract, accounts, leaves->count, claimed, err);
    if (ok) {
        *dues = (struct dues){ .list = mem_array(leaves->count + 1, sizeof *dues->list) };
        for (size_t i = 0; i < leaves->count; i++)
            add_due(dues, i, leaves->list[i].claimable, claimed[i], minimum);
    }
    free(accounts);
    free(claimed);
    return ok;
}

static bool is_zero_word(const struct buf *result)
{
    for (size_t i = 0; i < result->len; i++)
        if (result->data[i] != 0)
            return false;
    return true;
}

bool dues_look_up_holders(struct rpc *rpc, struct address token, const struct reward_leaves *leaves, struct dues *dues,
                          struct err *err)
{
    size_t most = SET_GAS_MAX / SET_GAS_PAID_BEFORE, asked = 0;
    struct buf *calls = mem_array(most, sizeof *calls), *results = mem_array(most, sizeof *results);
    struct due **who = mem_array(most, sizeof *who);
    bool ok;

    for (size_t i = 0; i < dues->count && i < most; i++)
        if (dues->list[i].gas != SET_GAS_PAID_BEFORE) {
            buf_init(&calls[asked]);
            settlement_address_call("balanceOf(address)", leaves->list[dues->list[i].leaf].account, &calls[asked]);
            who[asked++] = &dues->list[i];
        }
    ok = asked == 0 || rpc_call_many(rpc, token, calls, asked, results, err);
    for (size_t i = 0; i < asked; i++) {
        if (ok && !is_zero_word(&results[i]))
            who[i]->gas = SET_GAS_HOLDER;
        buf_clear(&calls[i]);
        buf_clear(&results[i]);
    }
    free(calls);
    free(results);
    free(who);
    return ok;
}

size_t set_fill(const struct due *due, size_t count, uint64_t gas_max)
{
    uint64_t gas = 0;
    size_t n = 0;

    while (n < count && (n == 0 || gas + due[n].gas <= gas_max))
        gas += due[n++].gas;
    return n;
}

bool set_call(const struct reward_leaves *leaves, const struct tree *tree, const struct due *due, size_t count,
              struct buf *data, struct err *err)
{
    struct address *accounts = mem_array(count + 1, sizeof *accounts);
    struct amount *claimables = mem_array(count + 1, sizeof *claimables);
    bool *wanted = mem_array(leaves->count + 1, sizeof *wanted);
    struct hash *proof;
    struct buf nodes, steps;
    size_t proof_count;

    buf_init(&nodes);
    buf_init(&steps);
    for (size_t i = 0; i < count; i++) {
        accounts[i] = leaves->list[due[i].leaf].account;
        claimables[i] = leaves->list[due[i].leaf].claimable;
        wanted[due[i].leaf] = true;
    }
    tree_steps(tree, wanted, &nodes, &steps);
    proof_count = nodes.len / sizeof *proof;
    proof = mem_array(proof_count + 1, sizeof *proof);
    if (nodes.len > 0)
        memcpy(proof, nodes.data, nodes.len);
    settlement_distribute_call(accounts, claimables, count, proof, proof_count, &steps, data);
    free(proof);
    free(wanted);
    free(claimables);
    free(accounts);
    buf_clear(&nodes);
    buf_clear(&steps);
    return (!data->failed && data->len <= SET_BYTES_MAX)
        || err_set(err, ERR_LIMIT, "%zu accounts make a call of %zu bytes", count, data->len);
}
