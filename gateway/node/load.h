/* gateway/node/load.h - receipts to try a gateway with: seeded, or after a trace of real traffic.  Unsigned.
 *
 * A trace is CSV with a header and the columns TIMESTAMP, ContextTokens, GeneratedTokens (Azure LLM inference traces):
 * arrival times are kept relative to each other and moved so that the last job ends now.  Model, cached tokens and
 * duration are not in such a trace: they are made up here from the seed.
 *
 * jobIds are UUIDv7 that rise with the time of the jobs.  The same seed and start_ms give the same receipts. */
#ifndef QUITTANCE_NODE_LOAD_H
#define QUITTANCE_NODE_LOAD_H

#include "gateway/core/receipt.h"

#define LOAD_MODELS_MAX 8
#define LOAD_CONSUMERS_MAX 8
#define LOAD_START_MAX_MS ((UINT64_C(1) << 48) - 1)     /* what a UUIDv7 holds */

struct load {
    uint64_t seed, now_ms;
    uint64_t start_ms;                        /* the first job's start; 0: so that the last one ends now */
    uint64_t count;                           /* without a trace */
    uint64_t span_ms;                         /* without a trace: over how long the jobs are spread */
    const char *trace;                        /* CSV file, or NULL */
    struct address provider;
    struct address consumers[LOAD_CONSUMERS_MAX];      /* none: the jobs name nobody */
    size_t consumer_count;
    struct hash models[LOAD_MODELS_MAX];
    size_t model_count;
};
typedef bool load_fn(void *self, const struct receipt *receipt, struct err *err);
/* Calls made for each receipt, oldest first.  ERR_INVALID names the line of a trace that is not of that form. */
MUST_USE bool load_make(const struct load *load, load_fn *made, void *self, struct err *err);

#endif
