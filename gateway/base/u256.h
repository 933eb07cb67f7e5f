/* gateway/base/u256.h - unsigned 256-bit integers with checked arithmetic.
 *
 * Limbs are little-endian: limb[0] is the least significant.  Arithmetic returns false on overflow, underflow or
 * division by zero and then leaves the result alone.  Decimal text is strict: digits only, no sign, no leading
 * zero, at most 78 of them (design 2: amounts are decimal strings of base units). */
#ifndef QUITTANCE_BASE_U256_H
#define QUITTANCE_BASE_U256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct u256 { uint64_t limb[4]; };

#define U256_ZERO ((struct u256){ { 0, 0, 0, 0 } })
#define U256_DECIMAL_MAX 79          /* 78 digits and the final zero byte */

/* Here, as a receipt is dozens of them: passing two numbers by value costs more than adding them. */
static inline bool u256_is_zero(struct u256 v)
{
    return (v.limb[0] | v.limb[1] | v.limb[2] | v.limb[3]) == 0;
}

static inline int u256_cmp(struct u256 a, struct u256 b)
{
    for (size_t i = 4; i-- > 0;)
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}

static inline MUST_USE bool u256_add(struct u256 a, struct u256 b, struct u256 *sum)
{
    struct u256 result;
    bool carry = false;

#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        bool over = __builtin_add_overflow(a.limb[i], b.limb[i], &result.limb[i]);

        carry = __builtin_add_overflow(result.limb[i], (uint64_t)carry, &result.limb[i]) || over;
    }
    if (carry)
        return false;
    *sum = result;
    return true;
}

/* The difference modulo 2^256; true: something had to be borrowed from beyond the top. */
static inline bool u256_sub_wrapping(struct u256 a, struct u256 b, struct u256 *difference)
{
    bool borrow = false;

#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        bool under = __builtin_sub_overflow(a.limb[i], b.limb[i], &difference->limb[i]);

        borrow = __builtin_sub_overflow(difference->limb[i], (uint64_t)borrow, &difference->limb[i]) || under;
    }
    return borrow;
}

static inline MUST_USE bool u256_sub(struct u256 a, struct u256 b, struct u256 *difference)
{
    struct u256 result;

    if (u256_sub_wrapping(a, b, &result))
        return false;
    *difference = result;
    return true;
}

struct u256 u256_from_u64(uint64_t v);
struct u256 u256_from_be(const uint8_t bytes[32]);
void u256_to_be(struct u256 v, uint8_t bytes[32]);
unsigned u256_bits(struct u256 v);                                    /* 0 for zero, else index of the top bit + 1 */
MUST_USE bool u256_to_u64(struct u256 v, uint64_t *out);              /* false: over 64 bits */
MUST_USE bool u256_mul(struct u256 a, struct u256 b, struct u256 *product);
MUST_USE bool u256_mul_u64(struct u256 a, uint64_t b, struct u256 *product);
MUST_USE bool u256_divmod(struct u256 a, struct u256 b, struct u256 *quotient, struct u256 *remainder);
struct u256 u256_div_u64(struct u256 a, uint64_t b, uint64_t *remainder);   /* b must not be 0; remainder may be NULL */
/* floor(a * b / c) with a 512-bit product; false when c is 0 or the quotient is over 256 bits. */
MUST_USE bool u256_mul_div(struct u256 a, struct u256 b, struct u256 c, struct u256 *quotient);

/* Writes the decimal digits and a zero byte; returns the number of digits. */
size_t u256_to_decimal(struct u256 v, char text[U256_DECIMAL_MAX]);
MUST_USE bool u256_from_decimal(const char *text, size_t len, struct u256 *v);
/* The minimal 0x quantity of JSON-RPC (no leading zeros, zero is 0x0); returns its length. */
size_t u256_to_quantity(struct u256 v, char text[67]);
MUST_USE bool u256_from_quantity(const char *text, size_t len, struct u256 *v);

#endif
