#include "gateway/node/histogram.h"

#define EXACT 8u
#define A_POWER 4u
#define FIRST_POWER 3u                      /* 2^3 is the first value without a bucket of its own */

static size_t bucket_of(uint64_t ms)
{
    unsigned power = FIRST_POWER;
    size_t bucket;

    if (ms < EXACT)
        return (size_t)ms;
    while (power < 63 && ms >> (power + 1) != 0)
        power++;
    bucket = EXACT + (power - FIRST_POWER) * A_POWER + ((ms >> (power - 2)) & 3);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

void histogram_add(struct histogram *h, uint64_t ms)
{
    h->count++;
    h->bucket[bucket_of(ms)]++;
    if (ms > h->max)
        h->max = ms;
}

uint64_t histogram_bucket_top(size_t bucket)
{
    uint64_t power, part;

    if (bucket < EXACT)
        return bucket;
    power = (bucket - EXACT) / A_POWER + FIRST_POWER;
    part = (bucket - EXACT) % A_POWER + 1;
    return (UINT64_C(1) << power) + (part << (power - 2)) - 1;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille)
{
    uint64_t wanted = (h->count * per_mille + 999) / 1000, seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS && wanted > 0; i++) {
        seen += h->bucket[i];
        if (seen >= wanted)
            return i + 1 < HISTOGRAM_BUCKETS && histogram_bucket_top(i) < h->max ? histogram_bucket_top(i) : h->max;
    }
    return 0;
}
