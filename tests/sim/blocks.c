/* Blocks, branches, the miner and what a block's fees are. */
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/core/header.h"
#include "gateway/lib/keccak.h"
#include "tests/sim/node.h"
#include "tests/support/settle_books.h"

#define BLOCK_TXS 24u

static struct address named(uint8_t kind)
{
    struct address a;

    memset(a.b, kind, sizeof a.b);
    return a;
}

/* -- looking -- */

const struct block_ *chain_at(const struct chain *c, size_t head, uint64_t number)
{
    const struct block_ *b = &c->blocks[head];

    if (number > b->number)
        return NULL;
    while (b->number > number)
        b = &c->blocks[b->parent];
    return b;
}

const struct state *chain_state(const struct chain *c, const struct block_ *b)
{
    return &c->states[b->state];
}

const struct state *chain_head_state(const struct chain *c)
{
    return chain_state(c, &c->blocks[c->head]);
}

bool chain_on_branch(const struct chain *c, size_t head, const struct block_ *b)
{
    return chain_at(c, head, b->number) == b;
}

const struct mined *chain_find(const struct chain *c, size_t head, struct tx_hash hash, const struct block_ **where)
{
    for (const struct block_ *b = &c->blocks[head]; b->number > SIM_DEPLOY_BLOCK; b = &c->blocks[b->parent])
        for (size_t i = 0; i < b->mined_count; i++)
            if (hash_eq(c->txs[b->mined[i].tx].hash.h, hash.h)) {
                *where = b;
                return &b->mined[i];
            }
    return NULL;
}

size_t chain_known(const struct chain *c, struct tx_hash hash)
{
    for (size_t i = 0; i < c->tx_count; i++)
        if (hash_eq(c->txs[i].hash.h, hash.h))
            return i;
    return SIZE_MAX;
}

unsigned chain_person(const struct chain *c, struct address a)
{
    unsigned i = 0;

    while (i < SIM_PEOPLE && !address_eq(c->people[i], a))
        i++;
    return i;
}

unsigned chain_key(const struct chain *c, struct address a)
{
    unsigned k = 0;

    while (k < SIM_KEYS && !address_eq(c->keys[k], a))
        k++;
    return k;
}

/* -- transactions -- */

size_t chain_add_tx(struct chain *c, const struct sim_tx *tx)
{
    c->txs = mem_grow(c->txs, c->tx_count + 1, sizeof *c->txs);
    c->txs[c->tx_count] = *tx;
    return c->tx_count++;
}

static void wait_for_block(struct chain *c, size_t tx)
{
    c->actions = mem_grow(c->actions, c->action_count + 1, sizeof *c->actions);
    c->actions[c->action_count++] = tx;
}

void chain_act(struct sim *s, struct sim_tx *owned)
{
    struct chain *c = &s->chain;

    owned->hash.h = rng_hash(&s->rng);
    if (owned->key == SIM_STRANGER)
        wait_for_block(c, chain_add_tx(c, owned));
    else
        pool_put(&c->miner, chain_add_tx(c, owned));
}

/* -- mining -- */

struct building { struct sim *sim; struct block_ *block; struct state state; bool changed; uint64_t gas; };

static void keep_logs(struct block_ *b, const struct execution *x)
{
    if (x->log_count == 0)
        return;
    b->logs = mem_grow(b->logs, b->log_count + x->log_count, sizeof *b->logs);
    memcpy(b->logs + b->log_count, x->logs, x->log_count * sizeof *x->logs);
    b->log_count += x->log_count;
}

static void pay_gas(struct state *st, const struct sim_tx *t, uint64_t gas, uint64_t price)
{
    u128 spent = (u128)gas * price;

    if (t->key == SIM_STRANGER)
        return;
    st->nonce[t->key]++;
    st->ether[t->key] -= spent < st->ether[t->key] ? spent : st->ether[t->key];
}

static uint64_t price_of(const struct sim_tx *t, uint64_t base_fee)
{
    return t->max_fee - base_fee < t->tip ? t->max_fee : base_fee + t->tip;
}

static void execute(struct building *g, size_t tx)
{
    struct chain *c = &g->sim->chain;
    const struct sim_tx *t = &c->txs[tx];
    struct block_ *b = g->block;
    struct execution x = { .chain = c, .state = &g->state, .from = t->from, .time_s = b->time_s };
    struct mined m = { .tx = tx, .first_log = b->log_count };
    struct state before = g->state;

    m.success = contract_run(&x, t->to, t->data.data, t->data.len);
    m.gas_used = x.gas;
    if (t->key != SIM_STRANGER && x.gas > t->gas) {
        m.success = false;                         /* out of gas */
        m.gas_used = t->gas;
    }
    if (!m.success) {
        g->state = before;
        x.log_count = 0;
    }
    for (unsigned k = 0; k < SIM_KEYS; k++)
        if (t->key == SIM_STRANGER && address_eq(t->to, c->keys[k]))
            g->state.ether[k] += t->value;
    m.price = t->key == SIM_STRANGER ? b->base_fee : price_of(t, b->base_fee);
    pay_gas(&g->state, t, m.gas_used, m.price);
    keep_logs(b, &x);
    m.log_count = x.log_count;
    b->mined = mem_grow(b->mined, b->mined_count + 1, sizeof *b->mined);
    b->mined[b->mined_count++] = m;
    g->gas += m.gas_used;
    g->changed = true;
    buf_clear(&x.result);
    sim_say(g->sim, "  mined %02x%02x key %u nonce %llu %s gas %llu of %llu", t->hash.h.b[0], t->hash.h.b[1], t->key,
            (unsigned long long)t->nonce, m.success ? "ok" : "reverted", (unsigned long long)m.gas_used,
            (unsigned long long)t->gas);
}

static bool may_be_mined(struct building *g, const struct sim_tx *t)
{
    const struct chain *c = &g->sim->chain;

    if (t->nonce != g->state.nonce[t->key] || t->max_fee < g->block->base_fee || g->gas + t->gas > c->gas_limit
        || g->state.ether[t->key] < (u128)t->gas * t->max_fee + t->value)
        return false;
    /* Below what others tip it waits, as a rule. */
    return price_of(t, g->block->base_fee) - g->block->base_fee >= g->block->tip || sim_chance(g->sim, 15);
}

static bool mine_one(struct building *g)
{
    struct pool *pool = &g->sim->chain.miner;

    for (size_t i = 0; i < pool->count; i++)
        if (may_be_mined(g, &g->sim->chain.txs[pool->tx[i]])) {
            execute(g, pool->tx[i]);
            return true;
        }
    return false;
}

static void fill(struct building *g)
{
    struct chain *c = &g->sim->chain;

    for (unsigned n = 0; n < BLOCK_TXS; n++) {
        if (c->action_count > 0 && sim_chance(g->sim, 50)) {
            size_t at = (size_t)rng_below(&g->sim->rng, c->action_count), tx = c->actions[at];

            c->actions[at] = c->actions[--c->action_count];
            execute(g, tx);
        } else if (!mine_one(g)) {
            break;
        }
    }
}

static void next_fees(struct sim *s)
{
    struct chain *c = &s->chain;
    uint64_t number = c->blocks[c->head].number, gwei = s->plan.base_gwei;

    if (c->spike > 1 && number >= c->spike_until)
        c->spike = 1;
    if (c->spike == 1 && sim_fault(s, FAULT_FEE_SPIKE)) {
        c->spike = sim_chance(s, 30) ? 1000 : sim_between(s, 2, 60);
        c->spike_until = number + sim_between(s, 2, 30);
    }
    c->next_base_fee = gwei * SIM_GWEI * sim_between(s, 88, 112) / 100 * c->spike;
    c->next_tip = SIM_GWEI * sim_between(s, 80, 140) / 100 * (c->spike > 20 ? 20 : c->spike);
}

static void add_block(struct sim *s, size_t parent, uint64_t time_s)
{
    struct chain *c = &s->chain;
    struct block_ b = { .number = c->blocks[parent].number + 1, .time_s = time_s, .base_fee = c->next_base_fee,
                        .tip = c->next_tip, .parent = parent, .state = c->blocks[parent].state };
    struct building g = { .sim = s, .block = &b, .state = c->states[b.state] };

    b.hash = rng_hash(&s->rng);
    b.used = true;
    sim_say(s, "block %llu %02x%02x on %02x%02x, base fee %llu", (unsigned long long)b.number, b.hash.b[0], b.hash.b[1],
            c->blocks[parent].hash.b[0], c->blocks[parent].hash.b[1], (unsigned long long)b.base_fee);
    if (b.number > SIM_DEPLOY_BLOCK && !sim_fault(s, FAULT_EMPTY_BLOCK))
        fill(&g);
    if (g.changed) {
        c->states = mem_grow(c->states, c->state_count + 1, sizeof *c->states);
        c->states[c->state_count] = g.state;
        b.state = c->state_count++;
        pool_settle(c, &c->miner, &g.state);
    }
    c->blocks = mem_grow(c->blocks, c->block_count + 1, sizeof *c->blocks);
    c->blocks[c->block_count] = b;
    c->head = c->block_count++;
    next_fees(s);
}

static uint64_t next_time_s(const struct sim *s, size_t parent, uint64_t wanted_s)
{
    uint64_t least = s->chain.blocks[parent].time_s + 1;

    return wanted_s > least ? wanted_s : least;
}

void chain_mine(struct sim *s)
{
    add_block(s, s->chain.head, next_time_s(s, s->chain.head, s->now_ms / 1000));
    for (unsigned n = 0; n < s->plan.endpoints; n++)
        node_block(s, n);
}

static void throw_back(struct sim *s, const struct block_ *b)
{
    struct chain *c = &s->chain;

    for (size_t i = 0; i < b->mined_count; i++) {
        size_t tx = b->mined[i].tx;

        if (sim_fault(s, FAULT_REORG_DROPS))
            continue;
        if (c->txs[tx].key == SIM_STRANGER)
            wait_for_block(c, tx);
        else
            pool_put(&c->miner, tx);
    }
}

void chain_reorg(struct sim *s, unsigned depth)
{
    struct chain *c = &s->chain;
    size_t parent = c->head;
    uint64_t from_s, span_s;

    sim_say(s, "reorg of %u blocks", depth);
    for (unsigned i = 0; i < depth; i++) {
        throw_back(s, &c->blocks[parent]);
        parent = c->blocks[parent].parent;
    }
    from_s = c->blocks[parent].time_s;
    span_s = s->now_ms / 1000 > from_s ? s->now_ms / 1000 - from_s : 1;
    c->head = parent;
    for (unsigned i = 1; i <= depth + 1; i++)
        add_block(s, c->head, next_time_s(s, c->head, from_s + span_s * i / (depth + 1)));
    for (unsigned n = 0; n < s->plan.endpoints; n++)
        node_block(s, n);
}

/* -- life -- */

void chain_start(struct sim *s)
{
    struct chain *c = &s->chain;
    struct state *st;

    c->contract = named(0xc0);
    c->token = named(0x70);
    c->guardian = named(0x60);
    c->admin = named(0xad);
    for (unsigned k = 0; k < SIM_KEYS; k++)
        c->keys[k] = signer_address(s->signers[k]);
    for (unsigned i = 0; i < SIM_PEOPLE; i++)
        c->people[i] = i < SIM_PEOPLE - 3 ? books_account(BOOKS_PROVIDER, i)
                     : i < SIM_PEOPLE - 1 ? books_account(BOOKS_CREATOR, i - (SIM_PEOPLE - 3))
                                          : books_account(BOOKS_PROTOCOL, 0);
    c->activation_delay_s = s->plan.activation_delay_s;
    c->gas_limit = s->plan.gas_limit;
    c->spike = 1;
    c->states = mem_new(sizeof *c->states);
    c->state_count = 1;
    st = &c->states[0];
    st->operator_ = c->keys[0];
    st->header[0] = header_first(SIM_CHAIN_ID, c->contract, c->token);
    st->balance = s->plan.rate[FAULT_UNFUNDED] > 0 ? 0 : UINT64_C(1) << 40;
    for (unsigned k = 0; k < SIM_KEYS; k++) {
        st->ether[k] = (u128)(s->plan.rate[FAULT_POOR] > 0 ? 20 : 1000) * SIM_GWEI * SIM_GWEI;
        st->nonce[k] = sim_between(s, 0, 3);
    }
    if (s->plan.rate[FAULT_POOR] > 0)
        st->ether[0] /= sim_between(s, 20, 4000);
    c->blocks = mem_new(sizeof *c->blocks);
    c->block_count = 1;
    c->blocks[0] = (struct block_){ .time_s = s->now_ms / 1000 - 1000, .hash = rng_hash(&s->rng) };
    next_fees(s);
    for (unsigned i = 1; i <= SIM_DEPLOY_BLOCK + 5; i++)
        add_block(s, c->head, c->blocks[0].time_s + 10 * i);
}

void chain_clear(struct chain *c)
{
    for (size_t i = 0; i < c->block_count; i++) {
        free(c->blocks[i].mined);
        free(c->blocks[i].logs);
    }
    for (size_t i = 0; i < c->tx_count; i++)
        buf_clear(&c->txs[i].data);
    free(c->blocks);
    free(c->states);
    free(c->txs);
    free(c->actions);
    *c = (struct chain){ 0 };
}
