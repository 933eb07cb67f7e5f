#include "api/auth.h"
#include "tests/support/fixture.h"

static const struct host_case { const char *name, *host, *more; bool ours; } cases[] = {
    { "localhost with a port",                   "localhost:9090",        "",                      true },
    { "loopback by number",                      "127.0.0.1:9090",        "",                      true },
    { "IPv6 loopback",                           "[::1]:9090",            "",                      true },
    { "without a port",                          "localhost",             "",                      true },
    { "any case",                                "LocalHost",             "",                      true },
    { "the listener's own host",                 "10.1.2.3:9090",         "",                      true },
    { "a configured name",                       "admin.example:443",     "other, admin.example",  true },
    { "a name that was not configured",          "evil.example:9090",     "admin.example",         false },
    { "a name that begins like ours",            "localhost.evil.example", "",                     false },
    { "a name that ends like ours",              "evil-admin.example",    "admin.example",         false },
    { "no host",                                 "",                      "",                      false },
    { "a port that is none",                     "localhost:x",           "",                      false },
    { "only a port",                             ":9090",                 "",                      false },
};

static void a_host_is_ours_or_not(void **state)
{
    const struct host_case *c = *state;

    assert_int_equal(auth_host_is_ours(c->host, "10.1.2.3:0", c->more), c->ours);
}

static void a_missing_host_is_not_ours(void **state)
{
    (void)state;
    assert_false(auth_host_is_ours(NULL, "127.0.0.1:0", ""));
}

static void roles_are_named(void **state)
{
    enum access_role role;

    (void)state;
    assert_true(access_role_from_name("operator", &role));
    assert_int_equal(role, ACCESS_OPERATOR);
    assert_false(access_role_from_name("anyone", &role));
    assert_false(access_role_from_name("", &role));
    assert_true(ACCESS_VIEWER < ACCESS_OPERATOR && ACCESS_OPERATOR < ACCESS_ADMIN);
}

static void header_lists_are_searched(void **state)
{
    (void)state;
    assert_true(header_has("gzip, zstd;q=0.5", "zstd"));
    assert_false(header_has("gzip, zstd;q=0", "zstd"));
    assert_false(header_has("gzip, zstd; q=0.000", "zstd"));
    assert_false(header_has("zstdx", "zstd"));
    assert_true(header_has("respond-async, return=minimal", "return=minimal"));
    assert_false(header_has(NULL, "zstd"));
    assert_true(header_is_type("application/json; charset=utf-8", "application/json"));
    assert_true(header_is_type("APPLICATION/JSON", "application/json"));
    assert_false(header_is_type("application/json5", "application/json"));
    assert_false(header_is_type(NULL, "application/json"));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_missing_host_is_not_ours),
        cmocka_unit_test(roles_are_named),
        cmocka_unit_test(header_lists_are_searched),
    };
    FIXTURE_TESTS(tests, cases, a_host_is_ours_or_not);

    return cmocka_run_group_tests_name("host", tests, NULL, NULL) + cmocka_run_group_tests_name("auth", others, NULL, NULL);
}
