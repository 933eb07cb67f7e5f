/* store/samples.h - figures over time, for plots. */
#ifndef QUITTANCE_STORE_SAMPLES_H
#define QUITTANCE_STORE_SAMPLES_H

#include "store/db.h"

/* What stands at a moment.  What came in is counted since the row before where it is stored, and by who looks since the
 * start of the process. */
struct figures {
    uint64_t at_ms;
    uint64_t accepted, duplicate, quarantined, rejected;
    uint64_t held, unsettled_since_ms;        /* 0: nothing is unsettled */
    bool has_gas;                             /* the chain was seen: both below */
    struct wei gas;
    uint64_t gas_runs;                        /* UINT64_MAX: more than a number holds */
};
/* Another row of the same moment is replaced. */
MUST_USE bool store_sample_add(struct db *db, const struct figures *f, struct err *err);
MUST_USE bool store_samples_drop(struct db *db, uint64_t before_ms, struct err *err);
typedef bool sample_fn(void *self, const struct figures *f, struct err *err);
MUST_USE bool store_samples(struct db *db, uint64_t since_ms, sample_fn *visit, void *self, struct err *err);    /* oldest first */

#endif
