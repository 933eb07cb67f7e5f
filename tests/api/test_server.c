/* The protocol: what is refused before a handler runs, bodies, keys, hosts, stopping. */
#include <pthread.h>
#include <zlib.h>

#include "api/request.h"
#include "tests/api/service.h"

#define CLOSE "Connection: close\r\n\r\n"
#define HOST "Host: 127.0.0.1\r\n"

static void problems_have_one_shape(void **state)
{
    struct service *s = *state;
    struct answer a = get(s, "/v1/nothing");

    assert_problem(&a, 404, "not-found");
    assert_text_at(&a, "instance", "/v1/nothing");
    assert_text_at(&a, "title", "Not Found");
    answer_clear(&a);
}

static void a_contract_that_is_not_served_is_nowhere(void **state)
{
    struct service *s = *state;
    char text[ADDRESS_TEXT], path[128];

    expect_problem(get(s, "/v1/info?contract=0x00000000000000000000000000000000000000aa"), 404, "not-found");
    expect_problem(get(s, "/v1/info?contract=mine"), 400, "malformed");
    /* Before the key is looked at: which store holds it depends on the contract. */
    expect_problem(admin(s, "GET", "/admin/v1/providers?contract=0x00000000000000000000000000000000000000aa", "none", NULL), 404,
                   "not-found");
    address_to_text(s->w->config.domain.contract, text);
    snprintf(path, sizeof path, "/v1/info?contract=%s", text);
    expect(get(s, path), 200);
}

static void another_method_names_the_allowed_ones(void **state)
{
    struct service *s = *state;

    assert_raw(s->address, "DELETE /v1/models HTTP/1.1\r\n" HOST CLOSE, "HTTP/1.1 405", "\r\nAllow: POST, GET, HEAD\r\n");
    assert_raw(s->address, "OPTIONS /v1/receipts HTTP/1.1\r\n" HOST CLOSE, "HTTP/1.1 405", "\r\nAllow: POST\r\n");
    expect_problem(ask(s, (struct asking){ .method = "PATCH", .path = "/v1/info", .body = "x", .len = 1 }), 405, "method-not-allowed");
}

static void head_is_get_without_the_body(void **state)
{
    struct service *s = *state;
    struct buf out;

    raw(s->address, "HEAD /v1/info HTTP/1.1\r\n" HOST CLOSE, &out);
    assert_ptr_equal(strstr(buf_text(&out), "HTTP/1.1 200"), buf_text(&out));
    assert_non_null(strstr(buf_text(&out), "Content-Type: application/json"));
    assert_string_equal(strstr(buf_text(&out), "\r\n\r\n"), "\r\n\r\n");
    assert_null(strstr(buf_text(&out), "Content-Length: 0"));
    buf_clear(&out);
}

static void a_long_body_is_refused(void **state)
{
    struct service *s = *state;
    struct asking q = { .method = "POST", .path = "/v1/receipts", .type = "application/json", .len = 9 * MIB };
    char *body = mem_new(q.len + 1);

    memset(body, ' ', q.len);
    q.body = body;
    expect_problem(ask(s, q), 413, "too-large");
    q.header = "Transfer-Encoding: chunked";
    expect_problem(ask(s, q), 413, "too-large");
    q.header = NULL;
    q.path = "/v1/models";
    q.len = 100 * KIB;
    expect_problem(ask(s, q), 413, "too-large");
    free(body);
    /* Announced but never sent: answered at once, or it would wait for ever. */
    assert_raw(s->address, "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n" CLOSE, "HTTP/1.1 413", "too-large");
    assert_raw(s->address, "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: 9000000\r\nExpect: 100-continue\r\n" CLOSE,
               "HTTP/1.1 413", "too-large");
}

static void other_types_are_refused(void **state)
{
    struct service *s = *state;

    expect_problem(post(s, "/v1/receipts", "text/plain", "{}"), 415, "unsupported-media-type");
    expect_problem(post(s, "/v1/models", "text/plain", "{}"), 415, "unsupported-media-type");
    expect_problem(ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .header = "Content-Encoding: br",
                                           .body = "{}", .len = 2 }), 415, "unsupported-media-type");
}

/* Names in any case; of two lines the first; of a query the first sixteen parameters. */
static void a_head_is_read_to_its_limits(void **state)
{
    struct service *s = *state;
    char target[256] = "/v1/models?limit=1";

    assert_raw(s->address, "POST /v1/receipts HTTP/1.1\r\n" HOST "cOnTeNt-tYpE: application/json\r\nContent-Type: text/plain\r\n"
               "content-length: 2\r\n" "Connection: close\r\n\r\n{}", "HTTP/1.1 422", "malformed");
    assert_raw(s->address, "POST /v1/receipts HTTP/1.1\r\n" HOST "CONTENT-TYPE: text/plain\r\nContent-Type: application/json\r\n"
               "content-length: 2\r\n" "Connection: close\r\n\r\n{}", "HTTP/1.1 415", "unsupported-media-type");
    for (size_t i = 0; i < REQUEST_QUERY_MAX - 2; i++)
        strcat(target, "&x=1");
    strcat(target, "&cursor=bad");
    expect_problem(get(s, target), 400, "malformed");
    *strrchr(target, '&') = '\0';
    strcat(target, "&x=1&cursor=bad");
    expect(get(s, target), 200);
}

static void pack_gzip(const void *bytes, size_t len, struct buf *out)
{
    union { const void *in; Bytef *out; } from = { .in = bytes };
    z_stream z = { 0 };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = from.out;
    z.avail_in = (uInt)len;
    buf_init(out);
    z.avail_out = (uInt)deflateBound(&z, len);
    z.next_out = buf_extend(out, z.avail_out);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len = z.total_out;
    deflateEnd(&z);
}

static struct answer post_gzip(struct service *s, const void *bytes, size_t len)
{
    return ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .type = "application/json",
                                  .header = "Content-Encoding: gzip", .body = bytes, .len = len });
}

static void gzip_bodies_are_unpacked_within_the_limit(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    size_t bomb_len = 32 * MIB;
    char *bomb = mem_new(bomb_len);
    struct buf text, packed;

    buf_init(&text);
    receipt_text(&r, &text);
    pack_gzip(text.data, text.len, &packed);
    expect(post_gzip(s, packed.data, packed.len), 201);
    expect_problem(post_gzip(s, packed.data, packed.len - 1), 400, "malformed");
    expect_problem(post_gzip(s, text.data, text.len), 400, "malformed");
    buf_clear(&packed);
    pack_gzip(bomb, bomb_len, &packed);
    assert_in_range(packed.len, 1, MIB);
    expect_problem(post_gzip(s, packed.data, packed.len), 413, "too-large");
    buf_clear(&packed);
    buf_clear(&text);
    free(bomb);
}

static void the_admin_listener_wants_a_key(void **state)
{
    struct service *s = *state;

    expect_problem(admin(s, "GET", "/admin/v1/providers", "", NULL), 401, "unauthorized");
    expect_problem(admin(s, "GET", "/admin/v1/providers", "qk_wrong", NULL), 401, "unauthorized");
    expect(admin(s, "GET", "/admin/v1/providers", s->viewer.text, NULL), 200);
    expect_problem(admin(s, "POST", "/admin/v1/providers", s->viewer.text, "{}"), 403, "forbidden");
    expect_problem(admin(s, "POST", "/admin/v1/providers", s->operator_.text, "{}"), 403, "forbidden");
    expect_problem(admin(s, "POST", "/admin/v1/quarantine/release", s->viewer.text, "{}"), 403, "forbidden");
    expect_problem(get(s, "/admin/v1/providers"), 404, "not-found");     /* not on the public one */
    expect(admin(s, "GET", "/v1/info", "", NULL), 200);                   /* what is public is so here too */
    assert_raw(s->admin, "GET /admin/v1/keys HTTP/1.1\r\n" HOST CLOSE, "HTTP/1.1 401", "\r\nWWW-Authenticate: Bearer");
}

static void an_unknown_host_is_misdirected(void **state)
{
    struct service *s = *state;

    assert_raw(s->admin, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, "HTTP/1.1 421", "unknown-host");
    assert_raw(s->admin, "GET /healthz HTTP/1.1\r\nHost: admin.example:1\r\n" CLOSE, "HTTP/1.1 200", "ok");
    assert_raw(s->address, "GET /healthz HTTP/1.1\r\nHost: any.example\r\n" CLOSE, "HTTP/1.1 200", "ok");
}

static void bad_parameters_are_400(void **state)
{
    struct service *s = *state;

    expect_problem(get(s, "/v1/receipts/not-a-uuid"), 400, "malformed");
    expect_problem(get(s, "/v1/accounts/0x12"), 400, "malformed");
    expect_problem(get(s, "/v1/models/0x12"), 400, "malformed");
    expect_problem(get(s, "/v1/settlements/-1"), 400, "malformed");
    expect_problem(get(s, "/v1/settlements/99999999999999999999"), 400, "malformed");
    expect_problem(get(s, "/v1/settlements?limit=0"), 400, "malformed");
    expect_problem(get(s, "/v1/models?cursor=zz"), 400, "malformed");
}

static void the_document_is_served_and_cached(void **state)
{
    struct service *s = *state;
    struct answer a = get(s, "/openapi.json");
    struct buf out;
    char request[256], *etag, *end;

    assert_status(&a, 200);
    assert_text_at(&a, "openapi", "3.1.0");
    answer_clear(&a);
    raw(s->address, "HEAD /openapi.json HTTP/1.1\r\n" HOST CLOSE, &out);
    etag = strstr((char *)out.data, "ETag: ");
    assert_non_null(etag);
    end = strchr(etag, '\r');
    snprintf(request, sizeof request, "GET /openapi.json HTTP/1.1\r\n" HOST "If-None-Match: %.*s\r\n" CLOSE, (int)(end - etag - 6), etag + 6);
    assert_raw(s->address, request, "HTTP/1.1 304", "ETag: ");
    buf_clear(&out);
}

static void metrics_count(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 1);
    struct answer a;

    expect(post_receipt(s, &r), 201);
    a = admin(s, "GET", "/metrics", s->viewer.text, NULL);
    assert_status(&a, 200);
    assert_non_null(strstr(a.type, "text/plain"));
    assert_non_null(strstr(buf_text(&a.text), "quittance_receipts_total{status=\"accepted\"} 1\n"));
    assert_non_null(strstr(buf_text(&a.text), "route=\"/v1/receipts\",status=\"2xx\"} 1\n"));
    answer_clear(&a);
}

static void draining_refuses_receipts_and_readiness(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 1);

    expect(get(s, "/readyz"), 200);
    api_drain(s->api);
    expect_problem(get(s, "/readyz"), 503, "try-again");
    expect_problem(post_receipt(s, &r), 503, "try-again");
    expect(get(s, "/healthz"), 200);
}

#define CLIENTS 4
#define POSTS 25

struct client { struct service *s; struct signed_receipt list[POSTS]; int accepted; };

static void *post_all(void *self)
{
    struct client *c = self;
    struct service own = *c->s;      /* the same addresses, a connection of its own */

    own.http = http_new();
    for (int i = 0; i < POSTS; i++) {
        struct answer a = post_receipt(&own, &c->list[i]);

        c->accepted += a.status == 201;
        answer_clear(&a);
        a = get(&own, "/v1/models");
        answer_clear(&a);
    }
    http_free(own.http);
    return NULL;
}

static void many_clients_post_and_read_at_once(void **state)
{
    struct service *s = *state;
    struct client *clients = mem_array(CLIENTS, sizeof *clients);
    pthread_t threads[CLIENTS];

    for (int c = 0; c < CLIENTS; c++) {
        clients[c].s = s;
        for (int i = 0; i < POSTS; i++)
            clients[c].list[i] = world_receipt(s->w, &s->w->node, 1);
    }
    for (int c = 0; c < CLIENTS; c++)
        assert_int_equal(pthread_create(&threads[c], NULL, post_all, &clients[c]), 0);
    for (int c = 0; c < CLIENTS; c++) {
        pthread_join(threads[c], NULL);
        assert_int_equal(clients[c].accepted, POSTS);
    }
    assert_books_balance(s->w);
    free(clients);
}

/* Requests that wait for a commit when the service stops are answered first; the library would abort otherwise. */
static void stopping_waits_for_suspended_requests(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 1);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct buf text, request;
    char answer[64] = "";

    buf_init(&text);
    buf_init(&request);
    receipt_text(&r, &text);
    buf_printf(&request, "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s", text.len, buf_text(&text));
    to.sin_port = htons((uint16_t)strtoul(strrchr(s->address, ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    world_block(s->w);
    assert_int_equal(send(fd, request.data, request.len, MSG_NOSIGNAL), (ssize_t)request.len);
    world_wait_for_queue(s->w, 1);
    world_unblock(s->w);
    api_stop(s->api);
    s->api = NULL;
    assert_true(world_has_row(s->w, &r));
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    assert_memory_equal(answer, "HTTP/1.1 201", 12);
    close(fd);
    buf_clear(&text);
    buf_clear(&request);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_contract_that_is_not_served_is_nowhere), TEST(problems_have_one_shape), TEST(another_method_names_the_allowed_ones),
        TEST(head_is_get_without_the_body), TEST(a_long_body_is_refused), TEST(other_types_are_refused),
        TEST(a_head_is_read_to_its_limits), TEST(gzip_bodies_are_unpacked_within_the_limit),
        TEST(the_admin_listener_wants_a_key), TEST(an_unknown_host_is_misdirected), TEST(bad_parameters_are_400),
        TEST(the_document_is_served_and_cached), TEST(metrics_count), TEST(draining_refuses_receipts_and_readiness),
        TEST(many_clients_post_and_read_at_once), TEST(stopping_waits_for_suspended_requests),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
