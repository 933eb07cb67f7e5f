#include "api/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/auth.h"
#include "api/context.h"
#include "api/problem.h"
#include "api/unfold.h"
#include "gateway/lib/pack.h"

void exchange_init(struct exchange *x, const struct server_config *config)
{
    x->req = (struct request){ .api = config->api, .path = "", .room.room = config->room };
    buf_init_max(&x->req.body, REQUEST_BODY_MAX);
    reply_init(&x->reply);
    x->table = 0;
    x->row = config->tables[0]->count;
    x->decided = false;
    x->announced = x->received = 0;
}

void exchange_clear(struct exchange *x)
{
    if (x->req.later.free_state != NULL)
        x->req.later.free_state(x->req.later.state);
    buf_clear(&x->req.body);
    free(x->req.query);
    reply_clear(&x->reply);
    room_set(&x->req.room, 0);
}

void exchange_announced(struct exchange *x)
{
    const char *text = x->req.header.content_length;
    struct u256 v;

    if (text == NULL)
        x->announced = 0;
    else if (!u256_from_decimal(text, strlen(text), &v) || !u256_to_u64(v, &x->announced))
        x->announced = UINT64_MAX;
}

static bool find_route(struct exchange *x, const struct server_config *config)
{
    char allow[ROUTE_ALLOW_MAX], refused[ROUTE_ALLOW_MAX] = "";

    for (size_t t = 0; t < ARRAY_LEN(config->tables) && config->tables[t] != NULL; t++)
        switch (route_find(config->tables[t], x->req.method, x->req.path, &x->req.route, x->req.param, allow)) {
        case ROUTE_FOUND:
            x->table = t;
            x->row = (size_t)(x->req.route - config->tables[t]->rows);
            return true;
        case ROUTE_NO_METHOD:
            memcpy(refused, allow, sizeof refused);
            break;
        case ROUTE_NO_PATH:
            break;
        }
    if (refused[0] == '\0') {
        problem(&x->reply, 404, "not-found", "There is nothing at this path.");
    } else {
        problem(&x->reply, 405, "method-not-allowed", "This path answers %s.", refused);
        reply_header(&x->reply, "Allow", "%s", refused);
    }
    return false;
}

static bool type_fits(struct exchange *x)
{
    const char *type = x->req.header.content_type, *encoding = x->req.header.content_encoding;

    if (x->req.route->body_max == 0)
        return true;
    if (!x->req.route->any_type && type != NULL && !header_is_type(type, "application/json")) {
        problem(&x->reply, 415, "unsupported-media-type", "This path takes application/json.");
        return false;
    }
    if (encoding != NULL && strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "identity") != 0) {
        problem(&x->reply, 415, "unsupported-media-type", "Content-Encoding must be gzip, or be left out.");
        reply_header(&x->reply, "Accept-Encoding", "gzip");
        return false;
    }
    return true;
}

static bool too_large(struct exchange *x)
{
    problem(&x->reply, 413, "too-large", "A body here has at most %zu bytes, unpacked.", x->req.route->body_max);
    return false;
}

static bool length_fits(struct exchange *x)
{
    size_t max = x->req.route->body_max;

    return max == 0 || x->announced <= max || too_large(x);
}

static bool host_fits(struct exchange *x, const struct server_config *config)
{
    if (!config->admin || auth_host_is_ours(x->req.header.host, config->listen, config->admin_hosts))
        return true;
    problem(&x->reply, 421, "unknown-host", "This host name is none of [api] admin_hosts.");
    return false;
}

static bool no_room(struct exchange *x)
{
    buf_clear(&x->req.body);
    problem(&x->reply, 503, "try-again", "The requests under way hold all the memory there is for them.");
    reply_header(&x->reply, "Retry-After", "1");
    return false;
}

/* A body takes its room as it comes, so that announcing one costs others nothing; but where there is none now for all that
 * is announced, it is refused before it is sent. */
static bool room_fits(struct exchange *x)
{
    size_t body = x->req.route->body_max > 0 ? (size_t)x->announced : 0;

    return (room_has(&x->req.room, EXCHANGE_BYTES + body) && room_take(&x->req.room, EXCHANGE_BYTES)) || no_room(x);
}

void exchange_head(struct exchange *x, const struct server_config *config, const char *url)
{
    x->req.path = url;
    x->reply.instance = url;
    x->decided = !(host_fits(x, config) && find_route(x, config) && api_choose(&x->req, &x->reply)
                   && auth_check(&x->req, x->req.route->least, &x->reply) && type_fits(x) && length_fits(x)
                   && room_fits(x));
}

void exchange_body(struct exchange *x, const void *bytes, size_t len)
{
    x->received += len;
    if (x->decided || x->req.route->body_max == 0)
        return;
    if (x->received > x->req.route->body_max) {
        x->decided = true;
        buf_clear(&x->req.body);
        too_large(x);
        return;
    }
    if (EXCHANGE_BYTES + x->received > x->req.room.bytes && !room_fit(&x->req.room, EXCHANGE_BYTES + (size_t)x->received)) {
        x->decided = true;
        no_room(x);
        return;
    }
    buf_add(&x->req.body, bytes, len);
}

static bool unpack(struct exchange *x)
{
    struct err err = { 0 };
    struct buf plain;

    if (!room_take(&x->req.room, x->req.route->body_max))
        return no_room(x);
    buf_init_max(&plain, REQUEST_BODY_MAX);
    if (!gunzip(x->req.body.data, x->req.body.len, x->req.route->body_max, &plain, &err)) {
        buf_clear(&plain);
        if (err.code == ERR_LIMIT)
            return too_large(x);
        problem(&x->reply, 400, "malformed", "The body is no gzip: %s", err.text);
        return false;
    }
    buf_clear(&x->req.body);
    x->req.body = plain;
    room_set(&x->req.room, EXCHANGE_BYTES + plain.len);
    return true;
}

/* What its JSON becomes: a little has its room here, of more one is read at a time (receipts_post.c). */
static bool unfolds(struct exchange *x)
{
    size_t most = UNFOLD_TIMES * x->req.route->body_max;

    if (header_is_type(x->req.header.content_type, "application/vnd.quittance.bundle"))
        return true;
    x->req.unfolds = unfold_bytes(buf_text(&x->req.body), x->req.body.len);
    if (x->req.unfolds <= REQUEST_UNFOLDS_LITTLE)
        return room_take(&x->req.room, x->req.unfolds) || no_room(x);
    if (x->req.unfolds <= most)
        return true;
    problem(&x->reply, 413, "too-large", "The body's values take more than %zu bytes when they are read.", most);
    return false;
}

bool exchange_complete(struct exchange *x)
{
    const char *encoding = x->req.header.content_encoding;

    if (!x->decided && x->req.body.failed) {
        x->decided = true;
        problem(&x->reply, 503, "try-again", "There is no room for this body now.");
    }
    if (!x->decided && x->req.body.len > 0 && encoding != NULL && strcasecmp(encoding, "gzip") == 0)
        x->decided = !unpack(x);
    if (!x->decided && x->req.body.len > 0)
        x->decided = !unfolds(x);
    return !x->decided;
}

/* What may be asked for again and again; files have tags of their own. */
static bool is_tagged(const struct exchange *x)
{
    return x->req.route != NULL && strcmp(x->req.route->method, "GET") == 0 && strncmp(x->req.route->path, "/v1/", 4) == 0
        && x->reply.status == 200 && !x->reply.cached && x->reply.file < 0 && x->reply.listener == NULL
        && !x->reply.body.failed;
}

void exchange_answered(struct exchange *x)
{
    bool done = x->req.later.finish != NULL;

    if (is_tagged(x))
        reply_tag(&x->reply, x->req.header.if_none_match);

    buf_clear(&x->req.body);
    if (x->req.later.free_state != NULL)
        x->req.later.free_state(x->req.later.state);
    x->req.later.free_state = NULL;
    if (done)
        room_set(&x->req.room, EXCHANGE_BYTES + x->reply.body.len);
    else if (!room_fit(&x->req.room, EXCHANGE_BYTES + x->reply.body.len))
        no_room(x);
}
