#include "chain/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/types.h"
#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"

#define TIMEOUT_MS 300u
#define ANSWER_MAX 100u

static bool post(const char *url, struct http_answer *answer, struct err *err)
{
    struct http_client *client = http_new();
    struct http_request request = {
        .method = "POST", .url = url, .headers = { "Content-Type: text/plain", "X-Of-Ours: 1" },
        .body = "hello", .body_len = 5, .timeout_ms = TIMEOUT_MS, .max_bytes = ANSWER_MAX,
    };
    bool ok = http_do(client, &request, answer, err);

    http_free(client);
    return ok;
}

static const struct http_case {
    const char *name;
    struct fake_reply reply;
    enum err_code code;
    int status;
    const char *body;
    unsigned retry_after_s;
} cases[] = {
    { "an answer is read", { .body = "fine" }, ERR_NONE, 200, "fine", 0 },
    { "an error status is an answer too", { .status = 503, .headers = "Retry-After: 7\r\n", .body = "later" }, ERR_NONE, 503, "later", 7 },
    { "a redirect is not followed", { .status = 302, .headers = "Location: http://127.0.0.1:1/\r\n" }, ERR_NONE, 302, "", 0 },
    { "an answer of the greatest length is read", { .body = "x", .padding = ANSWER_MAX - 1 }, ERR_NONE, 200, NULL, 0 },
    { "a longer answer is cut off", { .body = "x", .padding = ANSWER_MAX }, ERR_LIMIT, 0, NULL, 0 },
    { "an endless answer is cut off", { .body = "x", .padding = 4000000 }, ERR_LIMIT, 0, NULL, 0 },
    { "a reset after the request leaves it open", { .manner = FAKE_RESETS }, ERR_UNKNOWN, 0, NULL, 0 },
    { "silence after the request leaves it open", { .manner = FAKE_HANGS }, ERR_UNKNOWN, 0, NULL, 0 },
    { "half an answer leaves it open", { .manner = FAKE_BREAKS_OFF, .body = "half" }, ERR_UNKNOWN, 0, NULL, 0 },
};

static void exchange_ends_as_expected(void **state)
{
    const struct http_case *c = *state;
    struct fake_http *fake = fake_http_new(&c->reply, 1);
    struct http_answer answer;
    struct err err = { 0 };
    uint64_t begin_ms = clock_monotonic_ms();
    bool ok = post(fake_http_url(fake), &answer, &err);

    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERR_NONE);
    assert_true(clock_monotonic_ms() - begin_ms < 20 * TIMEOUT_MS);
    assert_string_equal(fake_http_last_body(fake), "hello");
    if (ok) {
        assert_int_equal(answer.status, c->status);
        assert_int_equal(answer.retry_after_s, c->retry_after_s);
        if (c->body != NULL)
            assert_string_equal(buf_text(&answer.body), c->body);
        http_answer_clear(&answer);
    }
    fake_http_free(fake);
}

static void a_refused_connection_was_never_sent(void **state)
{
    struct http_answer answer;
    struct err err = { 0 };
    char url[FAKE_URL_MAX];

    (void)state;
    fake_http_dead_url(url);
    assert_false(post(url, &answer, &err));
    assert_int_equal(err.code, ERR_AGAIN);
}

static const struct url_case { const char *name, *url; enum err_code code; } urls[] = {
    { "a name that is nobody's was never sent", "http://quittance.invalid/", ERR_AGAIN },
    { "a file is no URL of ours", "file:///etc/passwd", ERR_CONFIG },
    { "gopher is no URL of ours", "gopher://127.0.0.1/", ERR_CONFIG },
    { "nonsense is no URL", "http://", ERR_CONFIG },
};

static void url_is_refused(void **state)
{
    const struct url_case *c = *state;
    struct http_answer answer;
    struct err err = { 0 };

    assert_false(post(c->url, &answer, &err));
    assert_int_equal(err.code, c->code);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(urls) + 1] = {
        cmocka_unit_test(a_refused_connection_was_never_sent),
    };
    size_t n = 1;

    for (const struct http_case *c = cases; c < cases + ARRAY_LEN(cases); c++)
        tests[n++] = (struct CMUnitTest){ c->name, exchange_ends_as_expected, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct url_case *c = urls; c < urls + ARRAY_LEN(urls); c++)
        tests[n++] = (struct CMUnitTest){ c->name, url_is_refused, NULL, NULL, (void *)(uintptr_t)c };
    return cmocka_run_group_tests_name("http", tests, http_setup, http_teardown);
}
