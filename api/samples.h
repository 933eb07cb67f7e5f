/* api/samples.h - rings of figures over an hour, a day, a week.  Pure: no clock, no lock. */
#ifndef QUITTANCE_API_SAMPLES_H
#define QUITTANCE_API_SAMPLES_H

#include "api/live.h"
#include "store/samples.h"

#define SAMPLES_MAX 360
struct samples {
    struct ring { struct figures list[SAMPLES_MAX]; struct figures before; size_t first, count; } rings[LIVE_RANGES];
    struct figures restored;                  /* the last row, counts summed over all */
};
/* Every second or so: kept by the rings whose step is over. */
void samples_add(struct samples *samples, const struct figures *now);
/* A row of the store, whose counts are since the row before; oldest first, before any other. */
void samples_restore(struct samples *samples, const struct figures *row);
/* The process starts: its counts begin with these. */
void samples_begin(struct samples *samples, const struct figures *now);
json *samples_to_json(const struct samples *samples, enum live_range range);

#endif
