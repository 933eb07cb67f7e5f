/* tests/api/load.h - a service with small limits, and sockets that misbehave towards it.  Included by one
 * program's .c each, which defines LOAD_MS before. */
#ifndef QUITTANCE_TESTS_API_LOAD_H
#define QUITTANCE_TESTS_API_LOAD_H

#include <poll.h>

#include "api/connections.h"
#include "api/context.h"
#include "gateway/base/clock.h"
#include "tests/api/service.h"

#define HOST "Host: 127.0.0.1\r\n"
#define POLL_MS 20

/* LOAD_MS: the time for everything. */
MAYBE static int load_setup(void **state)
{
    struct service *s;

    service_setup(state);
    s = *state;
    api_stop(s->api);
    service_config(s);
    s->config.request_ms = LOAD_MS;
    s->config.answer_ms = LOAD_MS;
    s->config.idle_ms = LOAD_MS;
    s->config.per_address = 8;
    s->config.trusted_proxies = "127.0.0.2/31";
    service_serve(s);
    return 0;
}

/* From 127.0.0.`from`. */
MAYBE static int dial(const char *address, unsigned from)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

MAYBE static bool is_closed(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;

    return poll(&p, 1, wait_ms) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

MAYBE static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One answer, as far as it came at once. */
MAYBE static void hear(int fd, char *text, size_t size)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t got = 0;

    text[0] = '\0';
    if (poll(&p, 1, 30000) == 1)
        got = recv(fd, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
}

#endif
