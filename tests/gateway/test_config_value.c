/* Single values of the configuration. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "gateway/config_value.h"

static const struct shown { const char *name, *urls, *want; } shown[] = {
    { "a plain URL is shown whole",           "http://127.0.0.1:8545",                       "http://127.0.0.1:8545" },
    { "a path that is a key is not",          "https://eth.example/v3/5ecre7",               "https://eth.example/…" },
    { "nor a query",                          "https://eth.example?key=5ecre7",              "https://eth.example/…" },
    { "nor who asks",                         "https://me:5ecre7@eth.example:443/",          "https://…@eth.example:443" },
    { "of many each",                         "http://a:1/5ecre7,https://b/5ecre7,http://c", "http://a:1/…,https://b/…,http://c" },
    { "an address that is no URL stays",      "localhost:8545",                              "localhost:8545" },
    { "nothing is nothing",                   "",                                            "" },
};

static void urls_are_shown_without_keys(void **state)
{
    const struct shown *c = *state;
    json *text = config_urls_shown(c->urls);
    const char *got;
    size_t len;

    assert_true(json_get_text(text, &got, &len));
    assert_string_equal(got, c->want);
    json_free(text);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(shown)];

    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        tests[i] = (struct CMUnitTest){ shown[i].name, urls_are_shown_without_keys, NULL, NULL, (void *)(uintptr_t)&shown[i] };
    return cmocka_run_group_tests_name("config values", tests, NULL, NULL);
}
