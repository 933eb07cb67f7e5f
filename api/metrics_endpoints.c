/* The RPC endpoints as the settling thread sees them: at most RPC_URLS_MAX labels, without what providers hide keys in. */
#include <inttypes.h>

#include "api/metrics.h"
#include "gateway/lib/exposition.h"

void metrics_put_endpoints(struct buf *out, const struct rpc_health *list, size_t count)
{
    exposition_head(out, "quittance_rpc_endpoint_up", "gauge", "1: the endpoint is asked; 0: it is left out.");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "quittance_rpc_endpoint_up{endpoint=\"%s\"} %d\n", list[i].name, list[i].state == ENDPOINT_UP);
    exposition_head(out, "quittance_rpc_endpoint_lag_blocks", "gauge", "Blocks behind what others have; 0 with a single endpoint.");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "quittance_rpc_endpoint_lag_blocks{endpoint=\"%s\"} %" PRIu64 "\n", list[i].name, list[i].lag);
    exposition_head(out, "quittance_rpc_endpoint_latency_seconds", "gauge", "Of the last answer.");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "quittance_rpc_endpoint_latency_seconds{endpoint=\"%s\"} %" PRIu64 ".%03u\n", list[i].name,
                   list[i].latency_ms / 1000, (unsigned)(list[i].latency_ms % 1000));
    exposition_head(out, "quittance_rpc_endpoint_errors_total", "counter", "Failed exchanges since the start.");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "quittance_rpc_endpoint_errors_total{endpoint=\"%s\"} %" PRIu64 "\n", list[i].name, list[i].errors);
}
