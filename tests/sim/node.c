/* One endpoint: a node with a head and a pool of its own, which answers JSON-RPC as geth does. */
#include "gateway/lib/secp.h"
#include "tests/sim/node_parts.h"

#define OTHER_HEIGHT UINT64_C(21000000)

/* -- the network -- */

static bool speaks_for_other(const struct sim *s, const struct node *node)
{
    return node->other_until > s->chain.blocks[s->chain.head].number;
}

static bool is_executable(const struct chain *c, const struct pool *pool, const struct state *st, size_t tx)
{
    return c->txs[tx].nonce < pool_next_nonce(c, pool, st, c->txs[tx].key);
}

static void forward(struct sim *s, struct node *node, size_t tx)
{
    const struct state *st = chain_state(&s->chain, &s->chain.blocks[node->head]);

    if (is_executable(&s->chain, &node->pool, st, tx))
        (void)pool_add(&s->chain, &s->chain.miner, chain_head_state(&s->chain), tx);
}

static void gossip(struct sim *s, struct node *node)
{
    const struct chain *c = &s->chain;
    const struct state *st = chain_state(c, &c->blocks[node->head]);

    pool_settle(c, &node->pool, st);
    for (size_t i = 0; i < c->miner.count; i++)
        if (!s->faulty || sim_chance(s, 60))
            (void)pool_add(c, &node->pool, st, c->miner.tx[i]);
    for (size_t i = 0; i < node->pool.count; i++)
        if (!s->faulty || sim_chance(s, 20))
            forward(s, node, node->pool.tx[i]);
}

static void start_window(struct sim *s, uint64_t *until, enum sim_fault f, uint64_t most)
{
    uint64_t now = s->chain.blocks[s->chain.head].number;

    if (*until <= now && sim_fault(s, f))
        *until = now + sim_between(s, 1, most);
}

void node_drop(struct node *node)
{
    for (unsigned i = 0; i < SIM_REPLICAS; i++)
        node->fresh[i] = true;
}

void node_block(struct sim *s, unsigned n)
{
    struct node *node = &s->nodes[n];
    uint64_t now = s->chain.blocks[s->chain.head].number, other = node->other_until;

    start_window(s, &node->down_until, FAULT_DOWN, 20);
    start_window(s, &node->lags_until, FAULT_LAGS, 12);
    start_window(s, &node->other_until, FAULT_OTHER_CHAIN, 10);
    start_window(s, &node->hides_until, FAULT_HIDES_RECEIPTS, 50);
    if (node->down_until > now || other != node->other_until || other == now)
        node_drop(node);
    if (node->lags_until > now || node->down_until > now)
        return;
    node->head = s->chain.head;
    if (node->pool.count > 0 && sim_fault(s, FAULT_EVICTED))
        pool_drop(&node->pool, 0);
    if (s->chain.miner.count > 0 && n == 0 && sim_fault(s, FAULT_EVICTED))
        pool_drop(&s->chain.miner, (size_t)rng_below(&s->rng, s->chain.miner.count));
    gossip(s, node);
}

/* -- taking transactions -- */

size_t node_decode(struct sim *s, const json *request)
{
    const json *params = json_member(request, "params");
    struct chain *c = &s->chain;
    struct sim_tx t = { 0 };
    struct signature sig;
    struct err err = { 0 };
    struct buf raw;
    struct tx tx;
    size_t at;

    buf_init(&raw);
    tx_init(&tx);
    if (!json_get_bytes(json_at(params, 0), &raw) || !tx_decode(raw.data, raw.len, &tx, &sig, &err)
        || !secp_recover(&sig, tx_digest(&tx), &t.from, &err))
        bug("bytes that are no transaction: %s", err.text);
    t.hash = tx_hash_of(&raw);
    t.bytes = raw.len;
    buf_clear(&raw);
    at = chain_known(c, t.hash);
    if (at != SIZE_MAX) {
        tx_clear(&tx);
        return at;
    }
    t.key = chain_key(c, t.from);
    t.to = tx.to;
    t.nonce = tx.nonce;
    t.gas = tx.gas;
    t.data = tx.data;
    if (t.key == SIM_KEYS || tx.chain_id != SIM_CHAIN_ID || !u256_to_u64(tx.max_fee.v, &t.max_fee)
        || !u256_to_u64(tx.max_priority_fee.v, &t.tip) || !u256_is_zero(tx.value.v))
        sim_fail(s, "a transaction of a strange key, chain, fee or value was sent");
    return chain_add_tx(c, &t);
}

static struct verdict take(struct sim *s, struct node *node, size_t tx)
{
    struct chain *c = &s->chain;
    struct verdict v = pool_add(c, &node->pool, chain_state(c, &c->blocks[node->head]), tx);

    if (v.taken && !sim_fault(s, FAULT_NOT_GOSSIPED))
        forward(s, node, tx);
    return v;
}

void node_receive(struct sim *s, unsigned n, size_t tx)
{
    sim_say(s, "node %u receives %02x%02x late", n, s->chain.txs[tx].hash.h.b[0], s->chain.txs[tx].hash.h.b[1]);
    (void)take(s, &s->nodes[n], tx);
}

static void send_raw(struct question *q, const json *request)
{
    struct sim *s = q->sim;
    size_t tx = node_decode(s, request);
    struct verdict v = { .taken = true };
    struct hash h = s->chain.txs[tx].hash.h;

    if (sim_fault(s, FAULT_DELEGATED))
        v = (struct verdict){ .class = RPC_DELEGATED, .words = "in-flight transaction limit reached for delegated accounts" };
    else if (sim_fault(s, FAULT_POOL_FULL))
        v = (struct verdict){ .class = RPC_POOL_FULL, .words = "txpool is full" };
    else if (sim_fault(s, FAULT_BAD_GAS_WORDS))
        v = (struct verdict){ .class = RPC_BAD_GAS, .words = "intrinsic gas too low: gas 1, minimum needed 2" };
    else if (sim_fault(s, FAULT_NONCE_LOW_WORDS))
        v = (struct verdict){ .class = RPC_NONCE_USED, .words = "nonce too low: next nonce 9, tx nonce 8" };
    else if (!sim_fault(s, FAULT_LOST_BY_NODE))
        v = take(s, q->node, tx);
    if (!v.taken) {
        answer_class(q, v.class, v.words);
        return;
    }
    if (sim_fault(s, FAULT_WRONG_HASH))
        h.b[0] ^= 1;
    answer_begin(q);
    answer_hex(q->out, h.b, sizeof h.b);
    buf_add_text(q->out, "}");
}

/* -- another chain's node -- */

static void answer_other(struct question *q, const char *method)
{
    if (strcmp(method, "eth_chainId") == 0)
        answer_number(q, 1);
    else if (strcmp(method, "eth_sendRawTransaction") == 0)
        answer_refuse(q, -32000, "invalid sender: invalid chain id for signer: have 31337 want 1");
    else if (strcmp(method, "eth_getTransactionReceipt") == 0)
        answer_text(q, "null");
    else if (strcmp(method, "eth_getLogs") == 0)
        answer_text(q, "[]");
    else if (strcmp(method, "eth_call") == 0)
        answer_text(q, "\"0x\"");
    else if (strcmp(method, "eth_getBlockByNumber") == 0)
        answer_text(q, "{\"number\":\"0x1406f40\",\"timestamp\":\"0x7fffffff\",\"gasLimit\":\"0x1c9c380\",\"baseFeePerGas\":"
                       "\"0x7\",\"hash\":\"0x1111111111111111111111111111111111111111111111111111111111111111\"}");
    else
        answer_number(q, OTHER_HEIGHT);
}

static void answer_one(struct sim *s, unsigned n, const json *request, struct buf *out)
{
    struct question q = { .sim = s, .node = &s->nodes[n], .params = json_member(request, "params"), .out = out };
    const char *method = "";
    size_t len;

    (void)!json_get_u64(json_member(request, "id"), &q.id);
    (void)!json_get_text(json_member(request, "method"), &method, &len);
    if (speaks_for_other(s, q.node))
        answer_other(&q, method);
    else if (strcmp(method, "eth_chainId") == 0)
        answer_number(&q, SIM_CHAIN_ID);
    else if (sim_fault(s, FAULT_SYNCING))
        answer_class(&q, RPC_DOWN, "node is syncing");
    else if (strcmp(method, "eth_getBlockByNumber") == 0 || strcmp(method, "eth_getBlockByHash") == 0)
        ask_block(&q, json_at(q.params, 0));
    else if (strcmp(method, "eth_getTransactionCount") == 0)
        ask_nonce(&q);
    else if (strcmp(method, "eth_getBalance") == 0)
        ask_balance(&q);
    else if (strcmp(method, "eth_call") == 0)
        ask_call(&q);
    else if (strcmp(method, "eth_estimateGas") == 0)
        ask_gas(&q);
    else if (strcmp(method, "eth_feeHistory") == 0)
        ask_fees(&q);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0)
        ask_receipt(&q);
    else if (strcmp(method, "eth_getLogs") == 0)
        ask_logs(&q);
    else if (strcmp(method, "eth_sendRawTransaction") == 0)
        send_raw(&q, request);
    else
        answer_refuse(&q, -32601, "the method does not exist/is not available");
}

void node_answer(struct sim *s, unsigned n, const json *request, struct buf *out)
{
    if (json_kind_of(request) != JSON_KIND_ARRAY) {
        answer_one(s, n, request, out);
        return;
    }
    buf_add_text(out, "[");
    for (size_t i = 0; i < json_count(request); i++) {
        buf_add_text(out, i > 0 ? "," : "");
        answer_one(s, n, json_at(request, i), out);
    }
    buf_add_text(out, "]");
}
