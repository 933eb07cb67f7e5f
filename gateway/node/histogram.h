/* gateway/node/histogram.h - how long answers take, in ms, in buckets that grow with the value.
 *
 * Values to 7 have a bucket each, then each power of two has four: a figure read from it is at most a quarter too high. */
#ifndef QUITTANCE_NODE_HISTOGRAM_H
#define QUITTANCE_NODE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 96                /* the last one takes whatever is over 2^25 ms, nine hours */

struct histogram { uint64_t count, max, bucket[HISTOGRAM_BUCKETS]; };      /* {0} is empty */
void histogram_add(struct histogram *h, uint64_t ms);
uint64_t histogram_bucket_top(size_t bucket);                    /* the largest value it holds */
/* Not less than per_mille of all values; 0 when there are none.  Never over max. */
uint64_t histogram_quantile(const struct histogram *h, unsigned per_mille);

#endif
