#include "api/wire.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FILE_PIECE ((size_t)8 * KIB)          /* of a file that something is put into; others the kernel copies itself */

#define HEADER(name, member) { (name), offsetof(struct request_headers, member) }

/* What is looked at of a head; of a header that is there twice, the first. */
static const struct { const char *name; size_t at; } wanted[] = {
    HEADER("Host", host),
    HEADER("Authorization", authorization),
    HEADER("Content-Type", content_type),
    HEADER("Content-Encoding", content_encoding),
    HEADER("Content-Length", content_length),
    HEADER("Expect", expect),
    HEADER("Accept", accept), HEADER("Accept-Encoding", accept_encoding),
    HEADER("If-None-Match", if_none_match),
    HEADER("Prefer", prefer),
    HEADER("Idempotency-Key", idempotency_key),
    HEADER("Quittance-Auth", quittance_auth),
    HEADER("Range", range),
    HEADER("If-Range", if_range),
    HEADER("Cookie", cookie),
    HEADER("Origin", origin),
    HEADER("X-CSRF-Token", csrf),
    HEADER("Last-Event-ID", last_event_id),
};
static const char forwarded[] = "Forwarded", forwarded_list[] = "X-Forwarded-For";

struct head { struct request *req; bool is_forwarded; };

/* Upper case and lower case of letters are one; some other bytes are too, so it is no more than a first look. */
static bool may_be(const char *name, const char *other)
{
    return ((name[0] ^ other[0]) & ~('a' - 'A')) == 0;
}

static bool is_header(const char *name, const char *other)
{
    return may_be(name, other) && strcasecmp(name, other) == 0;
}

static void take_header(struct head *head, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (is_header(name, wanted[i].name)) {
            const char **to = (const char **)(void *)((char *)&head->req->header + wanted[i].at);

            *to = *to != NULL ? *to : value;
            return;
        }
    head->is_forwarded |= is_header(name, forwarded) || is_header(name, forwarded_list);
}

static enum MHD_Result take_part(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct head *head = self;
    struct request *req = head->req;

    if (kind == MHD_HEADER_KIND)
        take_header(head, name, value);
    else
        request_add_query(req, name, value);
    return MHD_YES;
}

/* Lines of one header, joined in their order (RFC 9110 section 5.3).  All headers fit into WIRE_HEAD_MAX. */
struct lines { const char *name; size_t len; char text[WIRE_HEAD_MAX]; };

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

static void take_lines(const struct wire *w, const char *name, struct lines *lines)
{
    lines->name = name;
    lines->len = 0;
    lines->text[0] = '\0';
    MHD_get_connection_values(w->connection, MHD_HEADER_KIND, take_line, lines);
}

static struct ip forwarded_for(const struct wire *w)
{
    struct lines elements, list;

    take_lines(w, forwarded, &elements);
    take_lines(w, forwarded_list, &list);
    return connection_client(w->on, elements.text, list.text);
}

void wire_head(const struct wire *w, struct request *req)
{
    struct head head = { .req = req };

    MHD_get_connection_values(w->connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, take_part, &head);
    req->client = head.is_forwarded ? forwarded_for(w) : connection_client(w->on, NULL, NULL);
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
