/* Whose chain an endpoint speaks for.  A node of another one answers every question well, and wrongly: it has no such
 * logs, no such transaction, another height.  So it is asked before its first use, and whenever another may have taken
 * its place: after an error, and behind every new connection. */
#include "chain/rpc_parts.h"

void rpc_expect_chain(struct rpc *rpc, uint64_t chain_id)
{
    rpc->chain_id = chain_id;
    for (size_t i = 0; i < rpc->endpoint_count; i++)
        rpc->endpoints[i].verified = false;
}

void rpc_set_stop(struct rpc *rpc, const atomic_bool *stop)
{
    http_set_stop(rpc->http, stop);
}

static bool verify(struct rpc *rpc, struct rpc_endpoint *endpoint, struct err *err)
{
    json *request = rpc_request(rpc->next_id++, "eth_chainId", json_new_array()), *reply;
    bool connected, ok;
    uint64_t id;

    ok = rpc_post(rpc, endpoint, request, RPC_PROBE_MS, &reply, &connected, err);
    json_free(request);
    if (!ok)
        return err_prefix(err, "%s: eth_chainId", endpoint->name);
    ok = rpc_read_u64(json_member(reply, "result"), "eth_chainId", &id, err);
    json_free(reply);
    if (ok && id != rpc->chain_id) {
        ok = err_set(err, ERR_AGAIN, "it is of chain %llu, not of %llu: left out", (unsigned long long)id,
                     (unsigned long long)rpc->chain_id);
        rpc_judge(rpc, endpoint, ENDPOINT_OTHER_CHAIN, "it is of chain %llu, not of %llu", (unsigned long long)id,
                  (unsigned long long)rpc->chain_id);
    }
    return ok || err_prefix(err, "%s", endpoint->name);
}

bool rpc_exchange(struct rpc *rpc, struct rpc_endpoint *endpoint, const json *body, unsigned timeout_ms, json **reply,
                  struct err *err)
{
    bool connected;

    if (rpc->chain_id != 0 && !endpoint->verified) {
        if (!verify(rpc, endpoint, err)) {
            rpc->last_class = RPC_DOWN;
            err->code = ERR_AGAIN;             /* nothing of the request was sent */
            return false;
        }
        endpoint->verified = true;
    }
    if (!rpc_post(rpc, endpoint, body, timeout_ms, reply, &connected, err)) {
        endpoint->verified = false;
        return err_prefix(err, "%s", endpoint->name);
    }
    if (rpc->chain_id == 0 || !connected)
        return true;
    endpoint->verified = verify(rpc, endpoint, err);
    if (endpoint->verified)
        return true;
    json_free(*reply);
    rpc->last_class = RPC_DOWN;
    err->code = ERR_UNKNOWN;                   /* it has the request, whoever it is */
    return false;
}
