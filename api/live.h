/* api/live.h - one thread that looks every second: what changed becomes events, and figures become samples for plots.
 *
 * Samples are in memory, LIVE_RANGES rings of them; one every few minutes is stored, so that a restart keeps the longer two. */
#ifndef QUITTANCE_API_LIVE_H
#define QUITTANCE_API_LIVE_H

#include "gateway/base/err.h"
#include "gateway/lib/json.h"

struct api;
struct live;
enum live_range { LIVE_HOUR, LIVE_DAY, LIVE_WEEK };
#define LIVE_RANGES (LIVE_WEEK + 1)

/* Of books[0].  ERR_IO: no thread. */
MUST_USE bool live_start(struct api *api, struct live **live, struct err *err);
void live_stop(struct live *live);            /* NULL is fine */
MUST_USE bool live_range_from_name(const char *name, enum live_range *range);
/* {range, step, at:[...], accepted:[...], ...}, a list a figure, oldest first; what was not known is null. */
json *live_samples(struct live *live, enum live_range range);
uint64_t live_rate(struct live *live);        /* receipts accepted a second, over the last ten */

#endif
