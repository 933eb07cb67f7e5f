#include "gateway/core/charges.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/fixture.h"

#define HEAD "at,jobId,provider,receipt,model,inputTokens,cachedTokens,outputTokens,units,computeMs,priceVersion,share\r\n"
#define HASH "0x1111111111111111111111111111111111111111111111111111111111111111"
#define LINE(at, last) at ",\"018f0000-0000-7000-8000-00000000000" last "\",\"0x2222222222222222222222222222222222222222\",\"" HASH "\",\"" HASH "\",5,4,3,2,1,7,\"99\"\r\n"

static const struct charges_case { const char *name, *csv, *error; size_t count; } cases[] = {
    { "no lines",                    HEAD, NULL, 0 },
    { "two lines, in any order",     HEAD LINE("10", "2") LINE("11", "1"), NULL, 2 },
    { "no head",                     "", "row 1: other columns than those of a charge statement", 0 },
    { "another head",                "at,jobId\r\n", "row 1: other columns than those of a charge statement", 0 },
    { "a job twice",                 HEAD LINE("10", "1") LINE("11", "1"), "job 018f0000-0000-7000-8000-000000000001 stands there twice", 0 },
    { "a time that is none",         HEAD LINE("1x", "1"), "row 2: at: 1x is none", 0 },
    { "a job that is none",          HEAD LINE("10", "x"), "row 2: jobId: 018f0000-0000-7000-8000-00000000000x is none", 0 },
    { "a line too short",            HEAD "1,2\r\n", "row 2: 2 cells, and 12 columns", 0 },
};

static void lines_are_parsed(void **state)
{
    const struct charges_case *c = *state;
    struct charge_line *lines = NULL;
    struct err err = { 0 };
    size_t count = 0;

    if (c->error != NULL) {
        assert_false(charge_lines_parse(c->csv, strlen(c->csv), &lines, &count, &err));
        assert_string_equal(err.text, c->error);
        assert_null(lines);
        return;
    }
    assert_true(charge_lines_parse(c->csv, strlen(c->csv), &lines, &count, &err));
    assert_int_equal(count, c->count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(charge_line_find(lines, count, lines[i].job_id, lines[i].provider), &lines[i]);
        assert_int_equal(lines[i].count[METER_INPUT], 5);
        assert_int_equal(lines[i].count[METER_COMPUTE_MS], 1);
        assert_int_equal(lines[i].price_version, 7);
        assert_u256_is(lines[i].share.base_units, u256_from_u64(99));
    }
    assert_null(charge_line_find(lines, count, (struct job_id){ { 1 } }, (struct address){ { 2 } }));
    free(lines);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, lines_are_parsed, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("charges", tests, NULL, NULL);
}
