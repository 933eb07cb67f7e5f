#include "chain/rpc_parts.h"

#define BATCH_MAX 100u      /* requests in one: what common providers take (geth's own limit is 1000) */

/* One batch under way: request i has id first_id + i and answers into results[i]. */
struct batch { uint64_t first_id; size_t count; struct buf *results; };

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

static bool read_batch(struct rpc *rpc, const json *reply, void *self, struct err *err)
{
    struct batch *batch = self;
    const json *result;

    if (json_kind_of(reply) != JSON_KIND_ARRAY)      /* one error for all */
        return rpc_result(rpc, reply, batch->first_id, &result, err)
            && err_set(err, ERR_INVALID, "one answer to a batch of requests");
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t id = batch->first_id + i;
        const json *one = reply_to(reply, i, id);

        if (one == NULL)
            return err_set(err, ERR_INVALID, "a request of the batch has no answer");
        buf_reset(&batch->results[i]);               /* from an endpoint that failed half-way */
        if (!rpc_result(rpc, one, id, &result, err) || !rpc_read_bytes(result, "eth_call", &batch->results[i], err))
            return false;
    }
    return true;
}

static bool call_batch(struct rpc *rpc, struct address to, const struct buf *data, size_t count, struct buf *results,
                       struct err *err)
{
    struct batch batch = { .first_id = rpc->next_id, .count = count, .results = results };
    json *requests = json_new_array();
    bool ok;

    rpc->next_id += count;
    for (size_t i = 0; i < count; i++) {
        json *list = json_new_array();

        json_add(list, rpc_call_object(NULL, &to, &data[i]));
        json_add(list, json_new_text("latest"));
        json_add(requests, rpc_request(batch.first_id + i, "eth_call", list));
    }
    ok = rpc_fail_over(rpc, requests, read_batch, &batch, err);
    json_free(requests);
    return ok || err_prefix(err, "eth_call");
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
