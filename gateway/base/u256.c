#include "gateway/base/u256.h"

#include <endian.h>
#include <string.h>

#define LIMBS 4
#define WIDE_LIMBS (2 * LIMBS)
#define DECIMAL_CHUNK 10000000000000000000u      /* 10^19, the largest power of ten in a limb */
#define CHUNK_DIGITS 19

typedef unsigned __int128 u128;

/* A product before it is divided or found too long. */
struct wide { uint64_t limb[WIDE_LIMBS]; };

struct u256 u256_from_u64(uint64_t v)
{
    return (struct u256){ { v, 0, 0, 0 } };
}

struct u256 u256_from_be(const uint8_t bytes[32])
{
    struct u256 v = U256_ZERO;

    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t word;

        memcpy(&word, bytes + 8 * i, sizeof word);
        v.limb[LIMBS - 1 - i] = be64toh(word);
    }
    return v;
}

void u256_to_be(struct u256 v, uint8_t bytes[32])
{
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t word = htobe64(v.limb[LIMBS - 1 - i]);

        memcpy(bytes + 8 * i, &word, sizeof word);
    }
}

/* Nearly every amount and every count. */
static bool is_one_limb(struct u256 v)
{
    return (v.limb[1] | v.limb[2] | v.limb[3]) == 0;
}

static unsigned limbs_bits(const uint64_t *limb, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (limb[i] != 0)
            return (unsigned)(64 * i) + 64 - (unsigned)__builtin_clzll(limb[i]);
    return 0;
}

unsigned u256_bits(struct u256 v)
{
    return limbs_bits(v.limb, LIMBS);
}

bool u256_to_u64(struct u256 v, uint64_t *out)
{
    if (u256_bits(v) > 64)
        return false;
    *out = v.limb[0];
    return true;
}

static struct wide multiply(struct u256 a, struct u256 b)
{
    struct wide product = { { 0 } };

    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;

        if (a.limb[i] == 0)                   /* most amounts have two limbs at most */
            continue;
        for (size_t j = 0; j < LIMBS; j++) {
            u128 step = (u128)a.limb[i] * b.limb[j] + product.limb[i + j] + carry;

            product.limb[i + j] = (uint64_t)step;
            carry = (uint64_t)(step >> 64);
        }
        product.limb[i + LIMBS] = carry;
    }
    return product;
}

/* The lower half; false when the upper half holds anything. */
static bool narrow(const struct wide *w, struct u256 *v)
{
    if (limbs_bits(w->limb, WIDE_LIMBS) > 256)
        return false;
    memcpy(v->limb, w->limb, sizeof v->limb);
    return true;
}

bool u256_mul(struct u256 a, struct u256 b, struct u256 *product)
{
    struct wide w = multiply(a, b);

    return narrow(&w, product);
}

bool u256_mul_u64(struct u256 a, uint64_t b, struct u256 *product)
{
    struct u256 result;
    uint64_t carry = 0;

#pragma GCC unroll 4
    for (size_t i = 0; i < LIMBS; i++) {
        u128 step = (u128)a.limb[i] * b + carry;

        result.limb[i] = (uint64_t)step;
        carry = (uint64_t)(step >> 64);
    }
    if (carry != 0)
        return false;
    *product = result;
    return true;
}

/* Divides count limbs in place by a divisor of one limb; returns the remainder. */
static uint64_t divide_by_limb(uint64_t *limb, size_t count, uint64_t divisor)
{
    uint64_t rest = 0;

    while (count > 0 && limb[count - 1] == 0)
        count--;
    for (size_t i = count; i-- > 0;) {
        u128 part = (u128)rest << 64 | limb[i];

        limb[i] = (uint64_t)(part / divisor);
        rest = (uint64_t)(part - (u128)limb[i] * divisor);      /* a second division would cost as much again */
    }
    return rest;
}

static struct u256 shift_in(struct u256 v, uint64_t bit)
{
    for (size_t i = LIMBS; i-- > 1;)
        v.limb[i] = v.limb[i] << 1 | v.limb[i - 1] >> 63;
    v.limb[0] = v.limb[0] << 1 | bit;
    return v;
}

/* Divides in place; returns the remainder.  Bit by bit: long divisors are rare here (prices and shares are divided by
 * one limb), so a loop that is plainly right beats Knuth's algorithm D. */
static struct u256 divide_wide(struct wide *w, struct u256 divisor)
{
    struct u256 rest = U256_ZERO;

    if (u256_bits(divisor) <= 64)
        return u256_from_u64(divide_by_limb(w->limb, WIDE_LIMBS, divisor.limb[0]));
    for (unsigned i = limbs_bits(w->limb, WIDE_LIMBS); i-- > 0;) {
        uint64_t *limb = &w->limb[i / 64], mask = (uint64_t)1 << (i % 64);
        bool beyond = rest.limb[LIMBS - 1] >> 63 != 0;

        rest = shift_in(rest, (*limb & mask) != 0);
        *limb &= ~mask;
        if (beyond || u256_cmp(rest, divisor) >= 0) {
            u256_sub_wrapping(rest, divisor, &rest);
            *limb |= mask;
        }
    }
    return rest;
}

bool u256_divmod(struct u256 a, struct u256 b, struct u256 *quotient, struct u256 *remainder)
{
    struct wide w = { { a.limb[0], a.limb[1], a.limb[2], a.limb[3] } };

    if (u256_is_zero(b))
        return false;
    *remainder = divide_wide(&w, b);
    memcpy(quotient->limb, w.limb, sizeof quotient->limb);
    return true;
}

struct u256 u256_div_u64(struct u256 a, uint64_t b, uint64_t *remainder)
{
    uint64_t rest;

    if (b == 0)
        bug("division by zero");
    rest = divide_by_limb(a.limb, LIMBS, b);
    if (remainder != NULL)
        *remainder = rest;
    return a;
}

bool u256_mul_div(struct u256 a, struct u256 b, struct u256 c, struct u256 *quotient)
{
    struct wide w;

    if (u256_is_zero(c))
        return false;
    if (is_one_limb(a) && is_one_limb(b) && is_one_limb(c)) {
        u128 result = (u128)a.limb[0] * b.limb[0] / c.limb[0];

        *quotient = (struct u256){ { (uint64_t)result, (uint64_t)(result >> 64), 0, 0 } };
        return true;
    }
    w = multiply(a, b);
    divide_wide(&w, c);
    return narrow(&w, quotient);
}

size_t u256_to_decimal(struct u256 v, char text[U256_DECIMAL_MAX])
{
    char reversed[5 * CHUNK_DIGITS];
    size_t len = 0;

    do {
        uint64_t chunk;

        v = u256_div_u64(v, DECIMAL_CHUNK, &chunk);
        for (size_t i = 0; i < CHUNK_DIGITS; i++) {
            reversed[len++] = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    } while (!u256_is_zero(v));
    while (len > 1 && reversed[len - 1] == '0')
        len--;
    for (size_t i = 0; i < len; i++)
        text[i] = reversed[len - 1 - i];
    text[len] = '\0';
    return len;
}

bool u256_from_decimal(const char *text, size_t len, struct u256 *v)
{
    struct u256 result = U256_ZERO;

    if (len == 0 || len >= U256_DECIMAL_MAX || (len > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (!u256_mul_u64(result, 10, &result)
            || !u256_add(result, u256_from_u64((uint64_t)(text[i] - '0')), &result))
            return false;
    }
    *v = result;
    return true;
}

size_t u256_to_quantity(struct u256 v, char text[67])
{
    unsigned bits = u256_bits(v);
    size_t count = bits > 0 ? (bits + 3) / 4 : 1;

    text[0] = '0';
    text[1] = 'x';
    for (size_t i = 0; i < count; i++) {
        size_t digit = count - 1 - i;

        text[2 + i] = "0123456789abcdef"[v.limb[digit / 16] >> (4 * (digit % 16)) & 15];
    }
    text[2 + count] = '\0';
    return 2 + count;
}

bool u256_from_quantity(const char *text, size_t len, struct u256 *v)
{
    struct u256 result = U256_ZERO;

    if (len < 3 || len > 66 || text[0] != '0' || text[1] != 'x' || (len > 3 && text[2] == '0'))
        return false;
    for (size_t i = 2; i < len; i++) {
        const char *digits = "0123456789abcdef", *place;
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
        size_t digit = len - 1 - i;

        place = c != '\0' ? strchr(digits, c) : NULL;      /* strchr would find the final zero byte */
        if (place == NULL)
            return false;
        result.limb[digit / 16] |= (uint64_t)(place - digits) << (4 * (digit % 16));
    }
    *v = result;
    return true;
}
