/* Everybody else on the chain: earners who claim, whoever distributes first, the guardian, the token's admin, a stranger
 * with the key. */
#include <stdlib.h>

#include "chain/settlement.h"
#include "gateway/base/mem.h"
#include "gateway/settle/rewards.h"
#include "gateway/settle/sets.h"
#include "tests/sim/sim.h"

static void act(struct sim *s, struct address from, struct address to, struct buf *owned_data)
{
    struct sim_tx t = { .key = SIM_STRANGER, .from = from, .to = to, .gas = 5000000 };

    t.data = *owned_data;
    chain_act(s, &t);
}

static const struct state *state_now(const struct sim *s)
{
    return chain_head_state(&s->chain);
}

static bool is_pending(const struct sim *s)
{
    return s->now_ms / 1000 < state_now(s)->active_at_s;
}

/* -- proofs from the published tree -- */

struct published { struct reward_leaves leaves; struct tree *tree; };

static bool published_of(struct sim *s, struct published *p)
{
    uint64_t sequence = state_now(s)->sequence - is_pending(s);
    struct err err = { 0 };

    if (state_now(s)->sequence == 0 || sequence == 0 || !store_leaves_load(s->look, sequence, &p->leaves, &err))
        return false;
    if (p->leaves.count == 0) {
        reward_leaves_clear(&p->leaves);
        return false;
    }
    p->tree = rewards_tree(&p->leaves, s->chain.token);
    return true;
}

static void published_clear(struct published *p)
{
    tree_free(p->tree);
    reward_leaves_clear(&p->leaves);
}

static void claim(struct sim *s)
{
    struct published p = { 0 };
    struct proof proof;
    struct buf data;
    size_t at;

    if (!published_of(s, &p))
        return;
    at = (size_t)rng_below(&s->rng, p.leaves.count);
    tree_prove(p.tree, at, &proof);
    buf_init(&data);
    settlement_claim_call(p.leaves.list[at].account, s->chain.token, p.leaves.list[at].claimable, proof.path, proof.len,
                          &data);
    act(s, s->chain.people[0], s->chain.contract, &data);
    published_clear(&p);
}

static void distribute(struct sim *s)
{
    struct published p = { 0 };
    struct err err = { 0 };
    struct due *dues;
    struct buf data;
    size_t count = 0;

    if (!published_of(s, &p))
        return;
    dues = mem_array(p.leaves.count, sizeof *dues);
    for (size_t i = 0; i < p.leaves.count; i++)
        if (sim_chance(s, 50))
            dues[count++] = (struct due){ .leaf = i };
    buf_init(&data);
    if (count > 0 && set_call(&p.leaves, p.tree, dues, count, &data, &err))
        act(s, s->chain.people[0], s->chain.contract, &data);
    else
        buf_clear(&data);
    free(dues);
    published_clear(&p);
}

/* -- roles -- */

static void cancel(struct sim *s)
{
    struct buf data;

    buf_init(&data);
    settlement_u256_call("cancel(uint64)", u256_from_u64(state_now(s)->sequence), &data);
    act(s, s->chain.guardian, s->chain.contract, &data);
}

static void pause_commits(struct sim *s)
{
    struct buf data;

    buf_init(&data);
    settlement_plain_call("pause()", &data);
    act(s, s->chain.guardian, s->chain.contract, &data);
}

static void set_blocked(struct sim *s, unsigned who, bool blocked)
{
    struct abi_out a;
    struct buf data;

    buf_init(&data);
    abi_add_selector(&data, "block(address,bool)");
    abi_begin(&a, 2);
    abi_add_address(&a, s->chain.people[who]);
    abi_add_bool(&a, blocked);
    abi_finish(&a, &data);
    act(s, s->chain.admin, s->chain.token, &data);
}

static bool is_any_blocked(const struct sim *s)
{
    for (unsigned i = 0; i < SIM_PEOPLE; i++)
        if (state_now(s)->blocked[i])
            return true;
    return false;
}

static void unblock_all(struct sim *s)
{
    for (unsigned i = 0; i < SIM_PEOPLE; i++)
        if (state_now(s)->blocked[i])
            set_blocked(s, i, false);
}

static void fund(struct sim *s)
{
    struct buf data;

    buf_init(&data);
    dev_token_mint_call(s->chain.contract, amount_from_u64(UINT64_C(1) << 40), &data);
    act(s, s->chain.admin, s->chain.token, &data);
}

static void top_up(struct sim *s)
{
    for (unsigned k = 0; k < SIM_KEYS; k++) {
        struct sim_tx t = { .key = SIM_STRANGER, .from = s->chain.admin, .to = s->chain.keys[k], .gas = 21000,
                            .value = (u128)1000 * SIM_GWEI * SIM_GWEI };

        chain_act(s, &t);
    }
}

/* -- the key in other hands: a transfer of nothing, at the next nonce or behind ours -- */

static void use_nonce(struct sim *s)
{
    struct chain *c = &s->chain;
    const struct state *st = state_now(s);
    struct sim_tx t = { .key = s->key, .from = c->keys[s->key], .to = c->guardian, .gas = 21000,
                        .max_fee = 5 * c->next_base_fee + 10 * c->next_tip, .tip = 10 * c->next_tip };

    t.nonce = sim_chance(s, 50) ? st->nonce[s->key] : pool_next_nonce(c, &c->miner, st, s->key);
    for (size_t i = 0; i < c->miner.count; i++)
        if (c->txs[c->miner.tx[i]].key == t.key && c->txs[c->miner.tx[i]].nonce == t.nonce)
            pool_drop(&c->miner, i);
    sim_say(s, "a stranger uses nonce %llu", (unsigned long long)t.nonce);
    chain_act(s, &t);
}

void outsiders_act(struct sim *s)
{
    if (sim_fault(s, FAULT_FOREIGN_NONCE))
        use_nonce(s);
    if (sim_fault(s, FAULT_FOREIGN_CLAIM))
        claim(s);
    if (sim_fault(s, FAULT_FOREIGN_DISTRIBUTE))
        distribute(s);
    if (is_pending(s) && sim_fault(s, FAULT_CANCEL))
        cancel(s);
    if (sim_fault(s, FAULT_PAUSE))
        pause_commits(s);
    if (sim_fault(s, FAULT_BLOCKED))
        set_blocked(s, (unsigned)rng_below(&s->rng, SIM_PEOPLE), true);
    if (s->chain.action_count == 0 && (!s->faulty || sim_chance(s, 10)))
        unblock_all(s);
    if (s->plan.rate[FAULT_UNFUNDED] > 0 && state_now(s)->balance == 0 && sim_chance(s, 5))
        fund(s);
    if (s->plan.rate[FAULT_POOR] > 0 && sim_chance(s, 2))
        top_up(s);
}

void outsiders_heal(struct sim *s)
{
    if (!address_eq(state_now(s)->operator_, s->chain.keys[s->key]))
        outsiders_rotate(s);                       /* a reorg took it back */
    unblock_all(s);
    fund(s);
    top_up(s);
}

/* The owner gives the operator's right to the second key. */
void outsiders_rotate(struct sim *s)
{
    struct buf data;

    buf_init(&data);
    settlement_address_call("setOperator(address)", s->chain.keys[1], &data);
    sim_say(s, "the operator's key is rotated");
    act(s, s->chain.admin, s->chain.contract, &data);
}

bool outsiders_are_done(const struct sim *s)
{
    return s->chain.action_count == 0 && !is_any_blocked(s);
}
