#include "tests/support/fixture.h"

#include <stdio.h>

static void price_matches(void **state)
{
    const json *row = *state, *counts = vector_member(row, "counts");
    struct price_version p = fixture_price(row);
    uint64_t count[METER_COUNT];
    struct amount got;
    struct err err = { 0 };

    for (size_t i = 0; i < METER_COUNT; i++)
        count[i] = vector_u64(counts, meter_names[i]);
    assert_true(price_receipt(&p, count, &got, &err));
    assert_u256_is(got.base_units, vector_u256(row, "amount"));
}

#define SPLIT "\"split\":{\"provider\":7000,\"creator\":2500,\"protocol\":500}"

static void an_amount_member_is_strict(void **state)
{
    const json *row = *state, *value;
    const char *text = vector_text(row, "json");
    bool of_price = strcmp(vector_text(row, "field"), "perMillion") == 0, ok;
    char object_text[400];
    struct amount got = AMOUNT_ZERO;
    struct err err = { 0 };
    json *object = NULL;

    snprintf(object_text, sizeof object_text, "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{\"units\":%s}," SPLIT "}", text);
    assert_true(json_read(object_text, strlen(object_text), &object, &err));
    value = json_member(json_member(object, "perMillion"), "units");
    if (of_price) {
        struct price_version p;

        ok = price_from_json(object, &p, &err);
        if (ok)
            got = p.per_million[METER_UNITS];
    } else {
        ok = json_get_amount(value, &got);
    }
    assert_int_equal(ok, vector_bool(row, "ok"));
    if (ok)
        assert_u256_is(got.base_units, vector_u256(row, "value"));
    json_free(object);
}

static const struct reject_case { const char *name, *text, *says; } rejects[] = {
    { "a price for all models",             "{\"model\":\"*\",\"effectiveFrom\":1,\"unit\":\"image\",\"perMillion\":{}," SPLIT "}", NULL },
    { "the unit may be left out",           "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{}," SPLIT "}", NULL },
    { "the model is * or a digest",         "{\"model\":\"gpt\",\"effectiveFrom\":1,\"perMillion\":{}," SPLIT "}", "model:" },
    { "effectiveFrom is demanded",          "{\"model\":\"*\",\"perMillion\":{}," SPLIT "}", "effectiveFrom:" },
    { "perMillion is demanded",             "{\"model\":\"*\",\"effectiveFrom\":1," SPLIT "}", "perMillion: missing or not an object" },
    { "a meter must be known",              "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{\"tokens\":\"1\"}," SPLIT "}", "perMillion: tokens: unknown" },
    { "a price is no JSON number",          "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{\"units\":1}," SPLIT "}", "perMillion/units:" },
    { "the split is demanded",              "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{}}", "split:" },
    { "the split has all three parts",      "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{},\"split\":{\"provider\":10000,\"creator\":0}}", "split/protocol:" },
    { "the split has no others",            "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{},\"split\":{\"me\":1}}", "split: me: unknown" },
    { "the split sums to 10000",            "{\"model\":\"*\",\"effectiveFrom\":1,\"perMillion\":{},\"split\":{\"provider\":7000,\"creator\":2500,\"protocol\":501}}", "sum to 10001" },
    { "the unit has 32 characters at most", "{\"model\":\"*\",\"effectiveFrom\":1,\"unit\":\"012345678901234567890123456789012\",\"perMillion\":{}," SPLIT "}", "unit:" },
    { "version is ours to give",            "{\"model\":\"*\",\"effectiveFrom\":1,\"version\":1,\"perMillion\":{}," SPLIT "}", "version: unknown" },
};

static void price_is_judged(void **state)
{
    const struct reject_case *c = *state;
    struct price_version p;
    struct err err = { 0 };
    json *object = NULL;

    assert_true(json_read(c->text, strlen(c->text), &object, &err));
    assert_int_equal(price_from_json(object, &p, &err), c->says == NULL);
    if (c->says != NULL)
        assert_non_null(strstr(err.text, c->says));
    json_free(object);
}

static void more_cached_than_input_has_no_price(void **state)
{
    struct price_version p = { 0 };
    struct amount got = amount_from_u64(5);
    struct err err = { 0 };

    (void)state;
    assert_false(price_receipt(&p, (uint64_t[METER_COUNT]){ [METER_CACHED] = 1 }, &got, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_u256_is(got.base_units, u256_from_u64(5));
}

static void a_price_over_256_bits_is_an_overflow(void **state)
{
    struct price_version p = { 0 };
    struct amount got;
    struct err err = { 0 };

    (void)state;
    p.per_million[METER_UNITS].base_units = (struct u256){ { 0, 0, 0, UINT64_MAX } };
    assert_false(price_receipt(&p, (uint64_t[METER_COUNT]){ [METER_UNITS] = 2 }, &got, &err));
    assert_int_equal(err.code, ERR_OVERFLOW);
}

int main(void)
{
    FIXTURE_TESTS(tests, rejects, price_is_judged);
    const struct CMUnitTest others[] = {
        cmocka_unit_test(more_cached_than_input_has_no_price),
        cmocka_unit_test(a_price_over_256_bits_is_an_overflow),
    };

    return fixture_run("prices", price_matches, NULL, NULL)
         + fixture_run("amounts", an_amount_member_is_strict, NULL, NULL)
         + cmocka_run_group_tests_name("price_from_json", tests, NULL, NULL)
         + cmocka_run_group_tests_name("price_receipt", others, NULL, NULL);
}
