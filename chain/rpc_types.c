/* The kinds of answers: read from a reply, and compared in what matters. */
#include "chain/rpc_parts.h"

/* ---- numbers and bytes ---- */

static bool read_u64(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const json *result;

    return rpc_result(rpc, reply, q->id, &result, err) && rpc_read_u64(result, q->method, value, err);
}

static const char *u64_differs(const struct rpc_question *q, const void *a, const void *b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b ? NULL : q->method;
}

const struct rpc_type rpc_type_u64 = { sizeof(uint64_t), read_u64, u64_differs, NULL, NULL };

static bool read_wei(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const json *result;

    return rpc_result(rpc, reply, q->id, &result, err) && rpc_read_wei(result, q->method, value, err);
}

static const char *wei_differs(const struct rpc_question *q, const void *a, const void *b)
{
    return u256_cmp(((const struct wei *)a)->v, ((const struct wei *)b)->v) == 0 ? NULL : q->method;
}

const struct rpc_type rpc_type_wei = { sizeof(struct wei), read_wei, wei_differs, NULL, NULL };

static bool read_bytes(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const json *result;
    struct buf bytes;

    if (!rpc_result(rpc, reply, q->id, &result, err))
        return false;
    buf_init(&bytes);
    if (!rpc_read_bytes(result, q->method, &bytes, err)) {
        buf_clear(&bytes);
        return false;
    }
    *(struct buf *)value = bytes;
    return true;
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static const char *bytes_differ(const struct rpc_question *q, const void *a, const void *b)
{
    return same_bytes(a, b) ? NULL : q->method;
}

static void bytes_clear(const struct rpc_question *q, void *value)
{
    (void)q;
    buf_clear(value);
}

const struct rpc_type rpc_type_bytes = { sizeof(struct buf), read_bytes, bytes_differ, bytes_clear, NULL };

/* ---- blocks ---- */

static bool read_block(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    struct rpc_block_value read = { .found = true };
    const uint64_t *wanted = q->of;
    const json *result;

    if (!rpc_result(rpc, reply, q->id, &result, err))
        return false;
    read.found = json_kind_of(result) != JSON_KIND_NULL;
    if (read.found && !rpc_read_block(result, &read.block, err))
        return false;
    if (read.found && wanted != NULL && read.block.number != *wanted)
        return err_set(err, ERR_INVALID, "the node answers with block %llu instead of %llu",
                       (unsigned long long)read.block.number, (unsigned long long)*wanted);
    *(struct rpc_block_value *)value = read;
    return true;
}

static const char *block_differs(const struct rpc_question *q, const void *a, const void *b)
{
    const struct rpc_block_value *x = a, *y = b;

    (void)q;
    if (x->found != y->found)
        return "whether there is the block";
    if (!x->found)
        return NULL;
    return x->block.number != y->block.number ? "number" : !hash_eq(x->block.hash, y->block.hash) ? "hash"
         : x->block.timestamp_s != y->block.timestamp_s ? "timestamp" : NULL;
}

static bool block_is_none(const void *value)
{
    return !((const struct rpc_block_value *)value)->found;
}

const struct rpc_type rpc_type_block = { sizeof(struct rpc_block_value), read_block, block_differs, NULL, block_is_none };

/* ---- logs ---- */

/* A node that answers with what was not asked for is broken: nothing of it is used. */
static bool logs_match(const struct logs *logs, const struct rpc_logs_of *of)
{
    for (size_t i = 0; i < logs->count; i++) {
        const struct log_entry *log = &logs->list[i];

        if (!address_eq(log->address, of->address) || log->block < of->from_block || log->block > of->to_block
            || log->topic_count < of->topic_count)
            return false;
        for (size_t t = 0; t < of->topic_count; t++)
            if (of->topics[t] != NULL && !hash_eq(log->topics[t], *of->topics[t]))
                return false;
    }
    return true;
}

static bool read_logs(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const json *result;
    struct logs read;

    if (!rpc_result(rpc, reply, q->id, &result, err) || !rpc_read_logs(result, &read, err))
        return false;
    if (!logs_match(&read, q->of)) {
        logs_clear(&read);
        return err_set(err, ERR_INVALID, "the node answers with logs nobody asked for");
    }
    *(struct logs *)value = read;
    return true;
}

static const char *log_differs(const struct log_entry *a, const struct log_entry *b)
{
    if (!address_eq(a->address, b->address) || a->topic_count != b->topic_count
        || memcmp(a->topics, b->topics, a->topic_count * sizeof a->topics[0]) != 0)
        return "a log's topics";
    if (!same_bytes(&a->data, &b->data))
        return "a log's data";
    return a->block != b->block || a->index != b->index || !hash_eq(a->tx.h, b->tx.h) ? "a log's place" : NULL;
}

static const char *lists_differ(const struct logs *a, const struct logs *b)
{
    const char *field = a->count != b->count ? "the number of logs" : NULL;

    for (size_t i = 0; field == NULL && i < a->count; i++)
        field = log_differs(&a->list[i], &b->list[i]);
    return field;
}

static const char *logs_differ(const struct rpc_question *q, const void *a, const void *b)
{
    (void)q;
    return lists_differ(a, b);
}

static void logs_value_clear(const struct rpc_question *q, void *value)
{
    (void)q;
    logs_clear(value);
}

static bool logs_are_none(const void *value)
{
    return ((const struct logs *)value)->count == 0;
}

const struct rpc_type rpc_type_logs = { sizeof(struct logs), read_logs, logs_differ, logs_value_clear, logs_are_none };

/* ---- receipts ---- */

static bool read_receipt(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const struct rpc_receipt_of *of = q->of;
    struct tx_receipt read;
    const json *result;
    struct hash got;

    if (!rpc_result(rpc, reply, q->id, &result, err))
        return false;
    if (json_kind_of(result) != JSON_KIND_NULL
        && (!json_get_hash(json_member(result, "transactionHash"), &got) || !hash_eq(got, of->hash.h)))
        return err_set(err, ERR_INVALID, "the node answers with the receipt of another transaction");
    if (!rpc_read_tx_receipt(result, &read, err))
        return false;
    /* In a block that only this one has yet: it counts once another has that block, too. */
    if (read.found && of->has_head && read.block > of->head) {
        logs_clear(&read.logs);
        read = (struct tx_receipt){ .found = false };
    }
    *(struct tx_receipt *)value = read;
    return true;
}

static const char *receipt_differs(const struct rpc_question *q, const void *a, const void *b)
{
    const struct tx_receipt *x = a, *y = b;

    (void)q;
    if (x->found != y->found)
        return "whether there is a receipt";
    if (!x->found)
        return NULL;
    if (!hash_eq(x->block_hash, y->block_hash) || x->block != y->block)
        return "its block";
    if (x->success != y->success)
        return "status";
    if (!address_eq(x->from, y->from) || !address_eq(x->to, y->to) || !address_eq(x->created, y->created))
        return "from, to or contractAddress";
    if (x->gas_used != y->gas_used || u256_cmp(x->effective_gas_price.v, y->effective_gas_price.v) != 0)
        return "gasUsed or effectiveGasPrice";
    return lists_differ(&x->logs, &y->logs);
}

static void receipt_clear(const struct rpc_question *q, void *value)
{
    (void)q;
    logs_clear(&((struct tx_receipt *)value)->logs);
}

static bool receipt_is_none(const void *value)
{
    return !((const struct tx_receipt *)value)->found;
}

const struct rpc_type rpc_type_receipt = { sizeof(struct tx_receipt), read_receipt, receipt_differs, receipt_clear,
                                           receipt_is_none };

/* ---- fees: of one endpoint only ---- */

static bool read_fees(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const json *result;

    return rpc_result(rpc, reply, q->id, &result, err) && rpc_read_fee_history(result, value, err);
}

const struct rpc_type rpc_type_fees = { sizeof(struct fee_history), read_fees, NULL, NULL, NULL };
