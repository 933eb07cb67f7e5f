#include "api/context.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/price_body.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

bool request_price(const struct request *req, struct price_version *price, struct reply *reply)
{
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_json(req, &object, reply))
        return false;
    ok = price_from_json(object, price, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    return ok;
}

struct addition { const struct request *req; struct idempotent *run; };

static bool keep_answer(void *self, struct group *group, const struct price_version *p, struct err *err)
{
    const struct addition *a = self;

    return idempotency_keep(a->req, a->run, group, 201, price_to_json(p), err);
}

static void add_version(struct request *req, struct idempotent *run, struct reply *reply)
{
    struct price_version p;
    struct err err = { 0 };

    if (!request_price(req, &p, reply))
        return;
    if (add_price_and(req->api->intake, req->who, &p, keep_answer, &(struct addition){ req, run }, &err))
        reply_json(reply, 201, price_to_json(&p));
    else
        problem_from_err(reply, &err);
}

void price_post(struct request *req, struct reply *reply)
{
    struct idempotent run;

    if (!idempotency_begin(req, &run, reply))
        return;
    add_version(req, &run, reply);
    idempotency_end(req, &run, reply);
}

static bool add_row(void *self, const struct price_version *p)
{
    return page_add_numbered(self, p->version, price_to_json(p));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    return store_prices(db, page_after_number(page), page->limit + 1, add_row, page, err);
}

void prices_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(uint64_t), walk, reply);
}
