/* What the desk draws and hears: samples of the last hour, day or week, and events as they happen. */
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"

void samples_get(struct request *req, struct reply *reply)
{
    const char *name = request_query(req, "range");
    enum live_range range;

    if (!live_range_from_name(name != NULL ? name : "hour", &range))
        problem(reply, 400, "malformed", "range must be hour, day or week.");
    else
        reply_json(reply, 200, live_samples(req->api->books[0]->live, range));
}

static bool last_seen(const struct request *req, uint64_t *id, struct reply *reply)
{
    const char *text = req->header.last_event_id;
    struct u256 v;

    *id = 0;
    if (text == NULL || *text == '\0')
        return true;
    if (u256_from_decimal(text, strlen(text), &v) && u256_to_u64(v, id))
        return true;
    problem(reply, 400, "malformed", "Last-Event-ID must be an id that an event had here.");
    return false;
}

void events_get(struct request *req, struct reply *reply)
{
    uint64_t id;

    if (!last_seen(req, &id, reply))
        return;
    if (req->head) {
        reply_empty(reply, 200);
        reply->content_type = "text/event-stream";
        return;
    }
    reply->listener = listener_new(req->api->books[0]->events, &(struct listener_wants){ .client = req->client, .last_id = id });
    if (reply->listener == NULL) {
        problem(reply, 503, "try-again", "As many listen to events as may, or the service stops.");
        reply_header(reply, "Retry-After", "10");
        return;
    }
    reply->status = 200;
    reply->content_type = "text/event-stream";
}
