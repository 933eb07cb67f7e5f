#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/intake/offer.h"

static const char *const members[] = { "model", "provider", "consumer" };

struct asking { const struct request *req; struct idempotent *run; };

/* The Quote, its hash (what a receipt names), and the prices that it fixes. */
static json *to_json(const struct quoting *q)
{
    json *object = quote_to_json(&q->quote);

    json_put_hash(object, "hash", quote_struct_hash(&q->quote.quote));
    json_put(object, "price", price_to_json(&q->price));
    return object;
}

static bool keep_answer(void *self, struct group *group, const struct quoting *q, struct err *err)
{
    const struct asking *a = self;

    return idempotency_keep(a->req, a->run, group, 201, to_json(q), err);
}

static bool read_question(const json *object, void *into, struct err *err)
{
    struct quote *q = into;

    if (!json_get_hash(json_member(object, "model"), &q->model))
        return err_set(err, ERR_INVALID, "model: a string of 0x and 64 hex digits");
    return field_address(object, "provider", OPTIONAL, &q->provider, err)
        && field_address(object, "consumer", OPTIONAL, &q->consumer, err);
}

/* One sender has one bucket: an IPv4 address, or a /64 of IPv6. */
static struct address sender_of(const struct request *req)
{
    struct ip ip = ip_sender(req->client);
    struct address key = { { 0 } };

    memcpy(key.b, ip.b, sizeof ip.b);
    return key;
}

static void issue(struct request *req, struct idempotent *run, struct reply *reply)
{
    struct quoting q = { .sender = sender_of(req) };
    struct err err = { 0 };

    if (!request_read(req, members, ARRAY_LEN(members), read_question, &q.quote.quote, reply))
        return;
    if (issue_quote(req->api->intake, &q, keep_answer, &(struct asking){ req, run }, &err))
        reply_json(reply, 201, to_json(&q));
    else if (err.code == ERR_CONFLICT)
        problem(reply, 409, "unpriced", "%s", err.text);
    else
        problem_from_err(reply, &err);
}

void quote_post(struct request *req, struct reply *reply)
{
    struct idempotent run;

    if (!idempotency_begin(req, &run, reply))
        return;
    issue(req, &run, reply);
    idempotency_end(req, &run, reply);
}
