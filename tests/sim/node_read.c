/* Questions to a node, answered from the branch that it follows. */
#include "tests/sim/node_parts.h"

#define RANGE_MOST 40u

/* -- answering -- */

void answer_begin(struct question *q)
{
    buf_printf(q->out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":", (unsigned long long)q->id);
}

void answer_text(struct question *q, const char *raw)
{
    answer_begin(q);
    buf_add_text(q->out, raw);
    buf_add_text(q->out, "}");
}

void answer_number(struct question *q, uint64_t v)
{
    answer_begin(q);
    buf_printf(q->out, "\"0x%llx\"}", (unsigned long long)v);
}

void answer_hex(struct buf *out, const void *bytes, size_t len)
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
        answer_hex(q->out, data->data, data->len);
    }
    buf_add_text(q->out, "}}");
    json_free(text);
    sim_say(q->sim, "  answers: %s", words);
}

void answer_refuse(struct question *q, int code, const char *words)
{
    refuse_data(q, code, words, NULL);
}

/* As this node's client would say it. */
void answer_class(struct question *q, enum rpc_class class, const char *geths)
{
    int code = -32000;
    const char *words = geths;

    if (!q->node->geth || words == NULL)
        words = words_for(q->sim, class, &code);
    answer_refuse(q, code, words);
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
        answer_refuse(q, -32000, "header not found");
        return NULL;
    }
    if (old && sim_fault(q->sim, FAULT_NO_STATE)) {
        answer_refuse(q, -32000, "missing trie node 5f3c (path ) state 0x5f3c is not available, not found");
        return NULL;
    }
    return chain_state(&q->sim->chain, *block);
}

void ask_block(struct question *q, const json *which)
{
    bool old;
    const struct block_ *b = block_of(q, which, &old);
    const char *text;
    size_t len;

    if (b == NULL && json_get_text(which, &text, &len) && strcmp(text, "finalized") == 0) {
        answer_refuse(q, -39001, "finalized block not found");
        return;
    }
    if (b == NULL) {
        answer_text(q, "null");
        return;
    }
    answer_begin(q);
    buf_printf(q->out, "{\"number\":\"0x%llx\",\"timestamp\":\"0x%llx\",\"gasLimit\":\"0x%llx\",\"baseFeePerGas\":\"0x%llx\","
                       "\"hash\":", (unsigned long long)b->number, (unsigned long long)b->time_s,
               (unsigned long long)q->sim->chain.gas_limit, (unsigned long long)b->base_fee);
    answer_hex(q->out, b->hash.b, sizeof b->hash.b);
    if (b->number > 0) {
        buf_add_text(q->out, ",\"parentHash\":");
        answer_hex(q->out, q->sim->chain.blocks[b->parent].hash.b, sizeof b->hash.b);
    }
    buf_add_text(q->out, "}}");
}

void ask_nonce(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    unsigned key = chain_key(c, address_of(json_at(q->params, 0)));
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

void ask_balance(struct question *q)
{
    unsigned key = chain_key(&q->sim->chain, address_of(json_at(q->params, 0)));
    const struct block_ *b;
    const struct state *st = state_of(q, json_at(q->params, 1), &b);
    u128 wei = st != NULL && key < SIM_KEYS ? st->ether[key] : 0;

    if (st == NULL)
        return;
    answer_begin(q);
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

void ask_call(struct question *q)
{
    struct execution x;
    struct state copy;

    if (!try_call(q, json_at(q->params, 1), &x, &copy))
        return;
    answer_begin(q);
    answer_hex(q->out, x.result.data, x.result.len);
    buf_add_text(q->out, "}");
    buf_clear(&x.result);
}

void ask_gas(struct question *q)
{
    struct execution x;
    struct state copy;

    if (!try_call(q, NULL, &x, &copy))
        return;
    if (x.gas > q->sim->chain.gas_limit)
        answer_refuse(q, -32000, "gas required exceeds allowance (30000000)");
    else
        answer_number(q, x.gas);
    buf_clear(&x.result);
}

void ask_fees(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    const struct block_ *head = &c->blocks[q->node->head], *first;
    bool lies = sim_fault(q->sim, FAULT_FEE_LIE);
    uint64_t count;
    struct u256 wide;

    if (!json_get_quantity(json_at(q->params, 0), &wide) || !u256_to_u64(wide, &count) || count > head->number)
        count = 1;
    first = chain_at(c, q->node->head, head->number + 1 - count);
    answer_begin(q);
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
    answer_hex(out, log->address.b, sizeof log->address.b);
    buf_add_text(out, ",\"topics\":[");
    for (unsigned i = 0; i < log->topic_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        answer_hex(out, log->topics[i].b, sizeof log->topics[i].b);
    }
    buf_add_text(out, "],\"data\":");
    answer_hex(out, log->data, log->len);
    buf_printf(out, ",\"blockNumber\":\"0x%llx\",\"logIndex\":\"0x%llx\",\"removed\":false,\"blockHash\":",
               (unsigned long long)b->number, (unsigned long long)index);
    answer_hex(out, b->hash.b, sizeof b->hash.b);
    buf_add_text(out, ",\"transactionHash\":");
    answer_hex(out, q->sim->chain.txs[m->tx].hash.h.b, 32);
    buf_add_text(out, "}");
}

void ask_receipt(struct question *q)
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
    answer_begin(q);
    buf_printf(q->out, "{\"status\":\"0x%d\",\"blockNumber\":\"0x%llx\",\"gasUsed\":\"0x%llx\","
                       "\"effectiveGasPrice\":\"0x%llx\",\"contractAddress\":null,\"transactionHash\":", m->success,
               (unsigned long long)b->number, (unsigned long long)m->gas_used, (unsigned long long)m->price);
    answer_hex(q->out, t->hash.h.b, 32);
    buf_add_text(q->out, ",\"blockHash\":");
    answer_hex(q->out, b->hash.b, 32);
    buf_add_text(q->out, ",\"from\":");
    answer_hex(q->out, t->from.b, 20);
    buf_add_text(q->out, ",\"to\":");
    answer_hex(q->out, t->to.b, 20);
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

void ask_logs(struct question *q)
{
    const struct chain *c = &q->sim->chain;
    const json *filter = json_at(q->params, 0);
    uint64_t from = number_in(filter, "fromBlock"), to = number_in(filter, "toBlock");
    uint64_t top = c->blocks[q->node->head].number;
    bool hides = sim_fault(q->sim, FAULT_NO_LOGS), any = false;

    if (to - from >= RANGE_MOST && sim_fault(q->sim, FAULT_LOGS_RANGE)) {
        answer_refuse(q, -32000, "block range too large");
        return;
    }
    answer_begin(q);
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
