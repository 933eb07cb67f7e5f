#include "gateway/base/hex.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <strings.h>

#include <cmocka.h>

static const struct hex_case { const char *name, *text; bool ok; } hex_cases[] = {
    { "two bytes are read in lower case",    "0xab01",   true },
    { "two bytes are read in upper case",    "0xAB01",   true },
    { "two bytes are read in mixed case",    "0xaB01",   true },
    { "a missing prefix is refused",         "ab01",     false },
    { "an upper case prefix is refused",     "0XAB01",   false },
    { "a byte too few is refused",           "0xab",     false },
    { "a byte too many is refused",          "0xab0101", false },
    { "half a byte is refused",              "0xab0",    false },
    { "a letter past f is refused",          "0xag01",   false },
    { "a sign is refused",                   "0x+b01",   false },
    { "a space is refused",                  "0xab 1",   false },
    { "nothing is refused",                  "",         false },
    { "only the prefix is refused",          "0x",       false },
};

static void hex_is_strict(void **state)
{
    const struct hex_case *c = *state;
    uint8_t bytes[2] = { 7, 7 };

    assert_int_equal(hex_decode(c->text, strlen(c->text), bytes, sizeof bytes), c->ok);
    assert_int_equal(bytes[0], c->ok ? 0xab : 7);
    assert_int_equal(bytes[1], c->ok ? 0x01 : 7);
}

#define JOB "01a0eeea-2ba3-75da-ac14-1bde43b457f1"

static const struct uuid_case { const char *name, *text; bool ok; } uuid_cases[] = {
    { "a UUID is read",                        JOB, true },
    { "a UUID in upper case is read",          "01A0EEEA-2BA3-75DA-AC14-1BDE43B457F1", true },
    { "a UUID without dashes is refused",      "01a0eeea2ba375daac141bde43b457f1", false },
    { "a dash in the wrong place is refused",  "01a0eee-a2ba3-75da-ac14-1bde43b457f1", false },
    { "a dash more is refused",                "01a0eeea-2ba3-75da-ac14-1bde43b-57f1", false },
    { "braces are refused",                    "{" JOB "}", false },
    { "a digit short is refused",              "01a0eeea-2ba3-75da-ac14-1bde43b457f", false },
    { "another letter is refused",             "01a0eeea-2ba3-75da-ac14-1bde43b457fg", false },
    { "a digit for a dash is refused",         "01a0eeea02ba3-75da-ac14-1bde43b457f1", false },
};

static void uuid_is_strict(void **state)
{
    const struct uuid_case *c = *state;
    struct job_id id;
    char text[JOB_ID_TEXT];

    assert_int_equal(job_id_from_text(c->text, strlen(c->text), &id), c->ok);
    if (!c->ok)
        return;
    job_id_to_text(id, text);
    assert_string_equal(text, JOB);
}

static void hex_is_written_in_lower_case(void **state)
{
    const uint8_t bytes[3] = { 0x00, 0xfe, 0x9a };
    char text[2 * sizeof bytes + 3];

    (void)state;
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "0x00fe9a");
    hex_encode_bare(bytes, sizeof bytes, text);
    assert_string_equal(text, "00fe9a");
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "0x");
}

/* Lengths on both sides of those that are done in one piece; any byte at any place, among digits. */
static void every_byte_counts_at_every_place(void **state)
{
    static const size_t lengths[] = { 1, 2, 15, 16, 17, 20, 31, 32, 33, 65 };
    char text[2 * 65 + 1], again[2 * 65 + 1];
    uint8_t bytes[65 + 1], untouched[65 + 1];

    (void)state;
    memset(untouched, 1, sizeof untouched);
    for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
        for (size_t len = lengths[l], at = 0; at < 2 * len; at++)
            for (int c = 0; c < 256; c++) {
                bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;

                memset(text, '7', 2 * len);
                text[2 * len] = '\0';
                text[at] = (char)c;
                memcpy(bytes, untouched, sizeof bytes);
                assert_int_equal(hex_decode_bare(text, 2 * len, bytes, len), is_digit);
                assert_int_equal(bytes[len], 1);
                if (is_digit) {
                    hex_encode_bare(bytes, len, again);
                    assert_int_equal(strcasecmp(again, text), 0);
                    assert_int_equal(again[at], tolower(c));
                } else {
                    assert_memory_equal(bytes, untouched, len);
                }
            }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(hex_cases) + ARRAY_LEN(uuid_cases) + 2];
    size_t n = 0;

    for (const struct hex_case *c = hex_cases; c < hex_cases + ARRAY_LEN(hex_cases); c++)
        tests[n++] = (struct CMUnitTest){ c->name, hex_is_strict, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct uuid_case *c = uuid_cases; c < uuid_cases + ARRAY_LEN(uuid_cases); c++)
        tests[n++] = (struct CMUnitTest){ c->name, uuid_is_strict, NULL, NULL, (void *)(uintptr_t)c };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(hex_is_written_in_lower_case);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_byte_counts_at_every_place);
    return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
