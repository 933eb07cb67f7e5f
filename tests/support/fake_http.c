#include "tests/support/fake_http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chain/http.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"
#include "gateway/base/mem.h"
#include "gateway/base/types.h"

#define HANGING_MAX 16

struct fake_http {
    struct fake_reply replies[FAKE_REPLIES_MAX];
    size_t reply_count;
    int listener;
    char url[FAKE_URL_MAX];
    fake_hook *hook;                   /* NULL: canned answers */
    void *hook_self;
    const char *target;
    struct http_client *client;
    pthread_t thread;
    pthread_mutex_t lock;              /* over all below */
    size_t requests;
    struct buf last_body, last_head;
    int hanging[HANGING_MAX];
    size_t hanging_count;
};

static int listen_on_loopback(char url[FAKE_URL_MAX])
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0
        || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        bug("no loopback socket");
    snprintf(url, FAKE_URL_MAX, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

/* Reads one request whole; NULL: what is not kept. */
static bool take_request(int fd, struct buf *request_head, struct buf *body)
{
    struct buf all;
    const char *end = NULL, *length;
    size_t head = 0, wanted = 0;
    bool ok = false;

    buf_init(&all);
    for (;;) {
        char part[4096];
        ssize_t got;

        if (end == NULL && (end = strstr(buf_text(&all), "\r\n\r\n")) != NULL) {
            head = (size_t)(end - buf_text(&all)) + 4;
            length = strcasestr(buf_text(&all), "\r\nContent-Length:");
            wanted = length != NULL ? (size_t)strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
        }
        if (end != NULL && all.len >= head + wanted) {
            ok = true;
            break;
        }
        got = recv(fd, part, sizeof part, 0);
        if (got <= 0 || !buf_add(&all, part, (size_t)got))
            break;
    }
    if (ok) {
        buf_reset(body);
        buf_add(body, all.data + head, wanted);
        if (request_head != NULL)
            buf_add(request_head, all.data, head);
    }
    buf_clear(&all);
    return ok;
}

static void send_all(int fd, const struct buf *bytes)
{
    size_t sent = 0;

    while (sent < bytes->len) {
        ssize_t n = send(fd, bytes->data + sent, bytes->len - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

static void send_answer(int fd, const struct fake_reply *reply)
{
    const char *body = reply->body != NULL ? reply->body : "";
    size_t len = strlen(body) + reply->padding;
    struct buf out;

    buf_init(&out);
    buf_printf(&out, "HTTP/1.1 %d Canned\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
               reply->status != 0 ? reply->status : 200,
               reply->manner == FAKE_BREAKS_OFF ? 2 * len + 1 : len, reply->headers != NULL ? reply->headers : "");
    buf_add_text(&out, body);
    if (reply->padding > 0)
        memset(buf_extend(&out, reply->padding), ' ', reply->padding);
    send_all(fd, &out);
    buf_clear(&out);
}

static void pass_on(struct fake_http *fake, const struct buf *body, struct buf *out)
{
    struct http_request request = { .method = "POST", .url = fake->target, .headers = { "Content-Type: application/json" },
                                    .body = body->data, .body_len = body->len, .timeout_ms = 10000, .max_bytes = 32 * MIB };
    struct http_answer answer;
    struct err err = { 0 };

    if (!http_do(fake->client, &request, &answer, &err))
        bug("the target of a proxy: %s", err.text);
    buf_add(out, answer.body.data, answer.body.len);
    http_answer_clear(&answer);
}

static void serve_proxy(struct fake_http *fake, int fd)
{
    struct fake_reply reply = { 0 };
    struct buf body, out;

    buf_init(&body);
    buf_init(&out);
    if (take_request(fd, NULL, &body)) {
        pthread_mutex_lock(&fake->lock);
        fake->requests++;
        pthread_mutex_unlock(&fake->lock);
        if (!fake->hook(fake->hook_self, buf_text(&body), &out))
            pass_on(fake, &body, &out);
        reply.body = buf_text(&out);
        send_answer(fd, &reply);
    }
    close(fd);
    buf_clear(&body);
    buf_clear(&out);
}

static void serve(struct fake_http *fake, int fd)
{
    static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };      /* close() then sends RST */
    const struct fake_reply *reply;
    struct buf body, request_head;

    buf_init(&body);
    buf_init(&request_head);
    if (!take_request(fd, &request_head, &body)) {
        buf_clear(&body);
        buf_clear(&request_head);
        close(fd);
        return;
    }
    pthread_mutex_lock(&fake->lock);
    reply = &fake->replies[fake->requests < fake->reply_count ? fake->requests : fake->reply_count - 1];
    fake->requests++;
    buf_clear(&fake->last_body);
    fake->last_body = body;
    buf_clear(&fake->last_head);
    fake->last_head = request_head;
    if (reply->manner == FAKE_HANGS) {
        if (fake->hanging_count == HANGING_MAX)
            bug("too many requests hang");
        fake->hanging[fake->hanging_count++] = fd;
    }
    pthread_mutex_unlock(&fake->lock);
    switch (reply->manner) {
    case FAKE_HANGS:
        return;
    case FAKE_RESETS:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        break;
    case FAKE_ANSWERS:
    case FAKE_BREAKS_OFF:
        send_answer(fd, reply);
        break;
    }
    close(fd);
}

static void *serve_all(void *self)
{
    struct fake_http *fake = self;
    int fd;

    while ((fd = accept(fake->listener, NULL, NULL)) >= 0)      /* fails when shut down */
        if (fake->hook != NULL)
            serve_proxy(fake, fd);
        else
            serve(fake, fd);
    return NULL;
}

static void start(struct fake_http *fake)
{
    buf_init(&fake->last_body);
    buf_init(&fake->last_head);
    fake->listener = listen_on_loopback(fake->url);
    pthread_mutex_init(&fake->lock, NULL);
    if (pthread_create(&fake->thread, NULL, serve_all, fake) != 0)
        bug("no thread");
}

struct fake_http *fake_http_new(const struct fake_reply *replies, size_t count)
{
    struct fake_http *fake = mem_new(sizeof *fake);

    if (count == 0 || count > FAKE_REPLIES_MAX)
        bug("%zu replies", count);
    memcpy(fake->replies, replies, count * sizeof *replies);
    fake->reply_count = count;
    start(fake);
    return fake;
}

struct fake_http *fake_http_new_proxy(const char *target, fake_hook *hook, void *self)
{
    struct fake_http *fake = mem_new(sizeof *fake);

    fake->target = target;
    fake->hook = hook;
    fake->hook_self = self;
    fake->client = http_new();
    start(fake);
    return fake;
}

void fake_http_free(struct fake_http *fake)
{
    if (fake == NULL)
        return;
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    for (size_t i = 0; i < fake->hanging_count; i++)
        close(fake->hanging[i]);
    pthread_mutex_destroy(&fake->lock);
    http_free(fake->client);
    buf_clear(&fake->last_body);
    buf_clear(&fake->last_head);
    free(fake);
}

const char *fake_http_url(const struct fake_http *fake)
{
    return fake->url;
}

size_t fake_http_requests(struct fake_http *fake)
{
    size_t requests;

    pthread_mutex_lock(&fake->lock);
    requests = fake->requests;
    pthread_mutex_unlock(&fake->lock);
    return requests;
}

const char *fake_http_last_body(struct fake_http *fake)
{
    const char *body;

    pthread_mutex_lock(&fake->lock);
    body = buf_text(&fake->last_body);
    pthread_mutex_unlock(&fake->lock);
    return body;
}

const char *fake_http_last_head(struct fake_http *fake)
{
    const char *head;

    pthread_mutex_lock(&fake->lock);
    head = buf_text(&fake->last_head);
    pthread_mutex_unlock(&fake->lock);
    return head;
}

void fake_http_dead_url(char url[FAKE_URL_MAX])
{
    close(listen_on_loopback(url));
}
