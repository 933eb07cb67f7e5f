/* gateway/base/amount.h - token amounts and gas money; see u256.h for the rules of the arithmetic. */
#ifndef QUITTANCE_BASE_AMOUNT_H
#define QUITTANCE_BASE_AMOUNT_H

#include "gateway/base/types.h"

#define AMOUNT_ZERO ((struct amount){ U256_ZERO })

static inline MUST_USE bool amount_add(struct amount a, struct amount b, struct amount *sum)          /* false: over 256 bits */
{
    return u256_add(a.base_units, b.base_units, &sum->base_units);
}

static inline MUST_USE bool amount_sub(struct amount a, struct amount b, struct amount *difference)   /* false: below zero */
{
    return u256_sub(a.base_units, b.base_units, &difference->base_units);
}

static inline int amount_cmp(struct amount a, struct amount b)
{
    return u256_cmp(a.base_units, b.base_units);
}

static inline bool amount_is_zero(struct amount a)
{
    return u256_is_zero(a.base_units);
}

/* floor(a * bps / 10000) */
MUST_USE bool amount_share(struct amount a, uint16_t bps, struct amount *share);
struct amount amount_from_u64(uint64_t base_units);
/* a in units of the token, e.g. 1500000 with 6 decimals is "1.5"; at most 78 + decimals characters. */
size_t amount_to_units(struct amount a, unsigned decimals, char text[160]);
/* The reverse, strict: "1.5"; false for more fraction digits than decimals. */
MUST_USE bool amount_from_units(const char *text, size_t len, unsigned decimals, struct amount *a);

#endif
