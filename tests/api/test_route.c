#include "api/route.h"
#include "tests/support/fixture.h"

static const struct route_case {
    const char *name, *method, *path;
    enum route_result want;
    const char *template, *first_param, *allow;
} cases[] = {
    { "a fixed path",                         "GET",    "/v1/info",                   ROUTE_FOUND,     "/v1/info", "", "" },
    { "HEAD is found where GET is",           "HEAD",   "/v1/info",                   ROUTE_FOUND,     "/v1/info", "", "" },
    { "a parameter is taken out",             "GET",    "/v1/accounts/0xab",          ROUTE_FOUND,     "/v1/accounts/{address}", "0xab", "" },
    { "a segment behind a parameter",         "GET",    "/v1/accounts/0xab/claim",    ROUTE_FOUND,     "/v1/accounts/{address}/claim", "0xab", "" },
    { "a name with a dot",                    "GET",    "/v1/settlements/7/rewards.json", ROUTE_FOUND, "/v1/settlements/{sequence}/rewards.json", "7", "" },
    { "an empty parameter names nothing",     "GET",    "/v1/accounts/",              ROUTE_NO_PATH,   NULL, NULL, "" },
    { "a trailing slash names nothing",       "GET",    "/v1/info/",                  ROUTE_NO_PATH,   NULL, NULL, "" },
    { "a longer path names nothing",          "GET",    "/v1/info/x",                 ROUTE_NO_PATH,   NULL, NULL, "" },
    { "a shorter path names nothing",         "GET",    "/v1",                        ROUTE_NO_PATH,   NULL, NULL, "" },
    { "a prefix of a segment names nothing",  "GET",    "/v1/inf",                    ROUTE_NO_PATH,   NULL, NULL, "" },
    { "a path without slash names nothing",   "GET",    "v1/info",                    ROUTE_NO_PATH,   NULL, NULL, "" },
    { "another method: GET comes with HEAD",  "DELETE", "/v1/info",                   ROUTE_NO_METHOD, NULL, NULL, "GET, HEAD" },
    { "another method: all are listed",       "PUT",    "/v1/models",                 ROUTE_NO_METHOD, NULL, NULL, "POST, GET, HEAD" },
    { "a POST has no HEAD",                   "HEAD",   "/v1/receipts",               ROUTE_NO_METHOD, NULL, NULL, "POST" },
    { "methods are in capitals",              "get",    "/v1/info",                   ROUTE_NO_METHOD, NULL, NULL, "GET, HEAD" },
};

static void a_request_finds_its_row(void **state)
{
    const struct route_case *c = *state;
    char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX] = { "" }, allow[ROUTE_ALLOW_MAX];
    const struct route *route = NULL;

    assert_int_equal(route_find(&routes_public, c->method, c->path, &route, param, allow), c->want);
    if (c->want == ROUTE_FOUND) {
        assert_string_equal(route->path, c->template);
        assert_string_equal(param[0], c->first_param);
    } else {
        assert_string_equal(allow, c->allow);
    }
}

static void a_parameter_that_is_too_long_names_nothing(void **state)
{
    char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX], allow[ROUTE_ALLOW_MAX], path[256] = "/v1/accounts/";
    const struct route *route;

    (void)state;
    memset(path + strlen(path), 'a', REQUEST_PARAM_MAX);
    assert_int_equal(route_find(&routes_public, "GET", path, &route, param, allow), ROUTE_NO_PATH);
}

/* -- openapi.json says what routes.c does -- */

static size_t count_documented(const json *paths)
{
    size_t count = 0;
    void *cursor = NULL;
    const json *methods;

    while (json_next_member(paths, &cursor, &methods) != NULL)
        count += json_count(methods);
    return count;
}

static void assert_documented(const json *paths, const struct route_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct route *row = &table->rows[i];
        char method[8] = "";

        for (size_t k = 0; row->method[k] != '\0'; k++)
            method[k] = (char)(row->method[k] | 0x20);
        if (json_member(json_member(paths, row->path), method) == NULL)
            fail_msg("openapi.json has no %s %s", method, row->path);
    }
}

static void openapi_names_every_route_and_no_other(void **state)
{
    struct err err = { 0 };
    const json *paths;
    json *document;

    (void)state;
    assert_true(json_read_file("api/openapi.json", MIB, &document, &err));
    paths = json_member(document, "paths");
    assert_documented(paths, &routes_public);
    assert_documented(paths, &routes_admin);
    assert_int_equal(count_documented(paths), routes_public.count + routes_admin.count);
    json_free(document);
}

/* Signing in and out, and a question with a body: they change nothing. */
static bool is_exempt(const char *path)
{
    return strncmp(path, "/admin/v1/session", strlen("/admin/v1/session")) == 0 || strcmp(path, "/admin/v1/prices/effect") == 0;
}

static void every_admin_change_needs_more_than_a_viewer(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_admin.count; i++) {
        const struct route *row = &routes_admin.rows[i];

        if (is_exempt(row->path))
            continue;
        if (strcmp(row->method, "GET") == 0)
            assert_int_equal(row->least, ACCESS_VIEWER);
        else
            assert_in_range(row->least, ACCESS_OPERATOR, ACCESS_ADMIN);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_parameter_that_is_too_long_names_nothing),
        cmocka_unit_test(openapi_names_every_route_and_no_other),
        cmocka_unit_test(every_admin_change_needs_more_than_a_viewer),
    };
    FIXTURE_TESTS(tests, cases, a_request_finds_its_row);

    return cmocka_run_group_tests_name("route", tests, NULL, NULL) + cmocka_run_group_tests_name("routes", others, NULL, NULL);
}
