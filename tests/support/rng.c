#include "tests/support/rng.h"

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    return rng_next(r) % bound;
}

void rng_bytes(struct rng *r, void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)rng_next(r);
}

struct hash rng_hash(struct rng *r)
{
    struct hash h;

    rng_bytes(r, h.b, sizeof h.b);
    return h;
}

struct address rng_address(struct rng *r)
{
    struct address a;

    rng_bytes(r, a.b, sizeof a.b);
    return a;
}
