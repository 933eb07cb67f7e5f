/* gateway/base/buckets.h - token buckets, one for each of many keys, in a table that never grows.
 *
 * A bucket holds at most `burst` tokens and gains `rate` of them a second.  A key that is not in the table has a full
 * bucket, so what is forgotten is the one in its row that is fullest: the least is given away.  The seed keeps others
 * from choosing keys that meet in one row.  Not thread-safe: one owner. */
#ifndef QUITTANCE_BASE_BUCKETS_H
#define QUITTANCE_BASE_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/types.h"

struct buckets;
/* rate 0: no limit, every take is granted.  burst is at least 1. */
struct buckets *buckets_new(uint64_t rate, uint64_t burst, uint64_t seed);
void buckets_free(struct buckets *buckets);   /* NULL is fine */
/* One token of this key.  false: there is none; *wait_ms until there will be.  now_ms may go back: nothing is gained. */
bool buckets_take(struct buckets *buckets, struct address key, uint64_t now_ms, uint64_t *wait_ms);

#endif
