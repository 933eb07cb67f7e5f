/* Too much at once: who holds too many, what there is no memory for, a disk that stands still. */
#define LOAD_MS 600000                        /* no machine is so slow that time decides here */
#include "tests/api/load.h"

static void one_address_has_its_share_of_connections(void **state)
{
    struct service *s = *state;
    struct connection_counts counts;
    int fds[8], more, other;
    char text[4096];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(s->address, 1);
        say(fds[i], "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        hear(fds[i], text, sizeof text);
        assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
    }
    more = dial(s->address, 1);
    assert_true(is_closed(more, 400));        /* long before any time is over */
    server_count(s->api->server, &counts);
    assert_int_equal(counts.refused_connections, 1);
    assert_int_equal(counts.open, ARRAY_LEN(fds));
    other = dial(s->address, 9);
    say(other, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
    hear(other, text, sizeof text);
    assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
    close(other);
    close(more);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    /* What was held is given back. */
    for (unsigned i = 0; i < 3000 && counts.open > 0; i++) {
        clock_sleep_ms(POLL_MS);
        server_count(s->api->server, &counts);
    }
    assert_int_equal(counts.open, 0);
    expect(get(s, "/healthz"), 200);
}

/* A request whose body the service waits for, or refuses, of the client that a proxy names: it is counted when this returns. */
static int begin_as(struct service *s, unsigned proxy, const char *client, char *text, size_t size)
{
    char request[400];
    int fd = dial(s->address, proxy);

    snprintf(request, sizeof request, "POST /v1/receipts HTTP/1.1\r\n" HOST "X-Forwarded-For: %s\r\nExpect: 100-continue\r\n"
             "Content-Length: 10\r\n\r\n", client);
    say(fd, request);
    hear(fd, text, size);
    return fd;
}

static void behind_a_proxy_the_client_counts(void **state)
{
    struct service *s = *state;
    char text[4096];
    int fds[8], last;

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = begin_as(s, 2, "203.0.113.9", text, sizeof text);
        assert_int_equal(strncmp(text, "HTTP/1.1 100", 12), 0);
    }
    /* The same client through another proxy, and what it says of itself. */
    last = begin_as(s, 3, "1.1.1.1, 203.0.113.9", text, sizeof text);
    if (strncmp(text, "HTTP/1.1 429", 12) != 0)
        fail_msg("%s", text);
    assert_non_null(strstr(text, "Retry-After: 1\r\n"));
    assert_non_null(strstr(text, "\"too-many\""));
    close(last);
    last = begin_as(s, 2, "203.0.113.10", text, sizeof text);
    assert_int_equal(strncmp(text, "HTTP/1.1 100", 12), 0);
    say(last, "1234567890");
    hear(last, text, sizeof text);
    assert_int_equal(strncmp(text, "HTTP/1.1 422", 12), 0);      /* it got through: 10 digits are no receipt */
    close(last);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void bodies_share_one_room(void **state)
{
    struct service *s = *state;
    struct room_share others = { .room = &s->api->room };
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct answer a;
    char text[4096];
    int fd;

    room_set(&others, s->api->room.max - 20000);
    expect(get(s, "/v1/info"), 200);
    fd = dial(s->address, 1);
    say(fd, "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: 30000\r\nExpect: 100-continue\r\n\r\n");
    hear(fd, text, sizeof text);
    assert_int_equal(strncmp(text, "HTTP/1.1 503", 12), 0);      /* before a byte of the body was sent */
    assert_non_null(strstr(text, "Retry-After: 1\r\n"));
    close(fd);
    /* In chunks nobody knows before; and an answer takes room too. */
    char *body = mem_new(30001);
    memset(body, ' ', 30000);
    expect_problem(ask(s, (struct asking){ .method = "POST", .path = "/v1/receipts", .header = "Transfer-Encoding: chunked",
                                           .body = body, .len = 30000 }), 503, "try-again");
    free(body);
    expect_problem(get(s, "/openapi.json"), 503, "try-again");
    room_set(&others, 0);
    a = post_receipt(s, &r);
    assert_status(&a, 201);
    answer_clear(&a);
    expect(get(s, "/openapi.json"), 200);
    for (unsigned i = 0; i < 3000 && atomic_load(&s->api->room.used) > 0; i++)
        clock_sleep_ms(POLL_MS);
    assert_int_equal(atomic_load(&s->api->room.used), 0);        /* nothing leaks */
}

static void a_text_that_unfolds_too_far_is_refused_unread(void **state)
{
    struct service *s = *state;
    struct buf text;

    buf_init(&text);
    buf_add_text(&text, "[{}");
    while (text.len < 4 * MIB)
        buf_add_text(&text, ",{}");
    buf_add_text(&text, "]");
    expect_problem(post(s, "/v1/receipts", "application/json", buf_text(&text)), 413, "too-large");
    buf_clear(&text);
}

static void the_faults_of_one_request_are_bounded(void **state)
{
    struct service *s = *state;
    struct answer a;
    struct buf text;
    size_t faults = 0;

    buf_init(&text);
    buf_add_text(&text, "[{}");
    for (unsigned i = 1; i < 10000; i++)
        buf_add_text(&text, ",{}");
    buf_add_text(&text, "]");
    a = post(s, "/v1/receipts", "application/json", buf_text(&text));
    assert_status(&a, 200);
    for (size_t i = 0; i < 10000; i++) {
        const json *item = json_at(at(a.body, "results"), i);

        assert_true(json_count(json_member(item, "errors")) >= 1);
        faults += json_count(json_member(item, "errors"));
    }
    assert_in_range(faults, 20000, 40000);
    assert_true(json_count(at(a.body, "results.0.errors")) > 5);
    answer_clear(&a);
    buf_clear(&text);
}

/* The head that a browser sends through a proxy, with a key and all that we read: well within 4 KiB. */
static void heads_of_real_clients_fit(void **state)
{
    struct service *s = *state;
    struct buf head;
    char text[16384];
    int fd = dial(s->address, 2);

    buf_init(&head);
    buf_add_text(&head,
        "GET /v1/info?limit=100&cursor=00000000000000000000000000000000000000000000000000000000000000aa HTTP/1.1\r\n"
        "Host: gateway.example.org\r\nConnection: keep-alive\r\n"
        "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8,fr;q=0.7\r\n"
        "Sec-Ch-Ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\nSec-Ch-Ua-Mobile: ?0\r\n"
        "Sec-Ch-Ua-Platform: \"Windows\"\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n"
        "Upgrade-Insecure-Requests: 1\r\nReferer: https://gateway.example.org/earner?account=0x00000000000000000000000000000000000000aa\r\n"
        "X-Forwarded-For: 2001:db8:1234:5678:9abc:def0:1234:5678, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: gateway.example.org\r\nX-Real-IP: 203.0.113.9\r\nX-Request-Id: 6a0f2e0c9b7d4e4f8a1b2c3d4e5f6071\r\n"
        "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        "Authorization: Bearer qk_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
        "Idempotency-Key: 01932b1e-3c5a-7000-8000-000000000001\r\nIf-None-Match: \"0123456789abcdef0123456789abcdef\"\r\n");
    buf_add_text(&head, "Quittance-Auth: 0x00000000000000000000000000000000000000aa 1700000000000 0x");
    for (unsigned i = 0; i < 130; i++)
        buf_add_text(&head, "a");
    buf_add_text(&head, "\r\n\r\n");
    assert_in_range(head.len, 1400, 4096);
    say(fd, buf_text(&head));
    hear(fd, text, sizeof text);
    if (strncmp(text, "HTTP/1.1 200", 12) != 0)
        fail_msg("%s", text);
    close(fd);
    buf_clear(&head);
}

static void a_head_over_4_kib_is_refused(void **state)
{
    struct service *s = *state;
    struct buf head;
    char text[4096];
    int fd = dial(s->address, 1);

    buf_init(&head);
    buf_add_text(&head, "GET /v1/info HTTP/1.1\r\n" HOST "Cookie: ");
    for (unsigned i = 0; i < 5000; i++)
        buf_add_text(&head, "c");
    buf_add_text(&head, "\r\n\r\n");
    say(fd, buf_text(&head));
    hear(fd, text, sizeof text);
    if (strncmp(text, "HTTP/1.1 431", 12) != 0)
        fail_msg("%s", text);
    close(fd);
    buf_clear(&head);
}

static void a_still_disk_refuses_early(void **state)
{
    struct flow f;

    (void)state;
    flow_init(&f);
    assert_true(flow_enter(&f, 1000));
    assert_true(flow_enter(&f, 1000 + FLOW_STALL_MS - 1));
    assert_false(flow_enter(&f, 1000 + FLOW_STALL_MS));
    flow_leave(&f, 1000 + FLOW_STALL_MS + 5);                    /* it moves again */
    assert_true(flow_enter(&f, 1000 + FLOW_STALL_MS + 6));
    assert_false(flow_enter(&f, 2000 + 2 * FLOW_STALL_MS + 6));
    flow_leave(&f, 90000);
    flow_leave(&f, 90000);
    assert_true(flow_enter(&f, 900000));                         /* nobody waits: how long ago it was says nothing */
    assert_int_equal(flow_refused(&f), 2);
    flow_clear(&f);
}

static int status_of(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char text[4096];

    if (poll(&p, 1, wait_ms) != 1)
        return 0;
    hear(fd, text, sizeof text);
    return strncmp(text, "HTTP/1.1 503", 12) == 0 && strstr(text, "Retry-After: ") != NULL ? 503
         : strncmp(text, "HTTP/1.1 200", 12) == 0 ? 200 : -1;
}

/* Ten thousand items each: some wait for the writer, the others are refused at once, and nothing piles up. */
static void a_still_writer_refuses_what_there_is_no_room_for(void **state)
{
    struct service *s = *state;
    struct buf body, request;
    uint64_t began_ms = clock_monotonic_ms();
    size_t used;
    int fds[12], answers[12] = { 0 }, early = 0, done = 0;
    struct answer health;

    buf_init(&body);
    buf_init(&request);
    buf_add_text(&body, "[{}");
    for (unsigned i = 1; i < 10000; i++)
        buf_add_text(&body, ",{}");
    buf_add_text(&body, "]");
    buf_printf(&request, "POST /v1/receipts HTTP/1.1\r\n" HOST "Prefer: return=minimal\r\nContent-Length: %zu\r\n\r\n%s", body.len,
               buf_text(&body));
    world_block(s->w);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(s->address, (unsigned)(10 + i));
        say(fds[i], buf_text(&request));
    }
    while (early < 4 && clock_monotonic_ms() - began_ms < 120000)
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            if (answers[i] == 0)
                early += (answers[i] = status_of(fds[i], POLL_MS)) == 503;
    used = atomic_load(&s->api->room.used);
    health = get(s, "/healthz");              /* what needs no disk is answered */
    world_unblock(s->w);                      /* before anything may fail: stopping waits for the writer */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (answers[i] == 0)
            answers[i] = status_of(fds[i], 120000);
        done += answers[i] == 200;
        close(fds[i]);
        if (answers[i] != 200 && answers[i] != 503)
            fail_msg("answer %d of %zu", answers[i], i);
    }
    expect(health, 200);
    assert_in_range(early, 4, ARRAY_LEN(fds));
    assert_in_range(done, 2, ARRAY_LEN(fds) - 4);
    assert_in_range(used, 1, s->api->room.max);
    buf_clear(&body);
    buf_clear(&request);
}

static void one_provider_has_its_rate(void **state)
{
    struct service *s = *state;
    struct signed_receipt first = world_receipt(s->w, &s->w->node, 10), r;
    struct answer a;
    struct buf text;
    unsigned limited = 0;

    api_stop(s->api);
    s->w->config.rate_limit = 1;
    s->w->config.rate_burst = 3;
    world_restart(s->w);
    service_serve(s);
    a = post_receipt(s, &first);
    assert_status(&a, 201);
    answer_clear(&a);
    buf_init(&text);
    for (unsigned i = 0; i < 4; i++) {
        r = world_receipt(s->w, &s->w->node, 10);
        buf_add_text(&text, i == 0 ? "[" : ",");
        receipt_text(&r, &text);
    }
    buf_add_text(&text, "]");
    a = post(s, "/v1/receipts", "application/json", buf_text(&text));
    assert_status(&a, 200);
    for (size_t i = 0; i < 4; i++) {
        const char *code;
        size_t len;

        limited += json_get_text(json_member(json_at(at(a.body, "results"), i), "code"), &code, &len) && strcmp(code, "too-many") == 0;
    }
    assert_int_equal(limited, 2);
    assert_text_at(&a, "results.3.status", "rejected");
    answer_clear(&a);
    buf_clear(&text);
    /* Alone it is 429; what is known already is answered; another provider, and a forger, take nothing of it. */
    r = world_receipt(s->w, &s->w->node, 10);
    a = post_receipt(s, &r);
    assert_problem(&a, 429, "too-many");
    answer_clear(&a);
    a = post_receipt(s, &first);
    assert_status(&a, 200);
    assert_text_at(&a, "status", "duplicate");
    answer_clear(&a);
    for (unsigned i = 0; i < 5; i++) {
        struct signed_receipt forged = world_receipt(s->w, &s->w->other, 10);

        forged.signature.b[7] ^= 1;
        a = post_receipt(s, &forged);
        assert_status(&a, 422);
        answer_clear(&a);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct signed_receipt other = world_receipt(s->w, &s->w->other, 10);

        a = post_receipt(s, &other);
        assert_status(&a, 201);
        answer_clear(&a);
    }
    /* A second later there is one more. */
    s->w->now_ms += 1100;                     /* each group took a millisecond of its own */
    a = post_receipt(s, &r);
    assert_status(&a, 201);
    answer_clear(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, load_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_address_has_its_share_of_connections), TEST(behind_a_proxy_the_client_counts),
        TEST(bodies_share_one_room), TEST(a_text_that_unfolds_too_far_is_refused_unread), TEST(the_faults_of_one_request_are_bounded),
        TEST(heads_of_real_clients_fit), TEST(a_head_over_4_kib_is_refused), TEST(one_provider_has_its_rate),
        TEST(a_still_writer_refuses_what_there_is_no_room_for),
        cmocka_unit_test(a_still_disk_refuses_early),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
