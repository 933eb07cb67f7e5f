#include "gateway/core/price.h"

#include "gateway/core/members.h"
#include "gateway/core/model.h"
#include "gateway/core/text.h"

#define PER_MILLION_BITS 96

static const char *const price_members[] = { "model", "effectiveFrom", "unit", "perMillion", "split", "market" };
static const char *const split_names[SPLIT_PARTS] = { "provider", "creator", "protocol" };

bool price_receipt(const struct price_version *version, const uint64_t count[METER_COUNT], struct amount *price,
                   struct err *err)
{
    struct u256 sum = U256_ZERO;

    if (count[METER_CACHED] > count[METER_INPUT])
        return err_set(err, ERR_INVALID, "cachedTokens: more than inputTokens");
    for (size_t i = 0; i < METER_COUNT; i++) {
        uint64_t priced = i == METER_INPUT ? count[METER_INPUT] - count[METER_CACHED] : count[i];
        struct u256 part;

        if (priced == 0 || amount_is_zero(version->per_million[i]))
            continue;                         /* most meters, of most jobs */
        if (!u256_mul_u64(version->per_million[i].base_units, priced, &part) || !u256_add(sum, part, &sum))
            return err_set(err, ERR_OVERFLOW, "a price over 256 bits");
    }
    *price = (struct amount){ u256_div_u64(sum, 1000000, NULL) };
    return true;
}

static bool read_model(const json *object, struct price_version *p, struct err *err)
{
    const json *model = json_member(object, "model");
    const char *text;
    size_t len;

    if (json_get_text(model, &text, &len) && len == 1 && text[0] == '*') {
        p->any_model = true;
        return true;
    }
    if (!json_get_hash(model, &p->model))
        return err_set(err, ERR_INVALID, "model: \"*\" or a string of 0x and 64 hex digits");
    return true;
}

static bool read_unit(const json *object, struct price_version *p, struct err *err)
{
    const json *unit = json_member(object, "unit");
    const char *text;
    size_t len;

    if (unit == NULL)
        return true;
    if (!json_get_text(unit, &text, &len) || !text_is_plain(text, len, 0, PRICE_UNIT_MAX))
        return err_set(err, ERR_INVALID, "unit: a string of at most %d characters without control characters", PRICE_UNIT_MAX);
    memcpy(p->unit, text, len);
    p->unit[len] = '\0';
    return true;
}

static bool read_per_million(const json *object, struct price_version *p, struct err *err)
{
    const json *prices = json_member(object, "perMillion");

    if (!members_known(prices, meter_names, METER_COUNT, err))
        return err_prefix(err, "perMillion");
    for (size_t i = 0; i < METER_COUNT; i++) {
        const json *value = json_member(prices, meter_names[i]);

        if (value == NULL)
            continue;
        if (!json_get_amount(value, &p->per_million[i]) || u256_bits(p->per_million[i].base_units) > PER_MILLION_BITS)
            return err_set(err, ERR_INVALID, "perMillion/%s: a decimal string of base units below 2^96", meter_names[i]);
    }
    return true;
}

static bool read_split(const json *object, struct price_version *p, struct err *err)
{
    const json *split = json_member(object, "split");
    uint64_t sum = 0;

    if (!members_known(split, split_names, SPLIT_PARTS, err))
        return err_prefix(err, "split");
    for (size_t i = 0; i < SPLIT_PARTS; i++) {
        uint64_t bps;

        if (!json_get_u64(json_member(split, split_names[i]), &bps) || bps > BPS)
            return err_set(err, ERR_INVALID, "split/%s: an integer from 0 to %d basis points", split_names[i], BPS);
        p->split_bps[i] = (uint16_t)bps;
        sum += bps;
    }
    if (sum != BPS)
        return err_set(err, ERR_INVALID, "split: the parts sum to %u basis points, not %d", (unsigned)sum, BPS);
    return true;
}

/* A price at its ceiling is a price like any other. */
static bool read_market(const json *object, struct price_version *p, struct err *err)
{
    const json *market = json_member(object, "market");
    struct u256 highest;

    if (market == NULL)
        return true;
    if (p->any_model)
        return err_set(err, ERR_INVALID, "market: of one model, not of \"*\"");
    if (!market_rule_from_json(market, &p->market, err))
        return err_prefix(err, "market");
    for (size_t i = 0; i < METER_COUNT; i++) {
        if (!u256_mul_u64(p->per_million[i].base_units, p->market.ceiling_bps, &highest))
            bug("a price below 2^96 is over 256 bits at its ceiling");
        if (u256_bits(u256_div_u64(highest, BPS, NULL)) > PER_MILLION_BITS)
            return err_set(err, ERR_INVALID, "perMillion/%s: not below 2^96 at the market's ceiling", meter_names[i]);
    }
    return true;
}

bool price_from_json(const json *object, struct price_version *p, struct err *err)
{
    struct price_version read = { 0 };

    if (!members_known(object, price_members, ARRAY_LEN(price_members), err) || !read_model(object, &read, err))
        return false;
    if (!json_get_u64(json_member(object, "effectiveFrom"), &read.effective_from_ms))
        return err_set(err, ERR_INVALID, "effectiveFrom: an integer of Unix milliseconds");
    if (!read_unit(object, &read, err) || !read_per_million(object, &read, err) || !read_split(object, &read, err)
        || !read_market(object, &read, err))
        return false;
    *p = read;
    return true;
}

json *price_to_json(const struct price_version *p)
{
    json *object = json_new_object();
    json *prices = json_new_object();
    json *split = json_new_object();

    for (size_t i = 0; i < METER_COUNT; i++)
        json_put_amount(prices, meter_names[i], p->per_million[i]);
    for (size_t i = 0; i < SPLIT_PARTS; i++)
        json_put_u64(split, split_names[i], p->split_bps[i]);
    json_put_u64(object, "version", p->version);
    if (p->any_model)
        json_put_text(object, "model", "*");
    else
        json_put_hash(object, "model", p->model);
    json_put_u64(object, "effectiveFrom", p->effective_from_ms);
    json_put_u64(object, "recordedAt", p->recorded_at_ms);
    json_put_text(object, "unit", p->unit);
    json_put(object, "perMillion", prices);
    json_put(object, "split", split);
    if (p->market.window_s != 0)
        json_put(object, "market", market_rule_to_json(&p->market));
    if (p->step.base != 0)
        json_put(object, "step", market_step_to_json(&p->step));
    return object;
}

void price_after_step(const struct price_version *base, const struct market_step *step, struct price_version *p)
{
    *p = *base;
    p->version = p->recorded_at_ms = 0;
    p->market = (struct market_rule){ 0 };
    p->step = *step;
    p->effective_from_ms = step->from_ms + base->market.window_s * UINT64_C(1000);
    for (size_t i = 0; i < METER_COUNT; i++)
        p->per_million[i] = market_price(base->per_million[i], step->multiplier);
}
