/* The step of a market's price: what moves it, by how much, and that nothing freezes it. */
#include "gateway/core/market.h"
#include "gateway/core/price.h"
#include "tests/support/fixture.h"
#include "tests/support/rng.h"

#include <stdio.h>

#define ONE MARKET_ONE
#define BP (ONE / 10000)

static const struct market_rule rule = { .window_s = 60, .target_bps = 5000, .dead_band_bps = 500, .max_step_bps = 1000,
                                         .floor_bps = 5000, .ceiling_bps = 20000 };

/* -- one step -- */

static struct step_case { const char *name; uint64_t before, demand, capacity, after; } steps[] = {
    { "at the target nothing moves",                       ONE, 500, 1000, ONE },
    { "the edge of the dead band, above, moves nothing",   ONE, 550, 1000, ONE },
    { "the edge of the dead band, below, moves nothing",   ONE, 450, 1000, ONE },
    { "just past the dead band it moves in proportion",    ONE, 551, 1000, ONE + 102 * BP },      /* 10 % * 51/500 */
    { "half as much again moves half a step",              ONE, 750, 1000, ONE + 500 * BP },
    { "twice the target is a whole step",                  ONE, 1000, 1000, ONE + 1000 * BP },
    { "ten times the target is no more than one",          ONE, 5000, 1000, ONE + 1000 * BP },
    { "no demand is a whole step down",                    ONE + 1000 * BP, 0, 1000, ONE },
    { "no capacity moves nothing",                         ONE, 1000, 0, ONE },
    { "neither demand nor capacity moves nothing",         ONE, 0, 0, ONE },
    { "the ceiling holds",                                 2 * ONE - BP, 1000, 1000, 2 * ONE },
    { "the floor holds",                                   ONE / 2 + BP, 0, 1000, ONE / 2 },
    { "at the ceiling it may fall",                        2 * ONE + 2 * ONE / 10, 0, 1000, 2 * ONE },
};

static void step_matches(void **state)
{
    const struct step_case *c = *state;
    struct u256 after = market_next(&rule, u256_from_u64(c->before), u256_from_u64(c->demand), u256_from_u64(c->capacity));

    assert_int_equal(after.limb[0], c->after);
    assert_int_equal(after.limb[1], 0);
}

/* -- what others freeze -- */

static void a_price_of_one_unit_moves_under_steps_of_one_basis_point(void **state)
{
    const struct market_rule slow = { 60, 5000, 0, 1, 1, 1000000 };
    struct u256 m = u256_from_u64(ONE), capacity = u256_from_u64(1000), full = u256_from_u64(1000);
    unsigned doubled = 0, windows = 0;

    (void)state;
    for (; windows < 30000; windows++) {
        m = market_next(&slow, m, full, capacity);
        if (doubled == 0 && market_price(amount_from_u64(1), m).base_units.limb[0] == 2)
            doubled = windows + 1;
    }
    assert_int_equal(doubled, 6932);              /* ln 2 / ln 1.0001 = 6931.8 */
    assert_int_equal(market_price(amount_from_u64(1), m).base_units.limb[0], 20);          /* 1.0001^30000 = 20.08 */
    for (; windows > 0; windows--)
        m = market_next(&slow, m, U256_ZERO, capacity);
    /* Down as far as up: what is lost to 18 decimals in 60 000 steps is below a millionth of a millionth. */
    assert_true(m.limb[1] == 0 && m.limb[0] <= ONE && m.limb[0] > ONE - 1000000);
    assert_int_equal(market_price(amount_from_u64(1), m).base_units.limb[0], 1);
}

static void a_price_never_becomes_free(void **state)
{
    (void)state;
    assert_int_equal(market_price(amount_from_u64(1), u256_from_u64(BP)).base_units.limb[0], 1);
    assert_true(amount_is_zero(market_price(AMOUNT_ZERO, u256_from_u64(2 * ONE))));
}

static void the_largest_figures_stay_exact(void **state)
{
    struct u256 price = U256_ZERO, huge = U256_ZERO, m;
    const struct market_rule wide = { 86400, 10000, 0, 10000, 1, MARKET_CEILING_MAX_BPS };
    struct amount got;

    (void)state;
    price.limb[1] = UINT32_MAX;                   /* 2^96 - 1 */
    price.limb[0] = UINT64_MAX;
    huge.limb[2] = 1u << 21;                      /* 2^149 */
    got = market_price((struct amount){ price }, u256_from_u64(ONE));
    assert_int_equal(u256_cmp(got.base_units, price), 0);
    m = market_next(&wide, u256_from_u64(ONE), huge, u256_from_u64(1));
    assert_int_equal(m.limb[0], 2 * ONE);
    m = market_next(&wide, u256_from_u64(ONE), u256_from_u64(1), huge);
    assert_int_equal(m.limb[0], ONE / 2);
}

/* -- properties -- */

static struct market_rule any_rule(struct rng *rng)
{
    uint32_t target = 2 + (uint32_t)rng_below(rng, 9998);

    return (struct market_rule){ 60, target, (uint32_t)rng_below(rng, target), 1 + (uint32_t)rng_below(rng, 10000),
                                 1 + (uint32_t)rng_below(rng, 10000), 10000 + (uint32_t)rng_below(rng, 990001) };
}

static void any_step_keeps_its_bounds_and_its_direction(void **state)
{
    struct rng rng = { 7 };

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct market_rule r = any_rule(&rng);
        uint64_t capacity = rng_below(&rng, UINT64_C(1) << 40), demand = rng_below(&rng, 2 * capacity + 1);
        struct u256 m = u256_from_u64(ONE), more, next = market_next(&r, m, u256_from_u64(demand), u256_from_u64(capacity));
        /* Nobody moves a price by more than maxStep, nor does more demand ever give a lower price. */
        struct u256 most = u256_from_u64(ONE + BP * r.max_step_bps);
        uint64_t share = capacity == 0 ? 0 : (uint64_t)((unsigned __int128)demand * 10000 / capacity);

        assert_true(u256_cmp(next, most) <= 0);
        assert_true(next.limb[0] >= (uint64_t)((unsigned __int128)ONE * ONE / most.limb[0]));
        if (share > r.target_bps + r.dead_band_bps)
            assert_true(u256_cmp(next, m) >= 0);
        if (share < r.target_bps - r.dead_band_bps)
            assert_true(u256_cmp(next, m) <= 0);
        more = market_next(&r, m, u256_from_u64(demand + 1 + rng_below(&rng, 1000)), u256_from_u64(capacity));
        assert_true(u256_cmp(more, next) >= 0);
    }
}

/* -- windows and capacity -- */

static void windows_begin_at_multiples_of_their_length(void **state)
{
    (void)state;
    assert_int_equal(market_window_of(&rule, 119999), 60000);
    assert_int_equal(market_first_window(&rule, 60000, 0), 60000);
    assert_int_equal(market_first_window(&rule, 60001, 0), 120000);
    assert_int_equal(market_first_window(&rule, 0, 120001), 180000);
}

static struct announcement announced(uint8_t provider, uint64_t units, uint64_t from_ms, uint64_t until_ms, uint64_t recorded_ms)
{
    return (struct announcement){ .capacity = { { { provider } }, { { 1 } }, units, from_ms, until_ms }, .recorded_at_ms = recorded_ms };
}

static uint64_t capacity_of(uint64_t from_ms, const struct announcement *list, size_t count)
{
    struct u256 sum = market_capacity(&rule, from_ms, list, count);

    return sum.limb[0];
}

static void capacity_is_what_was_known_when_the_window_began_and_covers_it(void **state)
{
    const struct announcement list[] = {
        announced(1, 5, 0, 180000, 1),
        announced(1, 7, 60000, 120000, 60000),     /* replaces the first where it was known in time */
        announced(2, 100, 60001, 180000, 0),       /* begins too late */
        announced(3, 1000, 0, 119999, 0),          /* ends too early */
    };

    (void)state;
    assert_int_equal(capacity_of(60000, list, ARRAY_LEN(list)), 7 * 60);
    assert_int_equal(capacity_of(0, list, ARRAY_LEN(list)), 1000 * 60);       /* the first two are not known yet */
    assert_int_equal(capacity_of(120000, list, ARRAY_LEN(list)), 100 * 60);   /* the last of provider 1 has run out */
    assert_int_equal(capacity_of(60000, list, 0), 0);
}

/* -- what is posted -- */

static struct rule_text { const char *name, *text, *told; } texts[] = {
    { "a market of a minute",      "{\"window\":60,\"target\":7000,\"deadBand\":500,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}", NULL },
    { "no window",                 "{\"target\":7000,\"deadBand\":500,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}", "window: an integer from 1 to 86400" },
    { "a window across midnight",  "{\"window\":7,\"target\":7000,\"deadBand\":500,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}", "window: seconds that divide a day" },
    { "a target of nothing",       "{\"window\":60,\"target\":0,\"deadBand\":0,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}", "target: an integer from 1 to 10000" },
    { "a band as wide as the target", "{\"window\":60,\"target\":700,\"deadBand\":700,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}", "deadBand: less than target" },
    { "no step",                   "{\"window\":60,\"target\":700,\"deadBand\":70,\"maxStep\":0,\"floor\":5000,\"ceiling\":30000}", "maxStep: an integer from 1 to 10000" },
    { "a floor above the base",    "{\"window\":60,\"target\":700,\"deadBand\":70,\"maxStep\":1,\"floor\":10001,\"ceiling\":30000}", "floor: an integer from 1 to 10000" },
    { "a ceiling below the base",  "{\"window\":60,\"target\":700,\"deadBand\":70,\"maxStep\":1,\"floor\":1,\"ceiling\":9999}", "ceiling: an integer from 10000 to 1000000" },
    { "a member nobody knows",     "{\"window\":60,\"target\":700,\"deadBand\":70,\"maxStep\":1,\"floor\":1,\"ceiling\":10000,\"x\":1}", "x" },
};

static void rule_is_read(void **state)
{
    const struct rule_text *c = *state;
    struct market_rule got;
    struct err err = { 0 };
    json *object;
    bool ok;

    assert_true(json_read(c->text, strlen(c->text), &object, &err));
    ok = market_rule_from_json(object, &got, &err);
    json_free(object);
    assert_int_equal(ok, c->told == NULL);
    if (c->told != NULL && strstr(err.text, c->told) == NULL)
        fail_msg("wanted \"%s\", got \"%s\"", c->told, err.text);
}

static struct posted_price { const char *name, *model, *price, *told; } prices[] = {
    { "a market of any model",        "*", "1", "market: of one model" },
    { "a price over its range at the ceiling", "0x1111111111111111111111111111111111111111111111111111111111111111",
      "70000000000000000000000000000", "perMillion/inputTokens: not below 2^96 at the market's ceiling" },
};

static void price_is_refused(void **state)
{
    const struct posted_price *c = *state;
    struct price_version p;
    struct err err = { 0 };
    char text[500];
    json *object;

    snprintf(text, sizeof text, "{\"model\":\"%s\",\"effectiveFrom\":1,\"perMillion\":{\"inputTokens\":\"%s\"},"
             "\"split\":{\"provider\":7000,\"creator\":2000,\"protocol\":1000},"
             "\"market\":{\"window\":60,\"target\":7000,\"deadBand\":500,\"maxStep\":125,\"floor\":5000,\"ceiling\":30000}}", c->model, c->price);
    assert_true(json_read(text, strlen(text), &object, &err));
    assert_false(price_from_json(object, &p, &err));
    json_free(object);
    if (strstr(err.text, c->told) == NULL)
        fail_msg("wanted \"%s\", got \"%s\"", c->told, err.text);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(steps) + ARRAY_LEN(texts) + ARRAY_LEN(prices) + 6];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        tests[n++] = (struct CMUnitTest){ steps[i].name, step_matches, NULL, NULL, &steps[i] };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        tests[n++] = (struct CMUnitTest){ texts[i].name, rule_is_read, NULL, NULL, &texts[i] };
    for (size_t i = 0; i < ARRAY_LEN(prices); i++)
        tests[n++] = (struct CMUnitTest){ prices[i].name, price_is_refused, NULL, NULL, &prices[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_price_of_one_unit_moves_under_steps_of_one_basis_point);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_price_never_becomes_free);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_largest_figures_stay_exact);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(any_step_keeps_its_bounds_and_its_direction);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(windows_begin_at_multiples_of_their_length);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(capacity_is_what_was_known_when_the_window_began_and_covers_it);
    return cmocka_run_group_tests_name("market", tests, NULL, NULL);
}
