#include "gateway/base/amount.h"

#define BPS_WHOLE 10000
#define DECIMALS_MAX 80      /* what amount_to_units' 160 characters hold */

bool amount_share(struct amount a, uint16_t bps, struct amount *share)
{
    return u256_mul_div(a.base_units, u256_from_u64(bps), u256_from_u64(BPS_WHOLE), &share->base_units);
}

struct amount amount_from_u64(uint64_t base_units)
{
    return (struct amount){ u256_from_u64(base_units) };
}

size_t amount_to_units(struct amount a, unsigned decimals, char text[160])
{
    char all[U256_DECIMAL_MAX];
    size_t count = u256_to_decimal(a.base_units, all), len = 0, whole, zeros;

    if (decimals > DECIMALS_MAX)
        bug("a token with %u decimals", decimals);
    whole = count > decimals ? count - decimals : 0;
    memcpy(text, whole > 0 ? all : "0", whole > 0 ? whole : 1);
    len = whole > 0 ? whole : 1;
    text[len++] = '.';
    zeros = decimals > count ? decimals - count : 0;
    memset(text + len, '0', zeros);
    len += zeros;
    memcpy(text + len, all + whole, count - whole);
    len += count - whole;
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    text[len] = '\0';
    return len;
}

bool amount_from_units(const char *text, size_t len, unsigned decimals, struct amount *a)
{
    const struct u256 ten = u256_from_u64(10);
    const char *point = memchr(text, '.', len);
    size_t whole = point != NULL ? (size_t)(point - text) : len;
    size_t fraction = point != NULL ? len - whole - 1 : 0;
    struct u256 v = U256_ZERO;

    if (whole == 0 || (point != NULL && fraction == 0) || fraction > decimals)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (i == whole)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (!u256_mul(v, ten, &v) || !u256_add(v, u256_from_u64((uint64_t)(text[i] - '0')), &v))
            return false;
    }
    for (size_t i = fraction; i < decimals && !u256_is_zero(v); i++)
        if (!u256_mul(v, ten, &v))
            return false;
    a->base_units = v;
    return true;
}
