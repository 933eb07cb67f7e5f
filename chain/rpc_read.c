#include <stdlib.h>

#include "chain/rpc_parts.h"
#include "gateway/base/mem.h"

#define LOGS_MAX 200000u      /* more than any node gives at once */

static bool wrong(const char *name, struct err *err)
{
    return err_set(err, ERR_INVALID, "the answer's %s is missing or has the wrong shape", name);
}

static bool is_null(const json *v)
{
    return v == NULL || json_kind_of(v) == JSON_KIND_NULL;
}

bool rpc_read_u64(const json *v, const char *name, uint64_t *number, struct err *err)
{
    struct u256 wide;

    return (json_get_quantity(v, &wide) && u256_to_u64(wide, number)) || wrong(name, err);
}

bool rpc_read_wei(const json *v, const char *name, struct wei *wei, struct err *err)
{
    return json_get_quantity(v, &wei->v) || wrong(name, err);
}

bool rpc_read_bytes(const json *v, const char *name, struct buf *bytes, struct err *err)
{
    return json_get_bytes(v, bytes) || wrong(name, err);
}

static bool read_hash(const json *v, const char *name, struct hash *h, struct err *err)
{
    return json_get_hash(v, h) || wrong(name, err);
}

static bool read_address(const json *v, const char *name, struct address *a, struct err *err)
{
    return json_get_address(v, a) || wrong(name, err);
}

/* Null: zero. */
static bool read_address_or_null(const json *v, const char *name, struct address *a, struct err *err)
{
    *a = (struct address){ { 0 } };
    return is_null(v) || read_address(v, name, a, err);
}

bool rpc_read_block(const json *v, struct block *block, struct err *err)
{
    struct block b = { .has_base_fee = !is_null(json_member(v, "baseFeePerGas")) };

    if (!rpc_read_u64(json_member(v, "number"), "number", &b.number, err)
        || !rpc_read_u64(json_member(v, "timestamp"), "timestamp", &b.timestamp_s, err)
        || !rpc_read_u64(json_member(v, "gasLimit"), "gasLimit", &b.gas_limit, err))
        return false;
    /* Before EIP-1559 there is no base fee; a pending block has no hash yet. */
    if (b.has_base_fee && !rpc_read_wei(json_member(v, "baseFeePerGas"), "baseFeePerGas", &b.base_fee, err))
        return false;
    if (!is_null(json_member(v, "hash")) && !read_hash(json_member(v, "hash"), "hash", &b.hash, err))
        return false;
    *block = b;
    return true;
}

void logs_clear(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        buf_clear(&logs->list[i].data);
    free(logs->list);
    *logs = (struct logs){ 0 };
}

static bool read_topics(const json *v, struct log_entry *log, struct err *err)
{
    if (v == NULL || json_kind_of(v) != JSON_KIND_ARRAY || json_count(v) > ARRAY_LEN(log->topics))
        return wrong("topics", err);
    log->topic_count = json_count(v);
    for (size_t i = 0; i < log->topic_count; i++)
        if (!read_hash(json_at(v, i), "topic", &log->topics[i], err))
            return false;
    return true;
}

static bool read_log(const json *v, struct log_entry *log, struct err *err)
{
    const json *removed = json_member(v, "removed");

    return read_address(json_member(v, "address"), "log's address", &log->address, err)
        && read_topics(json_member(v, "topics"), log, err)
        && rpc_read_bytes(json_member(v, "data"), "log's data", &log->data, err)
        && rpc_read_u64(json_member(v, "blockNumber"), "log's blockNumber", &log->block, err)
        && rpc_read_u64(json_member(v, "logIndex"), "logIndex", &log->index, err)
        && read_hash(json_member(v, "transactionHash"), "log's transactionHash", &log->tx.h, err)
        && (is_null(removed) || json_get_bool(removed, &log->removed) || wrong("removed", err));
}

bool rpc_read_logs(const json *v, struct logs *logs, struct err *err)
{
    struct logs read = { 0 };
    size_t count;

    if (v == NULL || json_kind_of(v) != JSON_KIND_ARRAY)
        return wrong("logs", err);
    count = json_count(v);
    if (count > LOGS_MAX)
        return err_set(err, ERR_LIMIT, "%zu logs in one answer", count);
    read.list = mem_array(count > 0 ? count : 1, sizeof read.list[0]);
    for (read.count = 0; read.count < count;) {
        struct log_entry *log = &read.list[read.count++];

        buf_init(&log->data);
        if (!read_log(json_at(v, read.count - 1), log, err)) {
            logs_clear(&read);
            return false;
        }
    }
    *logs = read;
    return true;
}

static bool read_receipt_heads(const json *v, struct tx_receipt *r, struct err *err)
{
    uint64_t status;

    if (!rpc_read_u64(json_member(v, "status"), "status", &status, err)      /* EIP-658 */
        || !rpc_read_u64(json_member(v, "blockNumber"), "blockNumber", &r->block, err)
        || !rpc_read_u64(json_member(v, "gasUsed"), "gasUsed", &r->gas_used, err)
        || !read_hash(json_member(v, "blockHash"), "blockHash", &r->block_hash, err)
        || !read_address(json_member(v, "from"), "from", &r->from, err)
        || !read_address_or_null(json_member(v, "to"), "to", &r->to, err)
        || !read_address_or_null(json_member(v, "contractAddress"), "contractAddress", &r->created, err))
        return false;
    if (status > 1)
        return wrong("status", err);
    r->success = status == 1;
    if (!is_null(json_member(v, "l1Fee")) && !rpc_read_wei(json_member(v, "l1Fee"), "l1Fee", &r->l1_fee, err))
        return false;
    return is_null(json_member(v, "effectiveGasPrice"))
        || rpc_read_wei(json_member(v, "effectiveGasPrice"), "effectiveGasPrice", &r->effective_gas_price, err);
}

bool rpc_read_tx_receipt(const json *v, struct tx_receipt *receipt, struct err *err)
{
    struct tx_receipt r = { .found = !is_null(v) };

    if (r.found && (!read_receipt_heads(v, &r, err) || !rpc_read_logs(json_member(v, "logs"), &r.logs, err)))
        return false;
    *receipt = r;
    return true;
}

/* A JSON number with or without fraction; negative where it is none. */
static double read_ratio(const json *v)
{
    struct buf text;
    double ratio = -1;

    if (v == NULL || (json_kind_of(v) != JSON_KIND_REAL && json_kind_of(v) != JSON_KIND_INTEGER))
        return ratio;
    buf_init(&text);
    json_write(v, &text);
    ratio = strtod(buf_text(&text), NULL);
    buf_clear(&text);
    return ratio;
}

bool rpc_read_fee_history(const json *v, struct fee_history *history, struct err *err)
{
    const json *base_fees = json_member(v, "baseFeePerGas"), *rewards = json_member(v, "reward");
    const json *ratios = json_member(v, "gasUsedRatio");
    struct fee_history h = { .count = json_count(ratios) };

    /* One base fee more than blocks: the last is the next block's (EIP-1559 clients; execution-apis). */
    if (h.count > ARRAY_LEN(h.rewards) || json_count(base_fees) != h.count + 1
        || !rpc_read_wei(json_at(base_fees, h.count), "baseFeePerGas", &h.next_base_fee, err))
        return wrong("fee history", err);
    for (size_t i = 0; i < h.count; i++) {
        h.gas_used_ratio[i] = read_ratio(json_at(ratios, i));
        if (h.gas_used_ratio[i] < 0)
            return wrong("gasUsedRatio", err);
        if (!rpc_read_wei(json_at(json_at(rewards, i), 0), "reward", &h.rewards[i], err))
            return false;
    }
    *history = h;
    return true;
}
