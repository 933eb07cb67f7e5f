/* gateway/settle/retention_parts.h - between retention.c, retention_days.c and the thread. */
#ifndef QUITTANCE_SETTLE_RETENTION_PARTS_H
#define QUITTANCE_SETTLE_RETENTION_PARTS_H

#include "gateway/settle/retention.h"

#include <stdatomic.h>

void retention_quit(struct retention *retention);     /* ends what reads for long; any thread */

struct retention_days {
    struct db *db;                            /* borrowed, as is the writer */
    struct writer *writer;
    uint64_t refused_until_ms, after;         /* days up to here were refused lately */
};
/* Makes the days that are missing, and drops one that is due. */
MUST_USE bool retention_days_step(struct retention_days *days, const struct retention_config *config, uint64_t generation, uint64_t now_ms,
                                  bool *dropped, struct err *err);

#endif
