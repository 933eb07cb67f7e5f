#include "api/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/exchange.h"
#include "api/listen.h"
#include "api/problem.h"
#include "api/waiting.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#define CONNECTION_MEMORY ((size_t)4 * KIB)   /* a request's head and its parts, the answer's head, a piece of a body */
#define FILE_PIECE ((size_t)8 * KIB)          /* of a file that something is put into; others the kernel copies itself */
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
 *                                        \-> WAITING (suspended) -> request_wake -> READY -> finish -> ANSWERED
 * A library that is being stopped takes an answer without keeping it, and asks for one again: ANSWERED has none more. */
enum stage { READING, WAITING, READY, ANSWERED };

struct passage {
    struct exchange x;                        /* first: request_wake gets here from its request */
    struct server *server;
    struct MHD_Connection *connection;
    struct connection *on;
    bool entered, has_file, waited;
    _Atomic enum stage stage;
};

static enum MHD_Result take_query(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct request *req = self;

    (void)kind;
    if (req->query_count < REQUEST_QUERY_MAX)
        req->query[req->query_count++] = (struct query_pair){ name, value };
    return MHD_YES;
}

static void take_headers(struct request *req, struct MHD_Connection *connection)
{
    const struct { const char *name; const char **to; } wanted[] = {
        { "Host", &req->header.host },
        { "Authorization", &req->header.authorization },
        { "Content-Type", &req->header.content_type },
        { "Content-Encoding", &req->header.content_encoding },
        { "Content-Length", &req->header.content_length },
        { "Expect", &req->header.expect },
        { "Accept", &req->header.accept }, { "Accept-Encoding", &req->header.accept_encoding },
        { "If-None-Match", &req->header.if_none_match },
        { "Prefer", &req->header.prefer },
        { "Idempotency-Key", &req->header.idempotency_key },
        { "Quittance-Auth", &req->header.quittance_auth },
        { "Range", &req->header.range },
        { "If-Range", &req->header.if_range },
        { "Cookie", &req->header.cookie },
        { "Origin", &req->header.origin },
        { "X-CSRF-Token", &req->header.csrf },
        { "Last-Event-ID", &req->header.last_event_id },
    };

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        *wanted[i].to = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, wanted[i].name);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, req);
}

/* Lines of one header, joined in their order (RFC 9110 section 5.3).  All headers fit into CONNECTION_MEMORY. */
struct lines { const char *name; char text[CONNECTION_MEMORY]; size_t len; };

static enum MHD_Result take_line(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct lines *lines = self;
    int len;

    (void)kind;
    if (value == NULL || strcasecmp(name, lines->name) != 0)
        return MHD_YES;
    len = snprintf(lines->text + lines->len, sizeof lines->text - lines->len, "%s%s", lines->len > 0 ? "," : "", value);
    lines->len += (size_t)len < sizeof lines->text - lines->len ? (size_t)len : sizeof lines->text - lines->len - 1;
    return MHD_YES;
}

static struct ip find_client(struct passage *p)
{
    struct lines forwarded = { .name = "Forwarded" }, list = { .name = "X-Forwarded-For" };

    MHD_get_connection_values(p->connection, MHD_HEADER_KIND, take_line, &forwarded);
    MHD_get_connection_values(p->connection, MHD_HEADER_KIND, take_line, &list);
    return connection_client(p->on, forwarded.text, list.text);
}

static ssize_t read_file(void *self, uint64_t at, char *to, size_t max)
{
    ssize_t got = reply_read_file(self, at, to, max);

    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void pause_events(void *self)
{
    struct passage *p = self;

    connection_phase(p->on, PHASE_WORK, 0);
    MHD_suspend_connection(p->connection);
}

static void resume_events(void *self)
{
    MHD_resume_connection(((struct passage *)self)->connection);
}

/* Each piece has the time an answer has: who does not take it is cut off. */
static ssize_t read_events(void *self, uint64_t at, char *to, size_t max)
{
    struct passage *p = self;
    ssize_t got = listener_read(p->x.reply.listener, to, max);

    (void)at;
    if (got > 0)
        connection_phase(p->on, PHASE_ANSWER, (uint64_t)got);
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

/* The response takes over the body or the file, but for one that something is put into, and events: the reply outlives it. */
static struct MHD_Response *make_response(struct passage *p)
{
    struct reply *reply = &p->x.reply;
    struct MHD_Response *response;

    if (reply->listener != NULL) {
        listener_attach(reply->listener, pause_events, resume_events, p);
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_MAX, read_events, p, NULL);
    }
    if (reply->file >= 0 && reply->insert != NULL)
        return MHD_create_response_from_callback(reply_file_size(reply), FILE_PIECE, read_file, reply, NULL);
    if (reply->file >= 0) {
        response = MHD_create_response_from_fd_at_offset64(reply_file_size(reply), reply->file, reply->part_at);
        if (response != NULL)
            reply->file = -1;
        return response;
    }
    response = MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        buf_init(&reply->body);
    return response;
}

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
    char client[IP_TEXT];

    ip_to_text(p->x.req.client, client);
    log_event(LOG_DEBUG_LEVEL, "request_answered", KV_TEXT("method", p->x.req.method), KV_TEXT("path", p->x.req.path),
              KV_TEXT("client", client), KV_U64("status", (uint64_t)p->x.reply.status));
    assert(p->x.reply.status < 600);
    atomic_fetch_add(&p->server->answers[p->x.table][p->x.row * CLASSES + (size_t)p->x.reply.status / 100], 1);
}

static enum MHD_Result send_reply(struct passage *p)
{
    struct reply *reply = &p->x.reply;
    struct MHD_Response *response;
    enum MHD_Result result;

    atomic_store(&p->stage, ANSWERED);
    if (reply->body.failed)
        problem(reply, 503, "try-again", "The answer is larger than there is room for now; ask for a smaller part.");
    exchange_answered(&p->x);
    hold_file(p);
    note_answer(p);
    connection_phase(p->on, PHASE_ANSWER, reply->file >= 0 ? reply_file_size(reply) : reply->body.len);
    response = make_response(p);
    if (response == NULL)
        return MHD_NO;
    if (reply->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->header[i].name, reply->header[i].value);
    if (!reply->cached)
        MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    result = MHD_queue_response(p->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

void request_wake(struct request *req)
{
    struct passage *p = (struct passage *)(void *)req;
    struct server *s = p->server;
    bool slow = req->route->pace == ROUTE_SLOW;

    if (slow)
        waiting_slow_ends(&s->waiting);
    atomic_store(&p->stage, READY);
    MHD_resume_connection(p->connection);     /* from here on the passage may be gone */
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
static enum MHD_Result wait_for(struct passage *p, bool slow)
{
    struct exchange *x = &p->x;

    if (!waiting_enter(&p->server->waiting, slow)) {
        problem_busy(&x->reply);
        return send_reply(p);
    }
    p->waited = true;
    atomic_store(&p->stage, WAITING);
    MHD_suspend_connection(p->connection);
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

    connection_phase(p->on, PHASE_WORK, 0);
    if (!exchange_complete(&p->x))
        return send_reply(p);
    if (req->route->pace == ROUTE_SLOW)
        return wait_for(p, true);
    req->route->handler(req, &p->x.reply);
    return req->later.start != NULL ? wait_for(p, false) : send_reply(p);
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Before anything is looked at that costs more than its head. */
static void enter(struct passage *p)
{
    p->x.req.client = find_client(p);
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

    p->server = s;
    p->connection = connection;
    p->on = connection_of(connection);
    *self = p;
    exchange_init(&p->x, &s->config);
    req->head = strcmp(method, "HEAD") == 0;
    req->method = req->head ? "GET" : method;
    take_headers(req, connection);
    enter(p);
    if (p->entered)
        exchange_head(&p->x, &s->config, url);
    connection_phase(p->on, PHASE_BODY, exchange_length(&p->x) <= EXCHANGE_DRAIN_MAX ? exchange_length(&p->x) : 0);
    /* Too long to drain, or not sent before we agree: answered at once.  The library then closes the connection, which
     * it does for POST only; others are cut off when they pass the drain. */
    if (p->x.decided && strcmp(method, "POST") == 0
        && (exchange_length(&p->x) > EXCHANGE_DRAIN_MAX || (req->header.expect != NULL && exchange_length(&p->x) > 0)))
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
            connection_phase(p->on, PHASE_BODY, p->x.received);
        return p->x.received > EXCHANGE_DRAIN_MAX ? MHD_NO : MHD_YES;
    }
    switch (atomic_load(&p->stage)) {
    case READING:
        return run(p);
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
    connection_phase(p->on, PHASE_IDLE, 0);
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
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
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
