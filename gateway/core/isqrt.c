#include "gateway/core/isqrt.h"

#include "gateway/base/err.h"

/* Newton's steps from above never pass the root and fall until they reach it: x' = floor((x + floor(v / x)) / 2). */
struct u256 u256_isqrt(struct u256 v)
{
    unsigned half = (u256_bits(v) + 1) / 2;
    struct u256 x = U256_ZERO, next, remainder;

    if (half == 0)
        return x;
    x.limb[half / 64] = UINT64_C(1) << (half % 64);     /* 2^half: above the root, at most 2^128 */
    for (;;) {
        if (!u256_divmod(v, x, &next, &remainder) || !u256_add(next, x, &next))
            bug("a square root over 256 bits");
        next = u256_div_u64(next, 2, NULL);
        if (u256_cmp(next, x) >= 0)
            return x;
        x = next;
    }
}
