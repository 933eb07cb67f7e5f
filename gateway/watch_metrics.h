/* gateway/watch_metrics.h - how `watch` fares, as a file for a node exporter: written after each look and each alarm. */
#ifndef QUITTANCE_WATCH_METRICS_H
#define QUITTANCE_WATCH_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/* Why a person was called last; WATCH_WELL: the last look found nothing wrong. */
enum watch_alarm { WATCH_WELL, WATCH_FALSE_ROOT, WATCH_UNAUDITED, WATCH_CANCEL_FAILED, WATCH_LOOK_FAILED };
#define WATCH_ALARMS (WATCH_LOOK_FAILED + 1)

struct watch_metrics {
    const char *path;                         /* NULL: nothing is written */
    uint64_t pending_sequence;                /* at the last look; 0: none */
    uint64_t audited_sequence;                /* the last that was found true */
    uint64_t last_success_s, looks, alarms;   /* Unix s, 0: never; since the start */
    uint64_t cancelled;
    enum watch_alarm alarm;
};
/* A file that cannot be written is logged: the watch goes on. */
void watch_metrics_write(const struct watch_metrics *m);

#endif
