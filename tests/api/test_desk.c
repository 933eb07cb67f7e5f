/* The desk as the service serves it: its files, sessions by cookie, events to who listens. */
#include <poll.h>

#include "api/assets.h"
#include "api/sessions.h"
#include "gateway/lib/pack.h"
#include "tests/api/service.h"
#include "tests/support/fixture.h"

static void every_file_unpacks_to_its_length(void **state)
{
    (void)state;
    assert_in_range(asset_count, 4, 16);
    for (size_t i = 0; i < asset_count; i++) {
        struct err err = { 0 };
        struct buf plain;

        buf_init(&plain);
        assert_true(gunzip(assets[i].packed, assets[i].packed_len, assets[i].len, &plain, &err));
        assert_int_equal(plain.len, assets[i].len);
        if (strstr(assets[i].name, ".js") != NULL)
            assert_in_range(assets[i].packed_len, 1, 120 * 1024);
        buf_clear(&plain);
    }
}

#define STRICT "\r\nContent-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
#define ONLY STRICT "\r\n"
#define WITH_CHAIN STRICT "; connect-src 'self' http: https:\r\n"
#define SAVED "\r\nContent-Security-Policy: base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'\r\n"

/* What each listener says: the policy of the page that is there, or NULL. */
static const struct page_case { const char *path, *on_admin, *on_public; } pages[] = {
    { "/",             ONLY, ONLY },
    { "/settlements",  ONLY, NULL },
    { "/settlements/7", ONLY, NULL },
    { "/audit",        ONLY, NULL },
    { "/models/x",     ONLY, ONLY },
    { "/register",     NULL, ONLY },
    { "/accounts/x",   ONLY, WITH_CHAIN },
    { "/receipts/x",   ONLY, WITH_CHAIN },
    { "/claim.html",   NULL, SAVED },
};

static void assert_page(const char *address, const char *path, const char *policy)
{
    char request[256];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    if (policy == NULL) {
        assert_raw(address, request, "HTTP/1.1 404", "not-found");
        return;
    }
    assert_raw(address, request, "HTTP/1.1 200", "<!doctype html>");
    assert_raw(address, request, "HTTP/1.1 200", policy);
}

static void each_page_is_a_document_under_its_policy(void **state)
{
    struct service *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        assert_page(s->admin, pages[i].path, pages[i].on_admin);
        assert_page(s->address, pages[i].path, pages[i].on_public);
    }
    assert_raw(s->admin, "GET /assets/none.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 404", "not-found");
    assert_raw(s->address, "GET /assets/claim.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 404", "not-found");
    assert_raw(s->admin, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 421", "unknown-host");
}

struct signed_in { char cookie[SESSION_TEXT], csrf[SESSION_TEXT]; };

static void take_after(const char *text, const char *mark, char out[SESSION_TEXT])
{
    const char *at = strstr(text, mark);

    if (at == NULL || strlen(at + strlen(mark)) < SESSION_TEXT - 1)
        fail_msg("no %s in %s", mark, text);
    memcpy(out, at + strlen(mark), SESSION_TEXT - 1);
    out[SESSION_TEXT - 1] = '\0';
}

static struct signed_in sign_in(struct service *s, const char *key)
{
    struct signed_in got;
    char body[128], request[400];
    struct buf out;

    snprintf(body, sizeof body, "{\"key\":\"%s\"}", key);
    snprintf(request, sizeof request, "POST /admin/v1/session HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nContent-Length: %zu\r\n"
             "Content-Type: application/json\r\nConnection: close\r\n\r\n%s", strlen(body), body);
    raw(s->admin, request, &out);
    take_after(buf_text(&out), "Set-Cookie: quittance_session=", got.cookie);
    take_after(buf_text(&out), "\"csrf\":\"", got.csrf);
    assert_non_null(strstr(buf_text(&out), "; Path=/; HttpOnly; SameSite=Strict; Secure"));
    buf_clear(&out);
    return got;
}

/* more: further header lines. */
static void assert_asked(struct service *s, const char *method, const char *path, const struct signed_in *who, const char *more, const char *status)
{
    char request[800];

    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\nCookie: a=1; quittance_session=%s; b=2\r\n%sContent-Length: 0\r\n"
             "Connection: close\r\n\r\n", method, path, who->cookie, more);
    assert_raw(s->admin, request, status, "");
}

static void a_session_reads_and_changes_with_its_token_alone(void **state)
{
    struct service *s = *state;
    struct signed_in admin = sign_in(s, s->admin_key.text), other = sign_in(s, s->admin_key.text);
    char token[128], foreign[160], strange[128];

    snprintf(token, sizeof token, "X-CSRF-Token: %s\r\n", admin.csrf);
    snprintf(foreign, sizeof foreign, "%sOrigin: https://evil.example\r\n", token);
    snprintf(strange, sizeof strange, "X-CSRF-Token: %s\r\n", other.csrf);
    assert_asked(s, "GET", "/admin/v1/prices", &admin, "", "HTTP/1.1 200");
    assert_asked(s, "DELETE", "/admin/v1/keys/none", &admin, "", "HTTP/1.1 403");
    assert_asked(s, "DELETE", "/admin/v1/keys/none", &admin, strange, "HTTP/1.1 403");
    assert_asked(s, "DELETE", "/admin/v1/keys/none", &admin, foreign, "HTTP/1.1 403");
    assert_asked(s, "DELETE", "/admin/v1/keys/none", &admin, token, "HTTP/1.1 404");
    assert_asked(s, "DELETE", "/admin/v1/session", &admin, token, "HTTP/1.1 204");
    assert_asked(s, "GET", "/admin/v1/prices", &admin, "", "HTTP/1.1 401");
    assert_asked(s, "GET", "/admin/v1/prices", &other, "", "HTTP/1.1 200");
}

static void a_session_has_its_keys_role_and_ends_with_it(void **state)
{
    struct service *s = *state;
    struct signed_in viewer = sign_in(s, s->viewer.text);
    char token[128], path[64];

    snprintf(token, sizeof token, "X-CSRF-Token: %s\r\n", viewer.csrf);
    assert_asked(s, "DELETE", "/admin/v1/keys/none", &viewer, token, "HTTP/1.1 403");
    snprintf(path, sizeof path, "/admin/v1/keys/%s", s->viewer.id);
    expect(admin(s, "DELETE", path, s->admin_key.text, NULL), 204);
    assert_asked(s, "GET", "/admin/v1/prices", &viewer, "", "HTTP/1.1 401");
}

static void a_page_elsewhere_signs_nobody_in(void **state)
{
    struct service *s = *state;
    struct asking q = { .method = "POST", .path = "/admin/v1/session", .type = "application/json", .header = "Origin: https://evil.example",
                        .key = "", .body = "{}", .len = 2 };

    expect_problem(ask(s, q), 403, "csrf");
    q.header = NULL;
    expect_problem(ask(s, q), 422, "malformed");
    q.body = "{\"key\":\"qk_none\"}";
    q.len = strlen(q.body);
    expect_problem(ask(s, q), 401, "unauthorized");
}

static int listen_to_events(struct service *s)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char request[256];

    to.sin_port = htons((uint16_t)strtoul(strrchr(s->admin, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    snprintf(request, sizeof request, "GET /admin/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", s->viewer.text);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    return fd;
}

static void read_until(int fd, const char *mark)
{
    struct buf got;
    char piece[2048];

    buf_init(&got);
    while (strstr(buf_text(&got), mark) == NULL) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ssize_t n = poll(&wait, 1, 20000) == 1 ? recv(fd, piece, sizeof piece, 0) : 0;

        if (n <= 0)
            fail_msg("no %s in %s", mark, buf_text(&got));
        buf_add(&got, piece, (size_t)n);
    }
    buf_clear(&got);
}

static void who_listens_hears_of_receipts(void **state)
{
    struct service *s = *state;
    int one = listen_to_events(s), two = listen_to_events(s), gone = listen_to_events(s);
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);

    read_until(one, "retry: ");
    read_until(two, "retry: ");
    close(gone);
    expect(post_receipt(s, &r), 201);
    read_until(one, "event: receipt");
    read_until(two, "\"accepted\":1");
    close(one);
    close(two);
}

/* The teardown stops the service: it must not wait for who listens. */
static void the_service_stops_while_somebody_listens(void **state)
{
    read_until(listen_to_events(*state), "retry: ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_unpacks_to_its_length),
        TEST(each_page_is_a_document_under_its_policy), TEST(a_session_reads_and_changes_with_its_token_alone),
        TEST(a_session_has_its_keys_role_and_ends_with_it), TEST(a_page_elsewhere_signs_nobody_in),
        TEST(who_listens_hears_of_receipts), TEST(the_service_stops_while_somebody_listens),
    };

    return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
