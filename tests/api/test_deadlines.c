/* Who is late is cut off, however busy it looks; who waits for us is not. */
#define LOAD_MS 1000                          /* short enough to wait for; a busy machine stalls for half of it */
#include "tests/api/load.h"

/* Sends byte by byte, so that there never is a pause; milliseconds until it is cut off. */
static uint64_t drip(int fd, const char *endless)
{
    uint64_t began_ms = clock_monotonic_ms();
    size_t len = strlen(endless);

    for (size_t i = 0; clock_monotonic_ms() - began_ms < 10000; i++) {
        if (send(fd, &endless[i % len], 1, MSG_NOSIGNAL) != 1 || is_closed(fd, POLL_MS))
            return clock_monotonic_ms() - began_ms;
    }
    fail_msg("after ten seconds it still listens");
    return 0;
}

static uint64_t late(struct service *s, enum phase phase)
{
    struct connection_counts counts;

    server_count(s->api->server, &counts);
    return counts.late[phase];
}

static const struct { const char *name, *begin, *endless; enum phase phase; } slow_writers[] = {
    { "a connection that says nothing", "", NULL, PHASE_HEAD },
    { "a head that never ends",         "GET /v1/info HTTP/1.1\r\n" HOST, "X-A: b\r\n", PHASE_HEAD },
    { "a request line that never ends", "GET /v1/", "x", PHASE_HEAD },
    { "a body that never ends",         "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n", " ", PHASE_BODY },
    { "chunks that never end",          "POST /v1/receipts HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", PHASE_BODY },
    { "a body nobody will read",        "POST /v1/nothing HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n", " ", PHASE_BODY },
};

static void a_slow_writer_is_cut_off(void **state)
{
    struct service *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(slow_writers); i++) {
        uint64_t before = late(s, slow_writers[i].phase), took_ms, began_ms = clock_monotonic_ms();
        int fd = dial(s->address, 1);

        say(fd, slow_writers[i].begin);
        if (slow_writers[i].endless != NULL)
            took_ms = drip(fd, slow_writers[i].endless);
        else
            took_ms = is_closed(fd, 10000) ? clock_monotonic_ms() - began_ms : UINT64_MAX;
        if (took_ms < LOAD_MS - 100 || took_ms > 10000 || late(s, slow_writers[i].phase) != before + 1)
            fail_msg("%s: after %llu ms", slow_writers[i].name, (unsigned long long)took_ms);
        close(fd);
    }
}

static void a_kept_connection_is_closed_when_idle(void **state)
{
    struct service *s = *state;
    int fd = dial(s->address, 1);
    char text[4096];

    for (unsigned i = 0; i < 4; i++) {
        say(fd, "GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        hear(fd, text, sizeof text);
        assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
        clock_sleep_ms(LOAD_MS * 3 / 10);     /* together longer than any one time */
    }
    assert_true(is_closed(fd, 10000));
    assert_int_equal(late(s, PHASE_IDLE), 1);
    close(fd);
}

static void a_slow_reader_is_cut_off(void **state)
{
    struct service *s = *state;
    uint64_t began_ms = clock_monotonic_ms();
    static const char request[] = "GET /openapi.json HTTP/1.1\r\n" HOST "\r\n";
    int fds[4], small = 1024;

    /* Many answers asked for at once fill what the kernel buffers; none is read. */
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(s->address, 1);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        for (unsigned n = 0; n < 200; n++)
            if (send(fds[i], request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                break;
    }
    while (late(s, PHASE_ANSWER) < ARRAY_LEN(fds) && clock_monotonic_ms() - began_ms < 30000)
        clock_sleep_ms(POLL_MS);
    assert_int_equal(late(s, PHASE_ANSWER), ARRAY_LEN(fds));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

/* The handler's own time is not the client's. */
static void who_waits_for_us_is_not_cut_off(void **state)
{
    struct service *s = *state;
    struct signed_receipt r = world_receipt(s->w, &s->w->node, 10);
    struct buf text, request;
    int fd = dial(s->address, 1);
    char got[4096];

    buf_init(&text);
    buf_init(&request);
    receipt_text(&r, &text);
    buf_printf(&request, "POST /v1/receipts HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s", text.len, buf_text(&text));
    world_block(s->w);
    say(fd, buf_text(&request));
    clock_sleep_ms(LOAD_MS * 3 / 2);
    world_unblock(s->w);
    hear(fd, got, sizeof got);
    assert_int_equal(strncmp(got, "HTTP/1.1 201", 12), 0);
    close(fd);
    buf_clear(&text);
    buf_clear(&request);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, load_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slow_writer_is_cut_off), TEST(a_kept_connection_is_closed_when_idle), TEST(a_slow_reader_is_cut_off),
        TEST(who_waits_for_us_is_not_cut_off),
    };

    return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}
