#include "chain/rpc_parts.h"

/* Parameters and results are those of the Ethereum execution-apis. */

json *rpc_quantity(uint64_t v)
{
    char text[67];

    u256_to_quantity(u256_from_u64(v), text);
    return json_new_text(text);
}

json *rpc_params(json *owned_first, json *owned_second)
{
    json *list = json_new_array();

    if (owned_first != NULL)
        json_add(list, owned_first);
    if (owned_second != NULL)
        json_add(list, owned_second);
    return list;
}

/* ---- asking ---- */

static bool ask(struct rpc *rpc, const struct rpc_type *type, const char *method, json *owned_params, void *value,
                struct err *err)
{
    struct rpc_question q = rpc_question(rpc, type, method, owned_params);
    bool ok = rpc_ask(rpc, &q, value, err);

    rpc_question_clear(&q);
    return ok;
}

static bool agree(struct rpc *rpc, const struct rpc_type *type, const char *method, json *owned_params, const void *of,
                  void *value, struct err *err)
{
    struct rpc_question q = rpc_question(rpc, type, method, owned_params);
    bool ok;

    q.of = of;
    ok = rpc_agree(rpc, &q, value, err);
    rpc_question_clear(&q);
    return ok;
}

/* As of the latest block: where there are several endpoints, of the one that two have. */
static bool agree_latest(struct rpc *rpc, const struct rpc_type *type, const char *method, json *owned_what, void *value,
                         struct err *err)
{
    struct rpc_question q;
    bool at_head, ok;
    json *latest;

    if (!rpc_latest(rpc, &latest, &at_head, err)) {
        json_free(owned_what);
        return err_prefix(err, "%s", method);
    }
    q = rpc_question(rpc, type, method, rpc_params(owned_what, latest));
    q.at_head = at_head;
    ok = rpc_agree(rpc, &q, value, err);
    rpc_question_clear(&q);
    return ok;
}

/* Bytes are appended to the caller's. */
static bool take_bytes(struct buf *owned, struct buf *bytes, struct err *err)
{
    bool ok = buf_add(bytes, owned->data, owned->len);

    buf_clear(owned);
    return ok || err_set(err, ERR_LIMIT, "an answer over %zu bytes", bytes->max);
}

bool rpc_chain_id(struct rpc *rpc, uint64_t *id, struct err *err)
{
    return ask(rpc, &rpc_type_u64, "eth_chainId", rpc_params(NULL, NULL), id, err);
}

/* ---- blocks ---- */

static const char *tag_name(enum block_tag tag)
{
    switch (tag) {
    case BLOCK_LATEST:    return "latest";
    case BLOCK_FINALIZED: return "finalized";
    case BLOCK_PENDING:   return "pending";
    }
    bug("block tag %d", (int)tag);
}

/* Of a single endpoint, which nobody compares. */
static void note_block(struct rpc *rpc, enum block_tag tag, const struct rpc_block_value *value)
{
    if (value->found && tag == BLOCK_LATEST)
        rpc_note_head(rpc, &rpc->endpoints[0], value->block.number, value->block.number);
    else if (value->found && tag == BLOCK_FINALIZED)
        rpc_note_finalized(rpc, &rpc->endpoints[0], value->block.number);
}

static bool take_block(const struct rpc_block_value *value, struct block *block, struct err *err)
{
    if (!value->found)
        return err_set(err, ERR_NOT_FOUND, "the node has no such block");
    *block = value->block;
    return true;
}

bool rpc_block(struct rpc *rpc, enum block_tag tag, struct block *block, struct err *err)
{
    struct rpc_block_value value;

    if (rpc->endpoint_count > 1 && tag == BLOCK_LATEST)
        return rpc_agreed_head(rpc, block, err);
    if (rpc->endpoint_count > 1 && tag == BLOCK_FINALIZED)
        return rpc_agreed_finalized(rpc, block, err);
    if (ask(rpc, &rpc_type_block, "eth_getBlockByNumber", rpc_params(json_new_text(tag_name(tag)), json_new_bool(false)),
            &value, err)) {
        note_block(rpc, tag, &value);
        return take_block(&value, block, err);
    }
    /* A node that does not know a tag calls it a bad parameter, or "finalized block not found". */
    if (err->code == ERR_CHAIN && tag != BLOCK_LATEST)
        err->code = ERR_NOT_FOUND;
    return false;
}

bool rpc_block_at(struct rpc *rpc, uint64_t number, struct block *block, struct err *err)
{
    struct rpc_block_value value;

    return agree(rpc, &rpc_type_block, "eth_getBlockByNumber", rpc_params(rpc_quantity(number), json_new_bool(false)),
                 &number, &value, err)
        && take_block(&value, block, err);
}

/* ---- accounts ---- */

static bool pending_nonce(struct rpc *rpc, struct address account, uint64_t *nonce, struct err *err)
{
    struct rpc_question q = rpc_question(rpc, &rpc_type_u64, "eth_getTransactionCount",
                                         rpc_params(json_new_address(account), json_new_text("pending")));
    bool ok = rpc->endpoint_count > 1 ? rpc_second_highest(rpc, &q, nonce, err) : rpc_ask(rpc, &q, nonce, err);

    rpc_question_clear(&q);
    return ok;
}

bool rpc_nonce(struct rpc *rpc, struct address account, enum block_tag tag, uint64_t *nonce, struct err *err)
{
    switch (tag) {
    case BLOCK_LATEST:
        return agree_latest(rpc, &rpc_type_u64, "eth_getTransactionCount", json_new_address(account), nonce, err);
    case BLOCK_PENDING:
        return pending_nonce(rpc, account, nonce, err);
    case BLOCK_FINALIZED:
        return agree(rpc, &rpc_type_u64, "eth_getTransactionCount",
                     rpc_params(json_new_address(account), json_new_text(tag_name(tag))), NULL, nonce, err);
    }
    bug("block tag %d", (int)tag);
}

bool rpc_nonce_at(struct rpc *rpc, struct address account, uint64_t block, uint64_t *nonce, struct err *err)
{
    return agree(rpc, &rpc_type_u64, "eth_getTransactionCount",
                 rpc_params(json_new_address(account), rpc_quantity(block)), NULL, nonce, err);
}

bool rpc_balance(struct rpc *rpc, struct address account, struct wei *balance, struct err *err)
{
    return agree_latest(rpc, &rpc_type_wei, "eth_getBalance", json_new_address(account), balance, err);
}

bool rpc_code(struct rpc *rpc, struct address account, struct buf *code, struct err *err)
{
    struct buf value;

    return agree_latest(rpc, &rpc_type_bytes, "eth_getCode", json_new_address(account), &value, err)
        && take_bytes(&value, code, err);
}

/* ---- calls ---- */

json *rpc_call_object(const struct address *from, const struct address *to, const struct buf *data)
{
    json *call = json_new_object();

    if (from != NULL)
        json_put_address(call, "from", *from);
    if (to != NULL)
        json_put_address(call, "to", *to);
    /* "data" is the old name of "input"; all nodes take it, some old ones nothing else. */
    json_put(call, "data", json_new_hex(data->data, data->len));
    return call;
}

bool rpc_call(struct rpc *rpc, const struct address *from, struct address to, const struct buf *data,
              struct buf *result, struct err *err)
{
    struct buf value;

    return agree_latest(rpc, &rpc_type_bytes, "eth_call", rpc_call_object(from, &to, data), &value, err)
        && take_bytes(&value, result, err);
}

bool rpc_call_at(struct rpc *rpc, struct address to, const struct buf *data, uint64_t block, struct buf *result,
                 struct err *err)
{
    struct buf value;

    return agree(rpc, &rpc_type_bytes, "eth_call", rpc_params(rpc_call_object(NULL, &to, data), rpc_quantity(block)), NULL,
                 &value, err)
        && take_bytes(&value, result, err);
}

bool rpc_estimate_gas(struct rpc *rpc, struct address from, const struct address *to, const struct buf *data,
                      uint64_t *gas, struct err *err)
{
    return ask(rpc, &rpc_type_u64, "eth_estimateGas", rpc_params(rpc_call_object(&from, to, data), NULL), gas, err);
}

bool rpc_fee_history(struct rpc *rpc, unsigned blocks, unsigned percentile, struct fee_history *history,
                     struct err *err)
{
    json *percentiles = json_new_array(), *list;

    json_add(percentiles, json_new_u64(percentile));
    list = rpc_params(rpc_quantity(blocks), json_new_text("latest"));
    json_add(list, percentiles);
    return ask(rpc, &rpc_type_fees, "eth_feeHistory", list, history, err);
}

/* ---- receipts and logs ---- */

bool rpc_tx_receipt(struct rpc *rpc, struct tx_hash hash, struct tx_receipt *receipt, struct err *err)
{
    struct rpc_receipt_of of = { .hash = hash, .has_head = rpc->endpoint_count > 1 };
    struct block head = { 0 };

    if (of.has_head && !rpc_agreed_head(rpc, &head, err))
        return err_prefix(err, "eth_getTransactionReceipt");
    of.head = head.number;
    return agree(rpc, &rpc_type_receipt, "eth_getTransactionReceipt", rpc_params(json_new_hash(hash.h), NULL), &of, receipt,
                 err);
}

static json *log_filter(const struct rpc_logs_of *of)
{
    json *filter = json_new_object(), *wanted = json_new_array();

    json_put_address(filter, "address", of->address);
    json_put(filter, "fromBlock", rpc_quantity(of->from_block));
    json_put(filter, "toBlock", rpc_quantity(of->to_block));
    for (size_t i = 0; i < of->topic_count; i++)
        json_add(wanted, of->topics[i] != NULL ? json_new_hash(*of->topics[i]) : json_new_null());
    json_put(filter, "topics", wanted);
    return filter;
}

bool rpc_logs(struct rpc *rpc, struct address address, const struct hash *const *topics, size_t topic_count,
              uint64_t from_block, uint64_t to_block, struct logs *logs, struct err *err)
{
    struct rpc_logs_of of = { address, topics, topic_count, from_block, to_block };

    return agree(rpc, &rpc_type_logs, "eth_getLogs", rpc_params(log_filter(&of), NULL), &of, logs, err);
}
