/* tests/support/rng.h - SplitMix64: the same numbers on every machine for one seed. */
#ifndef QUITTANCE_TESTS_RNG_H
#define QUITTANCE_TESTS_RNG_H

#include "gateway/base/types.h"

struct rng { uint64_t state; };
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound);
void rng_bytes(struct rng *r, void *bytes, size_t len);
struct hash rng_hash(struct rng *r);
struct address rng_address(struct rng *r);

#endif
