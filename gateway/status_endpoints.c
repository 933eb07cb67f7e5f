/* gateway/status_endpoints.c - see status.h. */
#include "gateway/status.h"

#include "chain/rpc_health.h"

static json *endpoint_to_json(const struct rpc_health *h)
{
    json *row = json_new_object();

    json_put_text(row, "name", h->name);
    json_put_text(row, "state", endpoint_state_name(h->state));
    if (h->why[0] != '\0')
        json_put_text(row, "why", h->why);
    json_put_u64(row, "head", h->head);
    json_put_u64(row, "lag", h->lag);
    json_put_u64(row, "failures", h->failures);
    json_put_u64(row, "latencyMs", h->latency_ms);
    return row;
}

json *status_endpoints(struct rpc *rpc)
{
    struct rpc_health list[RPC_URLS_MAX];
    size_t count = rpc_health(rpc, list);
    json *rows = json_new_array();

    for (size_t i = 0; i < count; i++)
        json_add(rows, endpoint_to_json(&list[i]));
    return rows;
}
