#include "chain/rpc_parts.h"

/* Parameters and results are those of the Ethereum execution-apis. */

static json *quantity(uint64_t v)
{
    char text[67];

    u256_to_quantity(u256_from_u64(v), text);
    return json_new_text(text);
}

static const char *tag_name(enum block_tag tag)
{
    switch (tag) {
    case BLOCK_LATEST:    return "latest";
    case BLOCK_FINALIZED: return "finalized";
    case BLOCK_PENDING:   return "pending";
    }
    bug("block tag %d", (int)tag);
}

/* A list of one or two; NULL ends it. */
static json *params(json *first, json *second)
{
    json *list = json_new_array();

    if (first != NULL)
        json_add(list, first);
    if (second != NULL)
        json_add(list, second);
    return list;
}

static bool ask_u64(struct rpc *rpc, const char *method, json *owned_params, uint64_t *number, struct err *err)
{
    json *result;
    bool ok;

    if (!rpc_ask(rpc, method, owned_params, &result, err))
        return false;
    ok = rpc_read_u64(result, method, number, err);
    json_free(result);
    return ok;
}

static bool ask_bytes(struct rpc *rpc, const char *method, json *owned_params, struct buf *bytes, struct err *err)
{
    json *result;
    bool ok;

    if (!rpc_ask(rpc, method, owned_params, &result, err))
        return false;
    ok = rpc_read_bytes(result, method, bytes, err);
    json_free(result);
    return ok;
}

bool rpc_chain_id(struct rpc *rpc, uint64_t *id, struct err *err)
{
    return ask_u64(rpc, "eth_chainId", params(NULL, NULL), id, err);
}

static bool ask_block(struct rpc *rpc, json *owned_which, struct block *block, struct err *err)
{
    json *result;
    bool ok;

    if (!rpc_ask(rpc, "eth_getBlockByNumber", params(owned_which, json_new_bool(false)), &result, err))
        return false;
    if (json_kind_of(result) == JSON_KIND_NULL)
        ok = err_set(err, ERR_NOT_FOUND, "the node has no such block");
    else
        ok = rpc_read_block(result, block, err);
    json_free(result);
    return ok;
}

bool rpc_block(struct rpc *rpc, enum block_tag tag, struct block *block, struct err *err)
{
    if (ask_block(rpc, json_new_text(tag_name(tag)), block, err))
        return true;
    /* A node that does not know a tag calls it a bad parameter, or "finalized block not found". */
    if (err->code == ERR_CHAIN && tag != BLOCK_LATEST)
        err->code = ERR_NOT_FOUND;
    return false;
}

bool rpc_block_at(struct rpc *rpc, uint64_t number, struct block *block, struct err *err)
{
    struct block got;

    if (!ask_block(rpc, quantity(number), &got, err))
        return false;
    if (got.number != number)
        return err_set(err, ERR_INVALID, "the node answers with block %llu instead of %llu",
                       (unsigned long long)got.number, (unsigned long long)number);
    *block = got;
    return true;
}

bool rpc_nonce(struct rpc *rpc, struct address account, enum block_tag tag, uint64_t *nonce, struct err *err)
{
    return ask_u64(rpc, "eth_getTransactionCount", params(json_new_address(account), json_new_text(tag_name(tag))),
                   nonce, err);
}

bool rpc_nonce_at(struct rpc *rpc, struct address account, uint64_t block, uint64_t *nonce, struct err *err)
{
    return ask_u64(rpc, "eth_getTransactionCount", params(json_new_address(account), quantity(block)), nonce, err);
}

bool rpc_balance(struct rpc *rpc, struct address account, struct wei *balance, struct err *err)
{
    json *result;
    bool ok;

    if (!rpc_ask(rpc, "eth_getBalance", params(json_new_address(account), json_new_text("latest")), &result, err))
        return false;
    ok = rpc_read_wei(result, "eth_getBalance", balance, err);
    json_free(result);
    return ok;
}

bool rpc_code(struct rpc *rpc, struct address account, struct buf *code, struct err *err)
{
    return ask_bytes(rpc, "eth_getCode", params(json_new_address(account), json_new_text("latest")), code, err);
}

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
    return ask_bytes(rpc, "eth_call", params(rpc_call_object(from, &to, data), json_new_text("latest")), result, err);
}

bool rpc_call_at(struct rpc *rpc, struct address to, const struct buf *data, uint64_t block, struct buf *result,
                 struct err *err)
{
    return ask_bytes(rpc, "eth_call", params(rpc_call_object(NULL, &to, data), quantity(block)), result, err);
}

bool rpc_estimate_gas(struct rpc *rpc, struct address from, const struct address *to, const struct buf *data,
                      uint64_t *gas, struct err *err)
{
    return ask_u64(rpc, "eth_estimateGas", params(rpc_call_object(&from, to, data), NULL), gas, err);
}

bool rpc_fee_history(struct rpc *rpc, unsigned blocks, unsigned percentile, struct fee_history *history,
                     struct err *err)
{
    json *percentiles = json_new_array(), *list, *result;
    bool ok;

    json_add(percentiles, json_new_u64(percentile));
    list = params(quantity(blocks), json_new_text("latest"));
    json_add(list, percentiles);
    if (!rpc_ask(rpc, "eth_feeHistory", list, &result, err))
        return false;
    ok = rpc_read_fee_history(result, history, err);
    json_free(result);
    return ok;
}

bool rpc_tx_receipt(struct rpc *rpc, struct tx_hash hash, struct tx_receipt *receipt, struct err *err)
{
    json *result;
    struct hash got;
    bool ok;

    if (!rpc_ask(rpc, "eth_getTransactionReceipt", params(json_new_hash(hash.h), NULL), &result, err))
        return false;
    if (json_kind_of(result) != JSON_KIND_NULL
        && (!json_get_hash(json_member(result, "transactionHash"), &got) || !hash_eq(got, hash.h)))
        ok = err_set(err, ERR_INVALID, "the node answers with the receipt of another transaction");
    else
        ok = rpc_read_tx_receipt(result, receipt, err);
    json_free(result);
    return ok;
}

/* A node that answers with what was not asked for is broken: nothing of it is used. */
static bool logs_match(const struct logs *logs, const struct address *address, const struct hash *const *topics,
                       size_t topic_count, uint64_t from_block, uint64_t to_block)
{
    for (size_t i = 0; i < logs->count; i++) {
        const struct log_entry *log = &logs->list[i];

        if (!address_eq(log->address, *address) || log->block < from_block || log->block > to_block
            || log->topic_count < topic_count)
            return false;
        for (size_t t = 0; t < topic_count; t++)
            if (topics[t] != NULL && !hash_eq(log->topics[t], *topics[t]))
                return false;
    }
    return true;
}

static json *log_filter(struct address address, const struct hash *const *topics, size_t topic_count,
                        uint64_t from_block, uint64_t to_block)
{
    json *filter = json_new_object(), *wanted = json_new_array();

    json_put_address(filter, "address", address);
    json_put(filter, "fromBlock", quantity(from_block));
    json_put(filter, "toBlock", quantity(to_block));
    for (size_t i = 0; i < topic_count; i++)
        json_add(wanted, topics[i] != NULL ? json_new_hash(*topics[i]) : json_new_null());
    json_put(filter, "topics", wanted);
    return filter;
}

bool rpc_logs(struct rpc *rpc, struct address address, const struct hash *const *topics, size_t topic_count,
              uint64_t from_block, uint64_t to_block, struct logs *logs, struct err *err)
{
    struct logs got;
    json *result;
    bool ok;

    if (!rpc_ask(rpc, "eth_getLogs", params(log_filter(address, topics, topic_count, from_block, to_block), NULL),
                 &result, err))
        return false;
    ok = rpc_read_logs(result, &got, err);
    json_free(result);
    if (ok && !logs_match(&got, &address, topics, topic_count, from_block, to_block)) {
        logs_clear(&got);
        ok = err_set(err, ERR_INVALID, "the node answers with logs nobody asked for");
    }
    if (ok)
        *logs = got;
    return ok;
}
