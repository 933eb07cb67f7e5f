/* api/metrics_load.h - for metrics.c: connections, memory for requests, refusals. */
#ifndef QUITTANCE_API_METRICS_LOAD_H
#define QUITTANCE_API_METRICS_LOAD_H

#include "gateway/base/buf.h"

struct api;
void metrics_put_load(struct buf *out, struct api *api);

#endif
