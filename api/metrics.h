/* api/metrics.h - parts of GET /metrics that have a file of their own. */
#ifndef QUITTANCE_API_METRICS_H
#define QUITTANCE_API_METRICS_H

#include "chain/rpc_health.h"
#include "gateway/base/buf.h"

void metrics_put_endpoints(struct buf *out, const struct rpc_health *list, size_t count);

#endif
