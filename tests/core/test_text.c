#include "tests/support/fixture.h"

#include "gateway/core/text.h"

static const struct cut_case { const char *name, *text; size_t max, want; } cuts[] = {
    { "a short text is left alone",              "abc",                      10, 3 },
    { "one that just fits too",                  "abc",                      3,  3 },
    { "ASCII is cut anywhere",                   "abcd",                     3,  3 },
    { "a two-byte character is not split",       "ab\xc3\xa9",               3,  2 },
    { "a four-byte character is not split",      "\xf0\x9f\xa6\x99z",        3,  0 },
    { "a whole character before the cut stays",  "\xf0\x9f\xa6\x99z",        4,  4 },
};

static void text_is_cut(void **state)
{
    const struct cut_case *c = *state;

    assert_int_equal(text_cut(c->text, c->max), c->want);
}

static const struct plain_case { const char *name, *text; size_t least, most; bool want; } plains[] = {
    { "an empty name is none",                   "",                         1, 4, false },
    { "an empty unit is one",                    "",                         0, 4, true },
    { "characters are counted, not bytes",       "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 1, 4, true },
    { "one too many",                            "abcde",                    1, 4, false },
    { "a newline is a control character",        "a\n",                      1, 4, false },
    { "DEL is one",                              "a\x7f",                    1, 4, false },
    { "C1 is one",                               "a\xc2\x85",                1, 4, false },
    { "a no-break space is none",                "a\xc2\xa0",                1, 4, true },
};

static void text_is_judged(void **state)
{
    const struct plain_case *c = *state;

    assert_int_equal(text_is_plain(c->text, strlen(c->text), c->least, c->most), c->want);
}

int main(void)
{
    FIXTURE_TESTS(cut_tests, cuts, text_is_cut);
    FIXTURE_TESTS(plain_tests, plains, text_is_judged);

    return cmocka_run_group_tests_name("text_cut", cut_tests, NULL, NULL)
         + cmocka_run_group_tests_name("text_is_plain", plain_tests, NULL, NULL);
}
