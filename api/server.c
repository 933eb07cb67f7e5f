#include "api/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/exchange.h"
#include "api/listen.h"
#include "api/problem.h"
#include "api/waiting.h"
#include "api/wire.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#define FILES_MAX 256                         /* sent at a time: each has a descriptor (gateway/limits.h) */
#define CLASSES 6
#define FLAGS (MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG)

struct server {
    struct server_config config;
    struct MHD_Daemon *daemon;
    char address[LISTEN_TEXT];
    struct waiting waiting;
    struct connections *connections;
    atomic_int files;
    atomic_uint_fast64_t *answers[SERVER_TABLES];         /* CLASSES a row, and one row more for no route */
};

/* The life of one request, all on the connection's thread but for WAITING:
 *   READING -> (body complete) -> handler -> ANSWERED
 *                                        \-> LEAVING -> WAITING (suspended) -> request_wake -> READY -> finish -> ANSWERED
 * LEAVING lasts until the library calls again, which is at once.  A connection that is suspended while its request is being
 * read is taken for one to read from when it comes back: a look at its socket in vain, and its way out of epoll and in
 * again, each time.  From here it comes back to be written to, and mostly finds its next request there.
 * A library that is being stopped takes an answer without keeping it, and asks for one again: ANSWERED has none more. */
enum stage { READING, LEAVING, WAITING, READY, ANSWERED };

struct passage {
    struct exchange x;                        /* first: request_wake gets here from its request */
    struct server *server;
    struct wire wire;
    bool entered, has_file, waited;
    _Atomic enum stage stage;
};

static void hold_file(struct passage *p)
{
    p->has_file = p->x.reply.file >= 0;
    if (!p->has_file || atomic_fetch_add(&p->server->files, 1) < FILES_MAX)
        return;
    problem_busy(&p->x.reply);                /* closes it */
    atomic_fetch_add(&p->server->config.room->refused, 1);
}

static void note_answer(const struct passage *p)
{
    if (log_takes(LOG_DEBUG_LEVEL)) {
        char client[IP_TEXT];

        ip_to_text(p->x.req.client, client);
        log_event(LOG_DEBUG_LEVEL, "request_answered", KV_TEXT("method", p->x.req.method), KV_TEXT("path", p->x.req.path),
                  KV_TEXT("client", client), KV_U64("status", (uint64_t)p->x.reply.status));
    }
    assert(p->x.reply.status < 600);
    atomic_fetch_add(&p->server->answers[p->x.table][p->x.row * CLASSES + (size_t)p->x.reply.status / 100], 1);
}

static enum MHD_Result send_reply(struct passage *p)
{
    struct reply *reply = &p->x.reply;

    atomic_store(&p->stage, ANSWERED);
    if (reply->body.failed)
        problem(reply, 503, "try-again", "The answer is larger than there is room for now; ask for a smaller part.");
    exchange_answered(&p->x);
    hold_file(p);
    note_answer(p);
    connection_phase(p->wire.on, PHASE_ANSWER, reply->file >= 0 ? reply_file_size(reply) : reply->body.len);
    return wire_answer(&p->wire) ? MHD_YES : MHD_NO;
}

void request_wake(struct request *req)
{
    struct passage *p = (struct passage *)(void *)req;
    struct server *s = p->server;
    bool slow = req->route->pace == ROUTE_SLOW;

    if (slow)
        waiting_slow_ends(&s->waiting);
    atomic_store(&p->stage, READY);
    MHD_resume_connection(p->wire.connection);     /* from here on the passage may be gone */
    waiting_leave(&s->waiting);
}

static void *run_slow(void *self)
{
    struct passage *p = self;

    p->x.req.route->handler(&p->x.req, &p->x.reply);
    request_wake(&p->x.req);
    return NULL;
}

/* Suspended before it is started: the wake may come at once, from another thread. */
static enum MHD_Result wait_for(struct passage *p)
{
    struct exchange *x = &p->x;
    bool slow = x->req.route->pace == ROUTE_SLOW;

    if (!waiting_enter(&p->server->waiting, slow)) {
        problem_busy(&x->reply);
        return send_reply(p);
    }
    p->waited = true;
    atomic_store(&p->stage, WAITING);
    MHD_suspend_connection(p->wire.connection);
    if (slow ? waiting_start_thread(run_slow, p) : x->req.later.start(&x->req, &x->reply))
        return MHD_YES;
    if (slow)
        problem_busy(&x->reply);
    x->req.later.finish = NULL;               /* the reply stands */
    request_wake(&x->req);
    return MHD_YES;
}

static enum MHD_Result run(struct passage *p)
{
    struct request *req = &p->x.req;

    connection_phase(p->wire.on, PHASE_WORK, 0);
    if (!exchange_complete(&p->x))
        return send_reply(p);
    if (req->route->pace != ROUTE_SLOW) {
        req->route->handler(req, &p->x.reply);
        if (req->later.start == NULL)
            return send_reply(p);
    }
    atomic_store(&p->stage, LEAVING);
    return MHD_YES;
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Before anything is looked at that costs more than its head. */
static void enter(struct passage *p)
{
    p->entered = client_enter(p->server->connections, p->x.req.client);
    if (p->entered)
        return;
    p->x.decided = true;
    problem(&p->x.reply, 429, "too-many", "This address has as many requests under way as one may have.");
    reply_header(&p->x.reply, "Retry-After", "1");
}

static enum MHD_Result begin(struct server *s, struct MHD_Connection *connection, const char *url, const char *method,
                             void **self)
{
    struct passage *p = mem_new(sizeof *p);
    struct request *req = &p->x.req;
    uint64_t announced;

    p->server = s;
    p->wire = (struct wire){ connection, connection_of(connection), &p->x.reply };
    *self = p;
    exchange_init(&p->x, &s->config);
    req->head = strcmp(method, "HEAD") == 0;
    req->method = req->head ? "GET" : method;
    wire_head(&p->wire, req);
    exchange_announced(&p->x);
    enter(p);
    if (p->entered)
        exchange_head(&p->x, &s->config, url);
    announced = p->x.announced;
    connection_phase(p->wire.on, PHASE_BODY, announced <= EXCHANGE_DRAIN_MAX ? announced : 0);
    /* Too long to drain, or not sent before we agree: answered at once.  The library then closes the connection, which
     * it does for POST only; others are cut off when they pass the drain. */
    if (p->x.decided && strcmp(method, "POST") == 0
        && (announced > EXCHANGE_DRAIN_MAX || (req->header.expect != NULL && announced > 0)))
        return send_reply(p);
    return MHD_YES;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct passage *p = *state;

    (void)version;
    if (p == NULL)
        return begin(self, connection, url, method, state);
    if (*upload_size > 0) {
        exchange_body(&p->x, upload, *upload_size);
        *upload_size = 0;
        if (p->x.req.header.content_length == NULL)
            connection_phase(p->wire.on, PHASE_BODY, p->x.received);
        return p->x.received > EXCHANGE_DRAIN_MAX ? MHD_NO : MHD_YES;
    }
    switch (atomic_load(&p->stage)) {
    case READING:
        return run(p);
    case LEAVING:
        return wait_for(p);
    case WAITING:
        return MHD_YES;
    case READY:
        if (p->x.req.later.finish != NULL)
            p->x.req.later.finish(&p->x.req, &p->x.reply);
        return send_reply(p);
    case ANSWERED:
        return MHD_YES;
    }
    bug("stage of a request");
}

static void on_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct server *s = self;
    struct passage *p = *state;
    bool waited = p != NULL && p->waited;

    (void)connection, (void)how;
    if (p == NULL)                            /* refused by the library before on_request */
        return;
    connection_phase(p->wire.on, PHASE_IDLE, 0);
    if (p->entered)
        client_leave(p->server->connections, p->x.req.client);
    atomic_fetch_sub(&p->server->files, p->has_file);
    exchange_clear(&p->x);
    free(p);
    *state = NULL;
    if (waited)
        waiting_leave(&s->waiting);
}

static enum MHD_Result on_peer(void *self, const struct sockaddr *peer, socklen_t len)
{
    struct server *s = self;

    (void)len;
    return connections_admit(s->connections, peer) ? MHD_YES : MHD_NO;
}

static void on_connection(void *self, struct MHD_Connection *connection, void **on, enum MHD_ConnectionNotificationCode what)
{
    struct server *s = self;

    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *on = connection_open(s->connections, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
                              MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        connection_close(*on);
}

static void on_library_message(void *self, const char *format, va_list args)
{
    char text[400];

    (void)self;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_event(LOG_DEBUG_LEVEL, "http_noted", KV_TEXT("error", text));
}

bool server_start(const struct server_config *config, struct server **server, struct err *err)
{
    struct server *s = mem_new(sizeof *s);
    int fd;

    s->config = *config;
    if (!listen_open(config->listen, &fd, s->address, err)) {
        free(s);
        return false;
    }
    if (!connections_new(&config->limits, &s->connections, err)) {
        close(fd);
        free(s);
        return false;
    }
    waiting_init(&s->waiting);
    for (size_t t = 0; t < ARRAY_LEN(s->answers) && config->tables[t] != NULL; t++)
        s->answers[t] = mem_array((config->tables[t]->count + 1) * CLASSES, sizeof *s->answers[t]);
    s->daemon = MHD_start_daemon(FLAGS, 0, on_peer, s, on_request, s,
                                 MHD_OPTION_EXTERNAL_LOGGER, on_library_message, NULL,
                                 MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_THREAD_POOL_SIZE, config->threads < 2 ? 2u : config->threads,
                                 MHD_OPTION_CONNECTION_LIMIT, config->connections_max,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, WIRE_HEAD_MAX,
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                                 MHD_OPTION_END);
    *server = s;
    if (s->daemon == NULL) {
        close(fd);
        server_stop(s);
        return err_set(err, ERR_IO, "the HTTP service did not start on %s", config->listen);
    }
    return true;
}

void server_address(const struct server *server, char text[LISTEN_TEXT])
{
    memcpy(text, server->address, LISTEN_TEXT);
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    waiting_close(&server->waiting);          /* what waited for a commit is answered before the library stops */
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    connections_free(server->connections);
    waiting_clear(&server->waiting);
    for (size_t t = 0; t < ARRAY_LEN(server->answers); t++)
        free(server->answers[t]);
    free(server);
}

void server_count(const struct server *server, struct connection_counts *counts)
{
    connections_count(server->connections, counts);
}

uint64_t server_answers(const struct server *server, size_t table, size_t row, unsigned status_class)
{
    return atomic_load(&server->answers[table][row * CLASSES + status_class]);
}
