/* The rules of geth's pool (core/txpool), as far as one sender meets them: order and words are geth's. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/chain.h"

#define SLOTS 16u                      /* AccountSlots: executable ones of one sender that are kept */
#define QUEUE 64u                      /* AccountQueue: behind a gap */
#define BYTES_MOST (128u * 1024u)
#define BUMP_PERCENT 110u
#define RPC_CAP_WEI ((u128)1000000000 * 1000000000)      /* --rpc.txfeecap: 1 ether */

static u128 cost(const struct sim_tx *t)
{
    return (u128)t->gas * t->max_fee + t->value;
}

static struct verdict no(enum rpc_class class, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct verdict no(enum rpc_class class, const char *format, ...)
{
    struct verdict v = { .class = class };
    va_list args;

    va_start(args, format);
    vsnprintf(v.words, sizeof v.words, format, args);
    va_end(args);
    return v;
}

static struct tx shape_of(const struct sim_tx *t)
{
    return (struct tx){ .to = t->to, .data = t->data };
}

static struct verdict check_shape(const struct chain *c, const struct sim_tx *t)
{
    struct tx shape = shape_of(t);

    if (cost(t) - t->value > RPC_CAP_WEI)
        return no(RPC_FEE_CAP, "tx fee (over 1.00 ether) exceeds the configured cap (1.00 ether)");
    if (t->bytes > BYTES_MOST)
        return no(RPC_MALFORMED, "oversized data: transaction size %" PRIu64 ", limit %" PRIu64, (uint64_t)t->bytes, (uint64_t)BYTES_MOST);
    if (t->gas > SIM_GAS_CAP)
        return no(RPC_BAD_GAS, "transaction gas limit too high (cap: %" PRIu64 ", tx: %" PRIu64 ")", (uint64_t)SIM_GAS_CAP, t->gas);
    if (t->gas > c->gas_limit)
        return no(RPC_BAD_GAS, "exceeds block gas limit");
    if (t->tip > t->max_fee)
        return no(RPC_MALFORMED, "max priority fee per gas higher than max fee per gas");
    if (t->gas < tx_intrinsic_gas(&shape))
        return no(RPC_BAD_GAS, "intrinsic gas too low: gas %" PRIu64 ", minimum needed %" PRIu64, t->gas,
                          tx_intrinsic_gas(&shape));
    if (t->gas < tx_floor_gas(&shape))
        return no(RPC_BAD_GAS, "insufficient gas for floor data gas cost: gas %" PRIu64 ", minimum needed %" PRIu64, t->gas,
                          tx_floor_gas(&shape));
    if (t->tip < 1)
        return no(RPC_PRICE_LOW, "transaction underpriced");
    return (struct verdict){ .taken = true };
}

static size_t at_nonce(const struct chain *c, const struct pool *pool, unsigned key, uint64_t nonce)
{
    for (size_t i = 0; i < pool->count; i++)
        if (c->txs[pool->tx[i]].key == key && c->txs[pool->tx[i]].nonce == nonce)
            return i;
    return SIZE_MAX;
}

uint64_t pool_next_nonce(const struct chain *c, const struct pool *pool, const struct state *st, unsigned key)
{
    uint64_t nonce = st->nonce[key];

    while (at_nonce(c, pool, key, nonce) != SIZE_MAX)
        nonce++;
    return nonce;
}

/* Of the sender's others that could be executed. */
static u128 queued_cost(const struct chain *c, const struct pool *pool, const struct state *st, const struct sim_tx *t)
{
    uint64_t end = pool_next_nonce(c, pool, st, t->key);
    u128 sum = 0;

    for (size_t i = 0; i < pool->count; i++) {
        const struct sim_tx *o = &c->txs[pool->tx[i]];

        if (o->key == t->key && o->nonce < end && o->nonce != t->nonce)
            sum += cost(o);
    }
    return sum;
}

static size_t queue_length(const struct chain *c, const struct pool *pool, unsigned key, uint64_t from)
{
    size_t n = 0;

    for (size_t i = 0; i < pool->count; i++)
        n += c->txs[pool->tx[i]].key == key && c->txs[pool->tx[i]].nonce >= from;
    return n;
}

static bool is_enough(uint64_t old, uint64_t fresh)
{
    return fresh > old && (u128)fresh * 100 >= (u128)old * BUMP_PERCENT;
}

struct verdict pool_add(const struct chain *c, struct pool *pool, const struct state *st, size_t tx)
{
    const struct sim_tx *t = &c->txs[tx];
    struct verdict v;
    uint64_t end;
    size_t same;

    for (size_t i = 0; i < pool->count; i++)
        if (pool->tx[i] == tx)
            return no(RPC_KNOWN, "already known");
    v = check_shape(c, t);
    if (!v.taken)
        return v;
    if (t->nonce < st->nonce[t->key])
        return no(RPC_NONCE_USED, "nonce too low: next nonce %" PRIu64 ", tx nonce %" PRIu64, st->nonce[t->key], t->nonce);
    if (st->ether[t->key] < cost(t))
        return no(RPC_FUNDS, "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1");
    end = pool_next_nonce(c, pool, st, t->key);
    if (t->nonce <= end && st->ether[t->key] < cost(t) + queued_cost(c, pool, st, t))
        return no(RPC_FUNDS, "insufficient funds for gas * price + value: balance 1, queued cost 1, tx cost 1, overshot 1");
    same = at_nonce(c, pool, t->key, t->nonce);
    if (same != SIZE_MAX) {
        const struct sim_tx *old = &c->txs[pool->tx[same]];

        if (!is_enough(old->max_fee, t->max_fee) || !is_enough(old->tip, t->tip))
            return no(RPC_BUMP_NEEDED, "replacement transaction underpriced");
        pool->tx[same] = tx;
        return (struct verdict){ .taken = true };
    }
    if (t->nonce == end && end - st->nonce[t->key] >= SLOTS)
        return no(RPC_POOL_FULL, "txpool is full");
    if (t->nonce > end && queue_length(c, pool, t->key, end) >= QUEUE)
        return no(RPC_POOL_FULL, "txpool is full");
    pool_put(pool, tx);
    return (struct verdict){ .taken = true };
}

void pool_put(struct pool *pool, size_t tx)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->tx[i] == tx)
            return;
    if (pool->count == POOL_MOST)
        pool_drop(pool, 0);
    pool->tx[pool->count++] = tx;
}

void pool_drop(struct pool *pool, size_t at)
{
    for (pool->count--; at < pool->count; at++)
        pool->tx[at] = pool->tx[at + 1];
}

void pool_settle(const struct chain *c, struct pool *pool, const struct state *st)
{
    for (size_t i = 0; i < pool->count;) {
        const struct sim_tx *t = &c->txs[pool->tx[i]];

        if (t->nonce < st->nonce[t->key])
            pool_drop(pool, i);
        else
            i++;
    }
}
