/* One kept connection to a gateway: writes whole requests, reads an answer's status, its length and what it counts. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "tests/bench/loadgen.h"

#define READ_AT_ONCE (256 * KIB)

struct connection {
    int fd;
    struct buf in;
};

struct connection *connection_new(const struct settings *settings)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(settings->port) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct connection *c;

    if (fd < 0 || inet_pton(AF_INET, settings->host, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c = mem_new(sizeof *c);
    c->fd = fd;
    buf_init(&c->in);
    return c;
}

void connection_free(struct connection *c)
{
    if (c == NULL)
        return;
    close(c->fd);
    buf_clear(&c->in);
    free(c);
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_more(struct connection *c)
{
    size_t had = c->in.len;
    uint8_t *room = buf_extend(&c->in, READ_AT_ONCE);
    ssize_t n = room != NULL ? recv(c->fd, room, READ_AT_ONCE, 0) : -1;

    c->in.len = n > 0 ? had + (size_t)n : had;
    c->in.data[c->in.len] = 0;
    return n > 0;
}

static uint64_t header_number(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);

    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static uint64_t occurrences(const char *text, const char *what)
{
    uint64_t n = 0;

    for (size_t len = strlen(what); (text = strstr(text, what)) != NULL; text += len)
        n++;
    return n;
}

/* With counts those; else each item says its own status. */
static void count_items(struct reply *reply)
{
    const char *counts = strstr(reply->text, "\"counts\":{");
    struct { const char *name, *status; uint64_t *sum; } rows[] = {
        { "\"accepted\":", "\"status\":\"accepted\"", &reply->accepted },
        { "\"duplicate\":", "\"status\":\"duplicate\"", &reply->duplicate },
        { "\"quarantined\":", "\"status\":\"quarantined\"", &reply->quarantined },
        { "\"rejected\":", "\"status\":\"rejected\"", &reply->rejected },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        *rows[i].sum = counts != NULL ? header_number(counts, rows[i].name) : occurrences(reply->text, rows[i].status);
}

static bool read_answer(struct connection *c, struct reply *reply)
{
    const char *end;
    size_t head, length;

    buf_reset(&c->in);
    do
        if (!read_more(c))
            return false;
    while ((end = strstr((const char *)c->in.data, "\r\n\r\n")) == NULL);
    head = (size_t)(end - (const char *)c->in.data) + 4;
    if (sscanf((const char *)c->in.data, "HTTP/1.1 %d", &reply->status) != 1)
        return false;
    length = header_number((const char *)c->in.data, "\r\nContent-Length:");
    reply->retry_after_s = (unsigned)header_number((const char *)c->in.data, "\r\nRetry-After:");
    while (c->in.len < head + length)
        if (!read_more(c))
            return false;
    reply->text = (const char *)c->in.data + head;
    return true;
}

struct reply connection_exchange(struct connection *c, const struct buf *request)
{
    struct reply reply = { .text = "" };

    if (!write_all(c->fd, request->data, request->len) || !read_answer(c, &reply))
        return (struct reply){ .text = "the connection ended" };
    if (reply.status / 100 == 2)
        count_items(&reply);
    return reply;
}
