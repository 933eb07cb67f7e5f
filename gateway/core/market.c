#include "gateway/core/market.h"

#include "gateway/core/members.h"
#include "gateway/core/model.h"

#include <inttypes.h>

#define SECOND_MS UINT64_C(1000)
#define DAY_S 86400u
#define FIGURE_BITS 150u                      /* of demand and capacity that are read */
#define MULTIPLIER_BITS 67u                   /* holds the highest ceiling */

/* -- what is posted -- */

enum bound_of { WINDOW, TARGET, DEAD_BAND, MAX_STEP, FLOOR, CEILING };
static const struct { const char *name; uint32_t least, most; } bounds[] = {
    [WINDOW]    = { "window",   1, MARKET_WINDOW_MAX_S },
    [TARGET]    = { "target",   1, BPS },
    [DEAD_BAND] = { "deadBand", 0, BPS },
    [MAX_STEP]  = { "maxStep",  1, BPS },
    [FLOOR]     = { "floor",    1, BPS },
    [CEILING]   = { "ceiling",  BPS, MARKET_CEILING_MAX_BPS },
};

bool market_rule_from_json(const json *object, struct market_rule *rule, struct err *err)
{
    const char *names[ARRAY_LEN(bounds)];
    uint64_t value[ARRAY_LEN(bounds)];

    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        names[i] = bounds[i].name;
    if (!members_known(object, names, ARRAY_LEN(names), err))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        if (!json_get_u64(json_member(object, names[i]), &value[i]) || value[i] < bounds[i].least || value[i] > bounds[i].most)
            return err_set(err, ERR_INVALID, "%s: an integer from %u to %u", names[i], bounds[i].least, bounds[i].most);
    if (DAY_S % value[WINDOW] != 0)
        return err_set(err, ERR_INVALID, "window: seconds that divide a day, so that windows begin at midnight UTC");
    if (value[DEAD_BAND] >= value[TARGET])
        return err_set(err, ERR_INVALID, "deadBand: less than target, else the price never falls");
    *rule = (struct market_rule){ (uint32_t)value[WINDOW], (uint32_t)value[TARGET], (uint32_t)value[DEAD_BAND],
                                  (uint32_t)value[MAX_STEP], (uint32_t)value[FLOOR], (uint32_t)value[CEILING] };
    return true;
}

json *market_rule_to_json(const struct market_rule *rule)
{
    const uint32_t value[ARRAY_LEN(bounds)] = { rule->window_s, rule->target_bps, rule->dead_band_bps, rule->max_step_bps,
                                                rule->floor_bps, rule->ceiling_bps };
    json *object = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        json_put_u64(object, bounds[i].name, value[i]);
    return object;
}

static bool read_decimal(const json *object, const char *name, unsigned bits, struct u256 *v, struct err *err)
{
    struct amount amount;

    if (!json_get_amount(json_member(object, name), &amount) || u256_bits(amount.base_units) > bits)
        return err_set(err, ERR_INVALID, "%s: a decimal string below 2^%u", name, bits);
    *v = amount.base_units;
    return true;
}

bool market_step_from_json(const json *object, struct market_step *step, struct err *err)
{
    static const char *const names[] = { "base", "from", "demand", "capacity", "multiplier" };
    struct market_step read = { 0 };

    if (!members_known(object, names, ARRAY_LEN(names), err))
        return false;
    if (!json_get_u64(json_member(object, "base"), &read.base) || read.base == 0)
        return err_set(err, ERR_INVALID, "base: the number of a version");
    if (!json_get_u64(json_member(object, "from"), &read.from_ms))
        return err_set(err, ERR_INVALID, "from: an integer of Unix milliseconds");
    if (!read_decimal(object, "demand", FIGURE_BITS, &read.demand, err) || !read_decimal(object, "capacity", FIGURE_BITS, &read.capacity, err)
        || !read_decimal(object, "multiplier", MULTIPLIER_BITS, &read.multiplier, err))
        return false;
    *step = read;
    return true;
}

json *market_step_to_json(const struct market_step *step)
{
    json *object = json_new_object();

    json_put_u64(object, "base", step->base);
    json_put_u64(object, "from", step->from_ms);
    json_put_amount(object, "demand", (struct amount){ step->demand });
    json_put_amount(object, "capacity", (struct amount){ step->capacity });
    json_put_amount(object, "multiplier", (struct amount){ step->multiplier });
    return object;
}

bool capacity_check(const struct capacity *c, uint64_t now_ms, struct err *err)
{
    if (c->units_per_second > CAPACITY_UNITS_MAX)
        return err_set(err, ERR_INVALID, "unitsPerSecond: at most %" PRIu64, CAPACITY_UNITS_MAX);
    if (c->valid_from_ms + CAPACITY_SKEW_MS < now_ms || c->valid_from_ms > now_ms + CAPACITY_SKEW_MS)
        return err_set(err, ERR_INVALID, "validFrom: within %" PRIu64 " s of the gateway's clock", CAPACITY_SKEW_MS / SECOND_MS);
    if (c->valid_until_ms <= c->valid_from_ms || c->valid_until_ms - c->valid_from_ms > CAPACITY_LIFE_MAX_MS)
        return err_set(err, ERR_INVALID, "validUntil: after validFrom, by at most %" PRIu64 " s", CAPACITY_LIFE_MAX_MS / SECOND_MS);
    if (c->valid_until_ms <= now_ms)
        return err_set(err, ERR_INVALID, "validUntil: this announcement has run out");
    return true;
}

/* -- windows -- */

uint64_t market_units(const uint64_t count[METER_COUNT])
{
    return count[METER_INPUT] - count[METER_CACHED] + count[METER_OUTPUT] + count[METER_UNITS];     /* each below 2^53 */
}

uint64_t market_window_of(const struct market_rule *rule, uint64_t at_ms)
{
    return at_ms - at_ms % (rule->window_s * SECOND_MS);
}

uint64_t market_first_window(const struct market_rule *rule, uint64_t effective_from_ms, uint64_t recorded_at_ms)
{
    uint64_t since_ms = effective_from_ms > recorded_at_ms ? effective_from_ms : recorded_at_ms;
    uint64_t window_ms = market_window_of(rule, since_ms);

    return window_ms == since_ms ? window_ms : window_ms + rule->window_s * SECOND_MS;
}

int announcement_order(const void *a, const void *b)
{
    const struct announcement *x = a, *y = b;
    int providers = address_cmp(&x->capacity.provider, &y->capacity.provider);
    uint64_t left = x->capacity.valid_from_ms, right = y->capacity.valid_from_ms;

    return providers != 0 ? providers : (left > right) - (left < right);
}

struct u256 market_capacity(const struct market_rule *rule, uint64_t from_ms, const struct announcement *list, size_t count)
{
    uint64_t until_ms = from_ms + rule->window_s * SECOND_MS;
    struct u256 sum = U256_ZERO, part;

    for (size_t i = 0; i < count; ) {
        const struct announcement *last = NULL;
        struct address provider = list[i].capacity.provider;

        for (; i < count && address_eq(list[i].capacity.provider, provider); i++)
            if (list[i].recorded_at_ms <= from_ms)
                last = &list[i];
        if (last == NULL || last->capacity.valid_from_ms > from_ms || last->capacity.valid_until_ms < until_ms)
            continue;
        if (!u256_mul_u64(u256_from_u64(last->capacity.units_per_second), rule->window_s, &part) || !u256_add(sum, part, &sum))
            bug("a capacity over 256 bits");
    }
    return sum;
}

/* -- the step -- */

/* No product here comes near 256 bits: a demand or capacity that is read stays below 2^150, a multiplier below 2^67. */
static struct u256 times(struct u256 a, uint64_t b)
{
    struct u256 product;

    if (!u256_mul_u64(a, b, &product))
        bug("a market figure over 256 bits");
    return product;
}

static struct u256 scaled(struct u256 a, struct u256 by, struct u256 over)
{
    struct u256 quotient;

    if (!u256_mul_div(a, by, over, &quotient))
        bug("a market quotient over 256 bits");
    return quotient;
}

static struct u256 distance(struct u256 a, struct u256 b)
{
    struct u256 d;

    if (!u256_sub(a, b, &d) && !u256_sub(b, a, &d))
        bug("two numbers, none of them the smaller");
    return d;
}

/* Basis points with 18 decimals. */
static struct u256 with_decimals(uint32_t bps)
{
    return times(u256_from_u64(MARKET_ONE / BPS), bps);
}

/* 1 + s. */
static struct u256 factor(const struct market_rule *rule, struct u256 off, struct u256 target)
{
    struct u256 most = with_decimals(rule->max_step_bps), sum;
    struct u256 s = u256_cmp(off, target) < 0 ? scaled(most, off, target) : most;

    if (!u256_add(s, u256_from_u64(MARKET_ONE), &sum))
        bug("a market step over 256 bits");
    return sum;
}

struct u256 market_next(const struct market_rule *rule, struct u256 multiplier, struct u256 demand, struct u256 capacity)
{
    const struct u256 one = u256_from_u64(MARKET_ONE), floor = with_decimals(rule->floor_bps), ceiling = with_decimals(rule->ceiling_bps);
    /* Utilisation and target, both times 10000 times the capacity: nothing is divided before it must be. */
    struct u256 used = times(demand, BPS), target = times(capacity, rule->target_bps), off = distance(used, target), next;
    bool above = u256_cmp(used, target) > 0;

    if (u256_is_zero(capacity) || u256_cmp(off, times(capacity, rule->dead_band_bps)) <= 0)
        return multiplier;
    next = above ? scaled(multiplier, factor(rule, off, target), one) : scaled(multiplier, one, factor(rule, off, target));
    if (u256_cmp(next, floor) < 0)
        return floor;
    return u256_cmp(next, ceiling) > 0 ? ceiling : next;
}

struct amount market_price(struct amount base, struct u256 multiplier)
{
    struct u256 price = scaled(base.base_units, multiplier, u256_from_u64(MARKET_ONE));

    /* Free is what an operator says, never what a floor and rounding make. */
    return (struct amount){ u256_is_zero(price) && !amount_is_zero(base) ? u256_from_u64(1) : price };
}
