#include "api/wire.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FILE_PIECE ((size_t)8 * KIB)          /* of a file that something is put into; others the kernel copies itself */

static enum MHD_Result take_query(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct request *req = self;

    (void)kind;
    if (req->query_count < REQUEST_QUERY_MAX)
        req->query[req->query_count++] = (struct query_pair){ name, value };
    return MHD_YES;
}

void wire_head(struct MHD_Connection *connection, struct request *req)
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

/* Lines of one header, joined in their order (RFC 9110 section 5.3).  All headers fit into WIRE_HEAD_MAX. */
struct lines { const char *name; char text[WIRE_HEAD_MAX]; size_t len; };

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

struct ip wire_client(const struct wire *w)
{
    struct lines forwarded = { .name = "Forwarded" }, list = { .name = "X-Forwarded-For" };

    MHD_get_connection_values(w->connection, MHD_HEADER_KIND, take_line, &forwarded);
    MHD_get_connection_values(w->connection, MHD_HEADER_KIND, take_line, &list);
    return connection_client(w->on, forwarded.text, list.text);
}

static ssize_t read_file(void *self, uint64_t at, char *to, size_t max)
{
    ssize_t got = reply_read_file(self, at, to, max);

    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void pause_events(void *self)
{
    struct wire *w = self;

    connection_phase(w->on, PHASE_WORK, 0);
    MHD_suspend_connection(w->connection);
}

static void resume_events(void *self)
{
    MHD_resume_connection(((struct wire *)self)->connection);
}

static bool events_gone(void *self)
{
    return connection_is_gone(((struct wire *)self)->on);
}

/* Each piece has the time an answer has: who does not take it is cut off. */
static ssize_t read_events(void *self, uint64_t at, char *to, size_t max)
{
    struct wire *w = self;
    ssize_t got = listener_read(w->reply->listener, to, max);

    (void)at;
    if (got > 0)
        connection_phase(w->on, PHASE_ANSWER, (uint64_t)got);
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

/* The response takes over the body or the file, but for one that something is put into, and events: the reply outlives it. */
static struct MHD_Response *make_response(struct wire *w)
{
    struct reply *reply = w->reply;
    struct MHD_Response *response;

    if (reply->listener != NULL) {
        listener_attach(reply->listener, &(struct listener_connection){ pause_events, resume_events, events_gone, w });
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_MAX, read_events, w, NULL);
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

bool wire_answer(struct wire *w)
{
    const struct reply *reply = w->reply;
    struct MHD_Response *response = make_response(w);
    enum MHD_Result result;

    if (response == NULL)
        return false;
    if (reply->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->header[i].name, reply->header[i].value);
    if (!reply->cached)
        MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    result = MHD_queue_response(w->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result == MHD_YES;
}
