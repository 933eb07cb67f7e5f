#include "chain/rpc_parts.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

#define BATCH_MAX 100u      /* requests in one: what common providers take (geth's own limit is 1000) */

/* A value of a batch is a struct buf *: owned, one a request; q->of is their number. */
static size_t count_of(const struct rpc_question *q)
{
    return *(const size_t *)q->of;
}

static void results_clear(const struct rpc_question *q, void *value)
{
    struct buf *results = *(struct buf **)value;

    for (size_t i = 0; i < count_of(q); i++)
        buf_clear(&results[i]);
    free(results);
}

/* The reply to request i, wherever it stands: JSON-RPC 2.0, section 6, allows any order. */
static const json *reply_to(const json *replies, size_t likely, uint64_t id)
{
    uint64_t got;

    if (json_get_u64(json_member(json_at(replies, likely), "id"), &got) && got == id)
        return json_at(replies, likely);
    for (size_t i = 0; i < json_count(replies); i++)
        if (json_get_u64(json_member(json_at(replies, i), "id"), &got) && got == id)
            return json_at(replies, i);
    return NULL;
}

static bool read_results(struct rpc *rpc, const struct rpc_question *q, const json *reply, struct buf *results,
                         struct err *err)
{
    const json *result;

    for (size_t i = 0; i < count_of(q); i++) {
        const json *one = reply_to(reply, i, q->id + i);

        if (one == NULL)
            return err_set(err, ERR_INVALID, "a request of the batch has no answer");
        if (!rpc_result(rpc, one, q->id + i, &result, err) || !rpc_read_bytes(result, "eth_call", &results[i], err))
            return false;
    }
    return true;
}

static bool read_batch(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    struct buf *results;
    const json *result;

    if (json_kind_of(reply) != JSON_KIND_ARRAY)      /* one error for all */
        return rpc_result(rpc, reply, q->id, &result, err)
            && err_set(err, ERR_INVALID, "one answer to a batch of requests");
    results = mem_array(count_of(q), sizeof *results);
    for (size_t i = 0; i < count_of(q); i++)
        buf_init(&results[i]);
    if (!read_results(rpc, q, reply, results, err)) {
        results_clear(q, &results);
        return false;
    }
    *(struct buf **)value = results;
    return true;
}

static const char *batch_differs(const struct rpc_question *q, const void *a, const void *b)
{
    const struct buf *x = *(struct buf *const *)a, *y = *(struct buf *const *)b;

    for (size_t i = 0; i < count_of(q); i++)
        if (x[i].len != y[i].len || (x[i].len > 0 && memcmp(x[i].data, y[i].data, x[i].len) != 0))
            return q->method;
    return NULL;
}

static const struct rpc_type type_batch = { sizeof(struct buf *), read_batch, batch_differs, results_clear, NULL };

static json *requests_of(uint64_t first_id, const struct address *from, struct address to, const struct buf *data,
                         size_t count, const json *block)
{
    json *requests = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_add(requests, rpc_request(first_id + i, "eth_call",
                                       rpc_params(rpc_call_object(from, &to, &data[i]), json_share(block))));
    return requests;
}

static bool call_batch(struct rpc *rpc, struct address to, const struct buf *data, size_t count, struct buf *results,
                       struct err *err)
{
    struct rpc_question q = { .method = "eth_call", .type = &type_batch, .of = &count, .timeout_ms = RPC_TIMEOUT_MS };
    struct buf *got;
    json *block;
    bool ok;

    if (!rpc_latest(rpc, &block, &q.at_head, err))
        return err_prefix(err, "eth_call");
    q.id = rpc->next_id;
    rpc->next_id += count;
    q.body = requests_of(q.id, NULL, to, data, count, block);
    json_free(block);
    ok = rpc_agree(rpc, &q, &got, err);
    if (ok) {
        memcpy(results, got, count * sizeof *results);       /* their bytes move to the caller */
        free(got);
    }
    rpc_question_clear(&q);
    return ok;
}

bool rpc_call_many(struct rpc *rpc, struct address to, const struct buf *data, size_t count, struct buf *results,
                   struct err *err)
{
    for (size_t i = 0; i < count; i++)
        buf_init(&results[i]);
    for (size_t done = 0; done < count; done += BATCH_MAX) {
        size_t now = count - done < BATCH_MAX ? count - done : BATCH_MAX;

        if (!call_batch(rpc, to, data + done, now, results + done, err))
            return false;
    }
    return true;
}

/* ---- only whether each is refused ---- */

static bool is_false_word(const struct buf *result)
{
    for (size_t i = 0; i < result->len; i++)
        if (result->data[i] != 0)
            return false;
    return result->len == 32;
}

static bool read_try(struct rpc *rpc, const json *one, uint64_t id, bool *refused, struct err *err)
{
    const json *result;
    struct buf bytes;
    bool ok;

    if (one == NULL)
        return err_set(err, ERR_INVALID, "a request of the batch has no answer");
    if (!rpc_result(rpc, one, id, &result, err)) {
        *refused = true;
        return err->code == ERR_CHAIN && rpc->last_class == RPC_REVERT;
    }
    buf_init(&bytes);
    ok = rpc_read_bytes(result, "eth_call", &bytes, err);
    *refused = ok && is_false_word(&bytes);
    buf_clear(&bytes);
    return ok;
}

/* A value is BATCH_MAX of them. */
static bool read_tries(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    bool *refused = value;
    const json *result;

    if (json_kind_of(reply) != JSON_KIND_ARRAY)      /* one error for all */
        return rpc_result(rpc, reply, q->id, &result, err)
            && err_set(err, ERR_INVALID, "one answer to a batch of requests");
    for (size_t i = 0; i < count_of(q); i++)
        if (!read_try(rpc, reply_to(reply, i, q->id + i), q->id + i, &refused[i], err))
            return false;
    return true;
}

static const struct rpc_type type_tries = { BATCH_MAX * sizeof(bool), read_tries, NULL, NULL, NULL };

bool rpc_try_many(struct rpc *rpc, struct address from, struct address to, const struct buf *data, size_t count, bool *refused,
                  struct err *err)
{
    json *latest = json_new_text("latest");
    bool ok = true, got[BATCH_MAX];

    for (size_t done = 0; ok && done < count; done += BATCH_MAX) {
        size_t now = count - done < BATCH_MAX ? count - done : BATCH_MAX;
        struct rpc_question q = { .method = "eth_call", .type = &type_tries, .of = &now, .timeout_ms = RPC_TIMEOUT_MS,
                                  .id = rpc->next_id };

        rpc->next_id += now;
        q.body = requests_of(q.id, &from, to, data + done, now, latest);
        ok = rpc_ask(rpc, &q, got, err);
        rpc_question_clear(&q);
        if (ok)
            memcpy(refused + done, got, now * sizeof *refused);
    }
    json_free(latest);
    return ok;
}
/* ---- receipts ---- */

struct receipts { const struct tx_hash *hashes; size_t count; struct tx_receipt *list; };

/* Into the asker's list: there is one endpoint, so nothing is compared. */
static bool read_receipts(struct rpc *rpc, const struct rpc_question *q, const json *reply, void *value, struct err *err)
{
    const struct receipts *of = q->of;
    const json *result;

    (void)value;
    if (json_kind_of(reply) != JSON_KIND_ARRAY)
        return rpc_result(rpc, reply, q->id, &result, err)
            && err_set(err, ERR_INVALID, "one answer to a batch of requests");
    for (size_t i = 0; i < of->count; i++) {
        struct rpc_receipt_of one_of = { .hash = of->hashes[i] };
        struct rpc_question one = { .method = q->method, .id = q->id + i, .of = &one_of };
        const json *one_reply = reply_to(reply, i, one.id);

        if (one_reply == NULL)
            return err_set(err, ERR_INVALID, "a request of the batch has no answer");
        if (!rpc_type_receipt.read(rpc, &one, one_reply, &of->list[i], err))
            return false;
    }
    return true;
}

static const struct rpc_type type_receipts = { sizeof(char), read_receipts, NULL, NULL, NULL };

static bool receipts_batch(struct rpc *rpc, const struct receipts *of, struct err *err)
{
    struct rpc_question q = { .method = "eth_getTransactionReceipt", .type = &type_receipts, .of = of, .id = rpc->next_id,
                              .body = json_new_array(), .timeout_ms = RPC_TIMEOUT_MS };
    char ignored;
    bool ok;

    rpc->next_id += of->count;
    for (size_t i = 0; i < of->count; i++)
        json_add(q.body, rpc_request(q.id + i, q.method, rpc_params(json_new_hash(of->hashes[i].h), NULL)));
    ok = rpc_ask(rpc, &q, &ignored, err);
    rpc_question_clear(&q);
    return ok;
}

bool rpc_tx_receipts(struct rpc *rpc, const struct tx_hash *hashes, size_t count, struct tx_receipt *receipts,
                     bool *asked, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        receipts[i] = (struct tx_receipt){ .found = false };
    *asked = rpc->endpoint_count == 1;
    for (size_t done = 0; *asked && done < count; done += BATCH_MAX) {
        struct receipts of = { hashes + done, count - done < BATCH_MAX ? count - done : BATCH_MAX, receipts + done };

        if (!receipts_batch(rpc, &of, err))
            return false;
    }
    return true;
}
