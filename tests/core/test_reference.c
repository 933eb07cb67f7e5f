#include "gateway/core/reference.h"

#include <stdio.h>

#include "gateway/lib/keccak.h"
#include "tests/support/fixture.h"

#define HEAD "provider,model_id,valid_from,input_usd_per_mtok,cache_read_usd_per_mtok,output_usd_per_mtok,tier_input_usd_per_mtok," \
             "tier_output_usd_per_mtok\n"
#define MODEL "0x1111111111111111111111111111111111111111111111111111111111111111"

static void read_draft(const char *date, struct reference *r)
{
    struct err err = { 0 };
    char text[400];
    json *draft;

    snprintf(text, sizeof text, "{\"date\":\"%s\",\"tokenPrice\":\"1.5\",\"models\":[{\"model\":\"" MODEL "\",\"provider\":\"v\",\"modelId\":\"m\"}]}", date);
    assert_true(json_read(text, strlen(text), &draft, &err));
    assert_true(reference_from_draft(draft, r, &err));
    json_free(draft);
}

static const struct price_case { const char *name, *rows, *want, *error; } cases[] = {
    { "a row with all prices",                         "v,m,,2.5,0.25,10,,\n",                                 "2.5 0.25 10", NULL },
    { "other models' rows are passed",                 "v,mm,,1,1,1,,\nw,m,,1,1,1,,\nv,m,,2,1,3,,\nv,,,,,,,\n", "2 1 3", NULL },
    { "the latest price that is in force counts",      "v,m,2025-01-01,3,1,3,,\nv,m,,9,9,9,,\nv,m,2026-08-21,2,1,2,,\n", "2 1 2", NULL },
    { "a price of later does not",                     "v,m,,2,1,2,,\nv,m,2026-08-22,1,0.5,1,,\n",             "2 1 2", NULL },
    { "of prices by the hour the lowest counts",       "v,m,,0.3,0.1,1,,\nv,m,,0.15,0.2,0.5,,\n",              "0.15 0.1 0.5", NULL },
    { "of prices by length the lowest counts",         "v,m,,3,0.3,15,6,22.5\n",                               "3 0.3 15", NULL },
    { "also where the long prompt is the cheaper one", "v,m,,3,0.3,15,2,12\n",                                 "2 0.3 12", NULL },
    { "a missing price for cached tokens is input's",  "v,m,,3,,15,,\n",                                       "3 3* 15", NULL },
    { "what is free is free",                          "v,m,,0,0,0,,\n",                                       "0 0 0", NULL },
    { "twelve decimals",                               "v,m,,0.000000000001,0,1,,\n",                          "0.000000000001 0 1", NULL },
    { "no row",                                        "v,x,,1,1,1,,\n", NULL, "models: v/m has no row in force on 2026-08-21" },
    { "only rows of later",                            "v,m,2027-01-01,1,1,1,,\n", NULL, "models: v/m has no row in force on 2026-08-21" },
    { "no input price",                                "v,m,,,1,1,,\n", NULL, "models: v/m has no price for input, and unknown is not free" },
    { "no output price",                               "v,m,,1,1,,,\n", NULL, "models: v/m has no price for output, and unknown is not free" },
    { "a later row without prices hides the earlier",  "v,m,,1,1,1,,\nv,m,2026-01-01,,,,,\n", NULL, "models: v/m has no price for input, and unknown is not free" },
    { "thirteen decimals",                             "v,m,,0.0000000000001,1,1,,\n", NULL, "csv: row 2: input_usd_per_mtok: must be a decimal of at most 12 decimals" },
    { "an exponent",                                   "v,m,,1,1e-3,1,,\n", NULL, "csv: row 2: cache_read_usd_per_mtok: must be a decimal of at most 12 decimals" },
    { "a sign",                                        "v,m,,1,1,-1,,\n", NULL, "csv: row 2: output_usd_per_mtok: must be a decimal of at most 12 decimals" },
    { "a price beyond all bounds",                     "v,m,,99999999999999999999,1,1,,\n", NULL, "csv: row 2: input_usd_per_mtok: must be a decimal of at most 12 decimals" },
    { "a day of another form",                         "v,m,2026-8-1,1,1,1,,\n", NULL, "csv: row 2: valid_from: must be a day as YYYY-MM-DD, or empty" },
    { "a row that is too short",                       "v,m,,1\n", NULL, "csv: row 2: 4 cells, and 8 columns" },
};

static void prices_are_found(void **state)
{
    const struct price_case *c = *state;
    char csv[1000], got[600], input[160], cached[160], output[160];
    struct reference r;
    struct err err = { 0 };

    snprintf(csv, sizeof csv, HEAD "%s", c->rows);
    read_draft("2026-08-21", &r);
    if (c->error != NULL) {
        assert_false(reference_price(&r, csv, strlen(csv), &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.text, c->error);
    } else {
        struct hash digest = keccak256(csv, strlen(csv));

        assert_true(reference_price(&r, csv, strlen(csv), &err));
        dollars_to_text(r.models[0].input, PRICE_DECIMALS, input);
        dollars_to_text(r.models[0].cached, PRICE_DECIMALS, cached);
        dollars_to_text(r.models[0].output, PRICE_DECIMALS, output);
        snprintf(got, sizeof got, "%s %s%s %s", input, cached, r.models[0].cached_listed ? "" : "*", output);
        assert_string_equal(got, c->want);
        assert_memory_equal(r.digest.b, digest.b, sizeof digest.b);
    }
    reference_clear(&r);
}

static void what_is_pinned_is_read_back(void **state)
{
    const char csv[] = HEAD "v,m,,2.5,,10,,\n";
    struct reference r, back;
    struct err err = { 0 };
    json *object;

    (void)state;
    read_draft("2024-02-29", &r);
    assert_true(reference_price(&r, csv, sizeof csv - 1, &err));
    r.version = 3;
    r.recorded_at_ms = 17;
    object = reference_to_json(&r);
    assert_true(reference_from_json(object, &back, &err));
    assert_true(reference_same(&r, &back));
    assert_int_equal(back.version, 3);
    assert_int_equal(back.recorded_at_ms, 17);
    assert_int_equal(u256_cmp(back.models[0].cached.atto, r.models[0].input.atto), 0);
    assert_false(back.models[0].cached_listed);
    back.token_price.atto = u256_from_u64(1);
    assert_false(reference_same(&r, &back));
    reference_clear(&back);
    json_put_text(object, "currency", "EUR");
    assert_false(reference_from_json(object, &back, &err));
    json_free(object);
    reference_clear(&r);
}

static const struct line_case { const char *name, *text; size_t count; const char *model_id; } line_cases[] = {
    { "one pair",                              MODEL "=v/m", 1, "m" },
    { "slashes and equal signs in a model_id", MODEL "=openrouter/meta/llama=3:free", 1, "meta/llama=3:free" },
    { "two pairs",                             MODEL "=v/m," MODEL "=v/m", 2, "m" },
    { "none",                                  "", 0, NULL },
    { "no provider's slash",                   MODEL "=m", SIZE_MAX, NULL },
    { "no model of ours",                      "=v/m", SIZE_MAX, NULL },
    { "an empty pair",                         "," MODEL "=v/m", SIZE_MAX, NULL },
};

static void a_mapping_is_read_from_a_line(void **state)
{
    const struct line_case *c = *state;
    struct err err = { 0 };
    const char *text;
    json *models;
    size_t len;

    if (c->count == SIZE_MAX) {
        assert_false(reference_models_from_text(c->text, &models, &err));
        assert_int_equal(err.code, ERR_INVALID);
        return;
    }
    assert_true(reference_models_from_text(c->text, &models, &err));
    assert_int_equal(json_count(models), c->count);
    if (c->count > 0) {
        assert_true(json_get_text(json_member(json_at(models, 0), "modelId"), &text, &len));
        assert_string_equal(text, c->model_id);
    }
    json_free(models);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(line_cases) + 1];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ cases[i].name, prices_are_found, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(line_cases); i++)
        tests[n++] = (struct CMUnitTest){ line_cases[i].name, a_mapping_is_read_from_a_line, NULL, NULL, (void *)(uintptr_t)&line_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_pinned_is_read_back);
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
