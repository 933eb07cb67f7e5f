/* gateway/core/hidden.h - prompt cache hits that a provider may be hiding.  Pure.
 *
 * Cached input costs the consumer less, so a node that reports hits as plain input earns more: 16 to 28 % of the bill on real
 * traffic.  Peers that serve the same model to the same public see about the same share of hits.  A provider hides them, as far
 * as figures can say, when its cached / input is below a tenth of the median of its peers', with at least HIDDEN_JOBS_LEAST
 * jobs of its own and of each peer that counts, over the same days. */
#ifndef QUITTANCE_CORE_HIDDEN_H
#define QUITTANCE_CORE_HIDDEN_H

#include "gateway/base/types.h"

#include <stdbool.h>
#include <stddef.h>

#define HIDDEN_JOBS_LEAST 1000u
#define HIDDEN_DAYS 7u                        /* this UTC day and those before it */
#define HIDDEN_DAYS_KEPT 31u

struct cache_use { uint64_t jobs, input, cached; };           /* sums of receipts */
void cache_use_add(struct cache_use *sum, const struct cache_use *more);      /* stays at the highest number */
/* Input in the lower half, what of it was cached in the upper: one number to be summed for both, which no group makes overflow. */
struct amount cache_use_pack(uint64_t input, uint64_t cached);
struct cache_use cache_use_unpack(struct amount sum, uint64_t jobs);          /* a half over 64 bits is the highest number */

/* One provider's use of one model. */
struct cache_peer { struct address provider; struct cache_use use, median; bool counts, hides; };
/* For all providers of one model: sets hides, and then median to the peer's sums whose share is the median; reorders them. */
void hidden_judge(struct cache_peer *peers, size_t count);

#endif
