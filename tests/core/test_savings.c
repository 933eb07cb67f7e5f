#include "gateway/core/savings.h"

#include <stdlib.h>

#include "tests/support/fixture.h"

static struct dollars dollars(const char *text, unsigned decimals)
{
    struct amount a;

    assert_true(amount_from_units(text, strlen(text), decimals, &a));
    return (struct dollars){ a.base_units };
}

/* One model, all of whose tokens are compared. */
static const struct cost_case {
    const char *name;
    uint64_t input, cached, output;
    const char *prices[3], *token_price;
    unsigned decimals;
    uint64_t charged;
    const char *reference_cost, *compared_cost, *sign, *saved;
    uint64_t bps;
} cases[] = {
    /* Two public traces of 18 502 requests, against list prices of August 2026. */
    { "30 million tokens at gpt-4o's",            30037469, 0, 2394617, { "2.5", "1.25", "10" },      "1", 6, 19807968, "99.0398425",  "19.807968", "+", "79.2318745", 8000 },
    { "the same at gpt-4o-mini's",                30037469, 0, 2394617, { "0.15", "0.075", "0.6" },   "1", 6, 6000000,  "5.94239055",  "6",         "-", "0.05760945", 97 },
    { "the same at claude-sonnet-4-5's",          30037469, 0, 2394617, { "3", "0.3", "15" },         "1", 6, 0,        "126.031662",  "0",         "+", "126.031662", 10000 },
    { "cached tokens have a price of their own",  1000, 600, 0,         { "2", "0.5", "10" },         "1", 6, 550,      "0.0011",      "0.00055",   "+", "0.00055", 5000 },
    { "one token is not rounded away",            1, 0, 0,              { "0.000000000001", "0", "0" }, "1", 18, 0,     "0.000000000000000001", "0", "+", "0.000000000000000001", 10000 },
    { "what was paid is rounded up",              1000000, 0, 0,        { "1", "1", "1" },            "0.000000000000000001", 18, 1, "1", "0.000000000000000001", "+", "0.999999999999999999", 9999 },
    { "a dearer gateway says so",                 1000000, 0, 0,        { "1", "1", "1" },            "1", 6, 3000001,  "1",           "3.000001",  "-", "2.000001", 20001 },
    { "nothing at a free reference",              1000000, 0, 0,        { "0", "0", "0" },            "1", 6, 1,        "0",           "0.000001",  NULL, NULL, 0 },
};

static void put_line(struct savings *s, uint8_t model, const struct cost_case *c)
{
    struct savings_line line = { .model = { { model } }, .receipts = 1, .tokens = { c->input, c->cached, c->output },
                                 .charged = amount_from_u64(c->charged) };
    struct err err = { 0 };

    assert_true(savings_add(s, &line, &err));
}

static void assert_member(const json *object, const char *name, const char *want)
{
    const char *text;
    size_t len;

    assert_true(json_get_text(json_member(object, name), &text, &len));
    assert_string_equal(text, want);
}

static void the_cost_is_exact(void **state)
{
    const struct cost_case *c = *state;
    struct reference_model m = { { { 7 } }, "v", "m", dollars(c->prices[0], PRICE_DECIMALS), dollars(c->prices[1], PRICE_DECIMALS),
                                 dollars(c->prices[2], PRICE_DECIMALS), true };
    struct reference r = { .token_price = dollars(c->token_price, DOLLAR_DECIMALS), .models = &m, .count = 1 };
    json *object = json_new_object();
    struct savings s = { 0 };
    struct err err = { 0 };
    const json *saved;
    uint64_t bps;

    put_line(&s, 7, c);
    put_line(&s, 9, c);                                                /* not on the list: charged, and not compared */
    assert_true(savings_compare(&s, &r, c->decimals, &err));
    savings_put(&s, object);
    assert_member(object, "referenceCost", c->reference_cost);
    assert_member(object, "comparedCost", c->compared_cost);
    assert_u256_is(s.compared.base_units, u256_from_u64(c->charged));
    assert_u256_is(s.charged.base_units, u256_from_u64(2 * c->charged));
    saved = json_member(object, "saved");
    assert_int_equal(saved != NULL, c->sign != NULL);
    if (saved != NULL) {
        assert_member(saved, "sign", c->sign);
        assert_member(saved, "amount", c->saved);
        assert_true(json_get_u64(json_member(saved, "bps"), &bps));
        assert_int_equal(bps, c->bps);
    }
    json_free(object);
    savings_clear(&s);
}

static void lines_are_sorted_and_summed_by_model(void **state)
{
    static const struct cost_case one = { .input = 10, .cached = 4, .output = 3, .charged = 100 };
    struct reference_model m = { { { 2 } }, "a \"b\"", "@c", { u256_from_u64(5000000) }, { u256_from_u64(1) }, { u256_from_u64(2) }, false };
    struct reference r = { .token_price = { u256_from_u64(1) }, .models = &m, .count = 1 };
    struct savings s = { 0 };
    struct err err = { 0 };
    struct buf csv;

    (void)state;
    put_line(&s, 2, &one);
    put_line(&s, 1, &one);
    put_line(&s, 2, &one);
    assert_true(savings_compare(&s, &r, 0, &err));
    buf_init(&csv);
    savings_csv(&s, &csv);
    assert_string_equal(buf_text(&csv),
        "model,receipts,inputTokens,cachedTokens,outputTokens,charged,provider,modelId,inputPerMillion,cachedPerMillion,cachedListed,"
        "outputPerMillion,referenceCost\r\n"
        "0x0100000000000000000000000000000000000000000000000000000000000000,1,10,4,3,100,,,,,,,\r\n"
        "0x0200000000000000000000000000000000000000000000000000000000000000,2,20,8,6,200,\"a \"\"b\"\"\",\"'@c\",0.000005,"
        "0.000000000001,0,0.000000000002,0.00000000006000002\r\n");
    buf_clear(&csv);
    savings_clear(&s);
}

static void sums_over_their_type_are_refused(void **state)
{
    struct savings_line line = { .model = { { 1 } }, .receipts = 1, .tokens = { INT64_MAX, 0, 0 } };
    struct savings s = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_true(savings_add(&s, &line, &err));
    assert_false(savings_add(&s, &line, &err));
    assert_int_equal(err.code, ERR_OVERFLOW);
    savings_clear(&s);
    assert_false(savings_compare(&s, &(struct reference){ .token_price = { u256_from_u64(1) } }, TOKEN_DECIMALS_MAX + 1, &err));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 2];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, the_cost_is_exact, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(lines_are_sorted_and_summed_by_model);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(sums_over_their_type_are_refused);
    return cmocka_run_group_tests_name("savings", tests, NULL, NULL);
}
