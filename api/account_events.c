/* GET /v1/events?account=: Server-Sent Events for everybody, about one account: that something changed for it, and of which kind.
 * What it is now is asked for where it always is (accounts.c). */
#include <string.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/lib/address_text.h"

/* The books of a contract that was succeeded are followed by asking. */
static bool is_followed(const struct request *req, struct reply *reply)
{
    if (req->api == req->api->books[0])
        return true;
    problem(reply, 404, "not-found", "Events are told of the contract in force only.");
    return false;
}

void account_events_get(struct request *req, struct reply *reply)
{
    const char *text = request_query(req, "account");
    struct address account;

    if (text == NULL || !address_from_text(text, strlen(text), &account)) {
        problem(reply, 400, "malformed", "account must be an address of 0x and 40 hex digits.");
        return;
    }
    if (!is_followed(req, reply))
        return;
    if (!req->head) {
        reply->listener = listener_new(req->api->account_events, &(struct listener_wants){ .client = req->client, .account = &account });
        if (reply->listener == NULL) {
            problem(reply, 503, "try-again", "As many listen to events as may, in all or from your address. Ask for the account itself now and then.");
            reply_header(reply, "Retry-After", "30");
            return;
        }
    }
    reply_empty(reply, 200);
    reply->content_type = "text/event-stream";
    reply_header(reply, "X-Accel-Buffering", "no");      /* or a proxy keeps events until it has many */
}
