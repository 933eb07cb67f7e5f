/* gateway/node/load.h - receipts to try a gateway with: seeded, or after a trace of real traffic.  Unsigned.
 *
 * A trace is CSV with a header and the columns TIMESTAMP, ContextTokens, GeneratedTokens (Azure LLM inference traces):
 * arrival times are kept relative to each other and moved so that the last job ends now.  Model, cached tokens and
 * duration are not in such a trace: they are made up here from the seed. */
#ifndef QUITTANCE_NODE_LOAD_H
#define QUITTANCE_NODE_LOAD_H

#include "gateway/core/receipt.h"

#define LOAD_MODELS_MAX 8

struct load {
    uint64_t seed, now_ms;
    uint64_t count;                           /* without a trace */
    uint64_t span_ms;                         /* without a trace: over how long the jobs are spread */
    const char *trace;                        /* CSV file, or NULL */
    struct address provider, consumer;
    struct hash models[LOAD_MODELS_MAX];
    size_t model_count;
};
typedef bool load_fn(void *self, const struct receipt *receipt, struct err *err);
/* Calls made for each receipt, oldest first.  ERR_INVALID names the line of a trace that is not of that form. */
MUST_USE bool load_make(const struct load *load, load_fn *made, void *self, struct err *err);

#endif
