/* One endpoint: a node with a head and a pool of its own, which answers JSON-RPC as geth does. */
#include "gateway/base/hex.h"
#include "gateway/lib/json.h"
#include "gateway/lib/secp.h"
#include "tests/sim/node.h"

#define OTHER_HEIGHT UINT64_C(21000000)
#define RANGE_MOST 40u

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

void node_block(struct sim *s, unsigned n)
{
    struct node *node = &s->nodes[n];
    uint64_t now = s->chain.blocks[s->chain.head].number, other = node->other_until;

    start_window(s, &node->down_until, FAULT_DOWN, 20);
    start_window(s, &node->lags_until, FAULT_LAGS, 12);
    start_window(s, &node->other_until, FAULT_OTHER_CHAIN, 10);
    start_window(s, &node->hides_until, FAULT_HIDES_RECEIPTS, 50);
    if (node->down_until > now || other != node->other_until || other == now)
        node->fresh = true;
    if (node->lags_until > now || node->down_until > now)
        return;
    node->head = s->chain.head;
    if (node->pool.count > 0 && sim_fault(s, FAULT_EVICTED))
        pool_drop(&node->pool, 0);
    if (s->chain.miner.count > 0 && n == 0 && sim_fault(s, FAULT_EVICTED))
        pool_drop(&s->chain.miner, (size_t)rng_below(&s->rng, s->chain.miner.count));
    gossip(s, node);
}

/* -- answering -- */

struct question {
    struct sim *sim;
    struct node *node;
    const json *params;
    uint64_t id;
    struct buf *out;
};

static void begin(struct question *q)
{
    buf_printf(q->out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":", (unsigned long long)q->id);
}

static void answer_text(struct question *q, const char *raw)
{
    begin(q);
    buf_add_text(q->out, raw);
    buf_add_text(q->out, "}");
}

static void answer_number(struct question *q, uint64_t v)
{
    begin(q);
    buf_printf(q->out, "\"0x%llx\"}", (unsigned long long)v);
}

static void add_hex(struct buf *out, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = bytes;

    buf_add_text(out, "\"0x");
    for (size_t i = 0; i < len; i++) {
        buf_add_byte(out, (uint8_t)digits[b[i] >> 4]);
        buf_add_byte(out, (uint8_t)digits[b[i] & 15]);
    }
    buf_add_text(out, "\"");
}

static void refuse_data(struct question *q, int code, const char *words, const struct buf *data)
{
    json *text = json_new_text(words);

    buf_printf(q->out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"error\":{\"code\":%d,\"message\":", (unsigned long long)q->id,
               code);
    json_write(text, q->out);
    if (data != NULL) {
        buf_add_text(q->out, ",\"data\":");
        add_hex(q->out, data->data, data->len);
    }
    buf_add_text(q->out, "}}");
    json_free(text);
    sim_say(q->sim, "  answers: %s", words);
}

static void refuse(struct question *q, int code, const char *words)
{
    refuse_data(q, code, words, NULL);
}

/* As this node's client would say it. */
static void refuse_class(struct question *q, enum rpc_class class, const char *geths)
{
    int code = -32000;
    const char *words = geths;

    if (!q->node->geth || words == NULL)
        words = words_for(q->sim, class, &code);
    refuse(q, code, words);
}

static struct address address_of(const json *v)
{
    struct address a = { { 0 } };

    (void)!json_get_address(v, &a);
    return a;
}

/* The block that a parameter names, on this node's branch; NULL: it has none.  *old: not the latest. */
static const struct block_ *block_of(struct question *q, const json *v, bool *old)
{
    const struct chain *c = &q->sim->chain;
    const struct block_ *head = &c->blocks[q->node->head];
    uint64_t number, lag = q->sim->plan.finality_lag;
    const char *text;
    struct u256 wide;
    struct hash h;
    size_t len;

    *old = false;
    if (v == NULL || (json_get_text(v, &text, &len) && (strcmp(text, "latest") == 0 || strcmp(text, "pending") == 0)))
        return head;
    *old = true;
    if (json_get_text(v, &text, &len) && (strcmp(text, "finalized") == 0 || strcmp(text, "safe") == 0))
        return lag > 0 && head->number >= lag ? chain_at(c, q->node->head, head->number - lag) : NULL;
    if (json_get_hash(v, &h) || json_get_hash(json_member(v, "blockHash"), &h)) {
        for (const struct block_ *b = head; b->number > 0; b = &c->blocks[b->parent])
            if (hash_eq(b->hash, h))
                return b;
        return NULL;
    }
    if (json_member(v, "blockNumber") != NULL)
        v = json_member(v, "blockNumber");
    if (!json_get_quantity(v, &wide) || !u256_to_u64(wide, &number))
        return NULL;
    *old = number < head->number;
    return chain_at(c, q->node->head, number);
}

/* The state that a parameter names; NULL: answered with why not. */
static const struct state *state_of(struct question *q, const json *v, const struct block_ **block)
{
    bool old;

    *block = block_of(q, v, &old);
    if (*block == NULL) {
        refuse(q, -32000, "header not found");
        return NULL;
    }
    if (old && sim_fault(q->sim, FAULT_NO_STATE)) {
        refuse(q, -32000, "missing trie node 5f3c (path ) state 0x5f3c is not available, not found");
        return NULL;
    }
    return chain_state(&q->sim->chain, *block);
}

static void get_block(struct question *q, const json *which)
{
    bool old;
    const struct block_ *b = block_of(q, which, &old);
    const char *text;
    size_t len;

    if (b == NULL && json_get_text(which, &text, &len) && strcmp(text, "finalized") == 0) {
        refuse(q, -39001, "finalized block not found");
        return;
    }
    if (b == NULL) {
        answer_text(q, "null");
        return;
    }
    begin(q);
    buf_printf(q->out, "{\"number\":\"0x%llx\",\"timestamp\":\"0x%llx\",\"gasLimit\":\"0x%llx\",\"baseFeePerGas\":\"0x%llx\","
                       "\"hash\":", (unsigned long long)b->number, (unsigned long long)b->time_s,
               (unsigned long long)q->sim->chain.gas_limit, (unsigned long long)b->base_fee);
    add_hex(q->out, b->hash.b, sizeof b->hash.b);
    if (b->number > 0) {
        buf_add_text(q->out, ",\"parentHash\":");
        add_hex(q->out, q->sim->chain.blocks[b->parent].hash.b, sizeof b->hash.b);
    }
    buf_add_text(q->out, "}}");
}

static unsigned key_of(const struct chain *c, struct address a)
{
    unsigned k = 0;

    while (k < SIM_KEYS && !address_eq(c->keys[k], a))
        k++;
    return k;
}

static void get_nonce(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    unsigned key = key_of(c, address_of(json_at(q->params, 0)));
    const struct block_ *b;
    const struct state *st = state_of(q, json_at(q->params, 1), &b);
    const char *tag;
    size_t len;

    if (st == NULL)
        return;
    if (key == SIM_KEYS)
        answer_number(q, 0);
    else if (json_get_text(json_at(q->params, 1), &tag, &len) && strcmp(tag, "pending") == 0
             && !sim_fault(q->sim, FAULT_PENDING_STUCK))
        answer_number(q, pool_next_nonce(c, &q->node->pool, st, key));
    else
        answer_number(q, st->nonce[key]);
}

static void get_balance(struct question *q)
{
    unsigned key = key_of(&q->sim->chain, address_of(json_at(q->params, 0)));
    const struct block_ *b;
    const struct state *st = state_of(q, json_at(q->params, 1), &b);
    u128 wei = st != NULL && key < SIM_KEYS ? st->ether[key] : 0;

    if (st == NULL)
        return;
    begin(q);
    if (wei >> 64 != 0)
        buf_printf(q->out, "\"0x%llx%016llx\"}", (unsigned long long)(wei >> 64), (unsigned long long)wei);
    else
        buf_printf(q->out, "\"0x%llx\"}", (unsigned long long)wei);
}

static bool call_data(const json *call, struct buf *data)
{
    const json *v = json_member(call, "data");

    return json_get_bytes(v != NULL ? v : json_member(call, "input"), data);
}

/* Runs a call on a copy of the state; false: answered with why not. */
static bool try_call(struct question *q, const json *which, struct execution *x, struct state *copy)
{
    const json *call = json_at(q->params, 0);
    const struct block_ *b;
    const struct state *st = state_of(q, which, &b);
    struct buf data;
    bool ok;

    if (st == NULL)
        return false;
    *copy = *st;
    *x = (struct execution){ .chain = &q->sim->chain, .state = copy, .from = address_of(json_member(call, "from")),
                             .time_s = b->time_s };
    buf_init(&data);
    (void)!call_data(call, &data);
    ok = contract_run(x, address_of(json_member(call, "to")), data.data, data.len);
    buf_clear(&data);
    if (ok)
        return true;
    refuse_data(q, 3, "execution reverted", &x->result);
    buf_clear(&x->result);
    return false;
}

static void eth_call(struct question *q)
{
    struct execution x;
    struct state copy;

    if (!try_call(q, json_at(q->params, 1), &x, &copy))
        return;
    begin(q);
    add_hex(q->out, x.result.data, x.result.len);
    buf_add_text(q->out, "}");
    buf_clear(&x.result);
}

static void estimate_gas(struct question *q)
{
    struct execution x;
    struct state copy;

    if (!try_call(q, NULL, &x, &copy))
        return;
    if (x.gas > q->sim->chain.gas_limit)
        refuse(q, -32000, "gas required exceeds allowance (30000000)");
    else
        answer_number(q, x.gas);
    buf_clear(&x.result);
}

static void fee_history(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    const struct block_ *head = &c->blocks[q->node->head], *first;
    bool lies = sim_fault(q->sim, FAULT_FEE_LIE);
    uint64_t count;
    struct u256 wide;

    if (!json_get_quantity(json_at(q->params, 0), &wide) || !u256_to_u64(wide, &count) || count > head->number)
        count = 1;
    first = chain_at(c, q->node->head, head->number + 1 - count);
    begin(q);
    buf_printf(q->out, "{\"oldestBlock\":\"0x%llx\",\"gasUsedRatio\":[", (unsigned long long)first->number);
    for (uint64_t i = 0; i < count; i++)
        buf_printf(q->out, "%s0.5", i > 0 ? "," : "");
    buf_add_text(q->out, "],\"baseFeePerGas\":[");
    for (uint64_t i = 0; i < count; i++)
        buf_printf(q->out, "\"0x%llx\",",
                   (unsigned long long)chain_at(c, q->node->head, first->number + i)->base_fee);
    buf_printf(q->out, "\"0x%llx\"],\"reward\":[",
               (unsigned long long)(q->node->head == c->head ? c->next_base_fee : head->base_fee));
    for (uint64_t i = 0; i < count; i++) {
        buf_add_text(q->out, i > 0 ? ",[" : "[");
        if (lies)
            buf_printf(q->out, "\"0x8%063d\"]", 0);
        else
            buf_printf(q->out, "\"0x%llx\"]", (unsigned long long)chain_at(c, q->node->head, first->number + i)->tip);
    }
    buf_add_text(q->out, "]}}");
}

static void add_log(struct question *q, const struct block_ *b, const struct mined *m, size_t index)
{
    const struct sim_log *log = &b->logs[index];
    struct buf *out = q->out;

    buf_add_text(out, "{\"address\":");
    add_hex(out, log->address.b, sizeof log->address.b);
    buf_add_text(out, ",\"topics\":[");
    for (unsigned i = 0; i < log->topic_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        add_hex(out, log->topics[i].b, sizeof log->topics[i].b);
    }
    buf_add_text(out, "],\"data\":");
    add_hex(out, log->data, log->len);
    buf_printf(out, ",\"blockNumber\":\"0x%llx\",\"logIndex\":\"0x%llx\",\"removed\":false,\"blockHash\":",
               (unsigned long long)b->number, (unsigned long long)index);
    add_hex(out, b->hash.b, sizeof b->hash.b);
    buf_add_text(out, ",\"transactionHash\":");
    add_hex(out, q->sim->chain.txs[m->tx].hash.h.b, 32);
    buf_add_text(out, "}");
}

static void get_receipt(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    struct tx_hash hash = { { { 0 } } };
    const struct block_ *b = NULL;
    const struct mined *m;
    const struct sim_tx *t;

    (void)!json_get_hash(json_at(q->params, 0), &hash.h);
    m = chain_find(c, q->node->head, hash, &b);
    if (m == NULL || sim_fault(q->sim, FAULT_NULL_RECEIPT) || q->node->hides_until > c->blocks[c->head].number) {
        answer_text(q, "null");
        return;
    }
    t = &c->txs[m->tx];
    begin(q);
    buf_printf(q->out, "{\"status\":\"0x%d\",\"blockNumber\":\"0x%llx\",\"gasUsed\":\"0x%llx\","
                       "\"effectiveGasPrice\":\"0x%llx\",\"contractAddress\":null,\"transactionHash\":", m->success,
               (unsigned long long)b->number, (unsigned long long)m->gas_used, (unsigned long long)m->price);
    add_hex(q->out, t->hash.h.b, 32);
    buf_add_text(q->out, ",\"blockHash\":");
    add_hex(q->out, b->hash.b, 32);
    buf_add_text(q->out, ",\"from\":");
    add_hex(q->out, t->from.b, 20);
    buf_add_text(q->out, ",\"to\":");
    add_hex(q->out, t->to.b, 20);
    buf_add_text(q->out, ",\"logs\":[");
    for (size_t i = 0; i < m->log_count; i++) {
        buf_add_text(q->out, i > 0 ? "," : "");
        add_log(q, b, m, m->first_log + i);
    }
    buf_add_text(q->out, "]}}");
}

static bool log_matches(const struct sim_log *log, const json *filter)
{
    const json *topics = json_member(filter, "topics");
    struct hash wanted;

    if (!address_eq(log->address, address_of(json_member(filter, "address"))) || log->topic_count < json_count(topics))
        return false;
    for (size_t i = 0; i < json_count(topics); i++)
        if (json_get_hash(json_at(topics, i), &wanted) && !hash_eq(wanted, log->topics[i]))
            return false;
    return true;
}

static uint64_t number_in(const json *filter, const char *name)
{
    struct u256 wide;
    uint64_t v = 0;

    return json_get_quantity(json_member(filter, name), &wide) && u256_to_u64(wide, &v) ? v : 0;
}

static void get_logs(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    const json *filter = json_at(q->params, 0);
    uint64_t from = number_in(filter, "fromBlock"), to = number_in(filter, "toBlock");
    uint64_t top = c->blocks[q->node->head].number;
    bool hides = sim_fault(q->sim, FAULT_NO_LOGS), any = false;

    if (to - from >= RANGE_MOST && sim_fault(q->sim, FAULT_LOGS_RANGE)) {
        refuse(q, -32000, "block range too large");
        return;
    }
    begin(q);
    buf_add_text(q->out, "[");
    for (uint64_t number = from; !hides && number <= to && number <= top; number++) {
        const struct block_ *b = chain_at(c, q->node->head, number);

        for (size_t i = 0; i < b->mined_count; i++)
            for (size_t k = 0; k < b->mined[i].log_count; k++)
                if (log_matches(&b->logs[b->mined[i].first_log + k], filter)) {
                    buf_add_text(q->out, any ? "," : "");
                    add_log(q, b, &b->mined[i], b->mined[i].first_log + k);
                    any = true;
                }
    }
    buf_add_text(q->out, "]}");
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
    t.key = key_of(c, t.from);
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
        refuse_class(q, v.class, v.words);
        return;
    }
    if (sim_fault(s, FAULT_WRONG_HASH))
        h.b[0] ^= 1;
    begin(q);
    add_hex(q->out, h.b, sizeof h.b);
    buf_add_text(q->out, "}");
}

/* -- another chain's node -- */

static void answer_other(struct question *q, const char *method)
{
    if (strcmp(method, "eth_chainId") == 0)
        answer_number(q, 1);
    else if (strcmp(method, "eth_sendRawTransaction") == 0)
        refuse(q, -32000, "invalid sender: invalid chain id for signer: have 31337 want 1");
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
        refuse_class(&q, RPC_DOWN, "node is syncing");
    else if (strcmp(method, "eth_getBlockByNumber") == 0 || strcmp(method, "eth_getBlockByHash") == 0)
        get_block(&q, json_at(q.params, 0));
    else if (strcmp(method, "eth_getTransactionCount") == 0)
        get_nonce(&q);
    else if (strcmp(method, "eth_getBalance") == 0)
        get_balance(&q);
    else if (strcmp(method, "eth_call") == 0)
        eth_call(&q);
    else if (strcmp(method, "eth_estimateGas") == 0)
        estimate_gas(&q);
    else if (strcmp(method, "eth_feeHistory") == 0)
        fee_history(&q);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0)
        get_receipt(&q);
    else if (strcmp(method, "eth_getLogs") == 0)
        get_logs(&q);
    else if (strcmp(method, "eth_sendRawTransaction") == 0)
        send_raw(&q, request);
    else
        bug("the simulated node does not know %s", method);
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
