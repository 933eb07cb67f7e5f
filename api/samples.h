/* api/samples.h - rings of figures over an hour, a day, a week.  Pure: no clock, no lock. */
#ifndef QUITTANCE_API_SAMPLES_H
#define QUITTANCE_API_SAMPLES_H

#include "api/live.h"
#include "gateway/base/amount.h"

/* What stands at a moment; counts are since the start of the process. */
struct figures {
    uint64_t at_ms;
    uint64_t accepted, duplicate, quarantined, rejected;
    uint64_t held, unsettled_since_ms;        /* 0: nothing is unsettled */
    bool has_gas;                             /* the chain was seen: both below */
    struct wei gas;
    uint64_t gas_runs;
};

#define SAMPLES_MAX 360
struct samples {
    struct ring { struct figures list[SAMPLES_MAX]; struct figures before; size_t first, count; } rings[LIVE_RANGES];
};
/* Every second or so: kept by the rings whose step is over. */
void samples_add(struct samples *samples, const struct figures *now);
json *samples_to_json(const struct samples *samples, enum live_range range);

#endif
