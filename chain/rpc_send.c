#include "chain/rpc_parts.h"

/* Whether this endpoint has taken the transaction.  False with ERR_UNKNOWN: it may have. */
static bool send_to(struct rpc *rpc, struct rpc_endpoint *endpoint, const json *request, uint64_t id,
                    struct tx_hash expected, struct err *err)
{
    const json *result;
    struct hash got;
    json *reply;
    bool ok;

    if (!rpc_exchange(rpc, endpoint, request, &reply, err)) {
        /* An answer that is too long or no JSON says nothing about what the node did before. */
        if (err->code == ERR_LIMIT || err->code == ERR_INVALID)
            err->code = ERR_UNKNOWN;
        return false;
    }
    ok = rpc_result(rpc, reply, id, &result, err);
    if (ok && (!json_get_hash(result, &got) || !hash_eq(got, expected.h)))
        ok = err_set(err, ERR_UNKNOWN, "the node answers with another hash than ours");
    else if (!ok && err->code == ERR_CHAIN && rpc->last_class == RPC_KNOWN)
        ok = true;                                        /* same bytes: as good as taken */
    else if (!ok && (err->code == ERR_INVALID || (err->code == ERR_CHAIN && rpc->last_class == RPC_UNKNOWN)))
        err->code = ERR_UNKNOWN;
    json_free(reply);
    return ok || err_prefix(err, "%s", endpoint->name);
}

/* Whether another endpoint may take what this one refused: it cannot say, or the limit is one of its own.  Bytes that
 * can never be mined are worth the same question: settlement gives a slot up only when nobody takes them. */
static bool another_may_take(const struct rpc *rpc, const struct err *err)
{
    if (err->code != ERR_CHAIN)
        return true;
    switch (rpc->last_class) {
    case RPC_POOL_FULL:
    case RPC_FEE_CAP:
    case RPC_BAD_GAS:
    case RPC_MALFORMED:
        return true;
    case RPC_UNKNOWN:
    case RPC_KNOWN:
    case RPC_NONCE_USED:
    case RPC_NONCE_AHEAD:
    case RPC_BUMP_NEEDED:
    case RPC_PRICE_LOW:
    case RPC_FUNDS:
    case RPC_DELEGATED:
    case RPC_REVERT:
    case RPC_DOWN:
        return false;
    }
    bug("RPC class %d", (int)rpc->last_class);
}

bool rpc_send_raw(struct rpc *rpc, const struct buf *raw, struct tx_hash expected, struct err *err)
{
    uint64_t id = rpc->next_id++;
    json *params = json_new_array(), *request;
    size_t first = rpc->current;
    bool taken = false, doubt = false;

    json_add(params, json_new_hex(raw->data, raw->len));
    request = rpc_request(id, "eth_sendRawTransaction", params);
    rpc->last_class = RPC_UNKNOWN;
    buf_reset(&rpc->revert);
    for (size_t i = 0; i < rpc->endpoint_count && !taken; i++) {
        size_t index = (first + i) % rpc->endpoint_count;

        taken = send_to(rpc, &rpc->endpoints[index], request, id, expected, err);
        if (taken)
            rpc->current = index;
        else if (err->code == ERR_UNKNOWN)
            doubt = true;
        if (!taken && !another_may_take(rpc, err))
            break;
    }
    json_free(request);
    /* One endpoint's clear no does not undo another's silence. */
    if (!taken && doubt)
        err->code = ERR_UNKNOWN;
    return taken || err_prefix(err, "eth_sendRawTransaction");
}
