/* What becomes of the endpoints, in the log: once a change. */
#include "gateway/settle/parts.h"

#include "chain/rpc_health.h"
#include "gateway/base/log.h"

static void log_endpoint(void *self, const struct rpc_health *health)
{
    (void)self;
    if (health->state == ENDPOINT_UP)
        log_event(LOG_NOTICE_LEVEL, "endpoint_back", KV_TEXT("endpoint", health->name));
    else
        log_event(LOG_WARN_LEVEL, "endpoint_left_out", KV_TEXT("endpoint", health->name),
                  KV_TEXT("state", endpoint_state_name(health->state)), KV_U64("ms", health->retry_in_ms),
                  KV_TEXT("error", health->why));
}

void endpoints_log(struct rpc *rpc)
{
    rpc_set_listener(rpc, log_endpoint, NULL);
}
