#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/problem.h"
#include "gateway/core/rules.h"
#include "gateway/intake/admit.h"
#include "store/receipts.h"

static json *consumer_to_json(const struct consumer *p)
{
    json *object = json_new_object();

    json_put_address(object, "address", p->address);
    json_put_text(object, "name", p->name);
    if (p->has_credit_limit)
        json_put_amount(object, "creditLimit", p->credit_limit);
    json_put_bool(object, "enrolled", p->enrolled);
    json_put_u64(object, "since", p->since_ms);
    return object;
}

static bool read_changes(const json *object, void *into, struct err *err)
{
    struct consumer *p = into;

    return field_text(object, "name", OPTIONAL, ACCOUNT_NAME_MAX, p->name, err)
        && field_limit(object, "creditLimit", &p->has_credit_limit, &p->credit_limit, err);
}

static bool read_new(const json *object, void *into, struct err *err)
{
    struct consumer *p = into;

    return field_address(object, "address", REQUIRED, &p->address, err)
        && field_text(object, "name", REQUIRED, ACCOUNT_NAME_MAX, p->name, err)
        && read_changes(object, into, err);
}

static void enroll(struct request *req, struct consumer *p, bool patch, struct reply *reply)
{
    enum admit_result result;
    struct err err = { 0 };

    p->enrolled = true;
    if (admit_consumer(req->api->intake, req->who, p, patch, &result, &err))
        reply_json(reply, result == ADMIT_CREATED ? 201 : 200, consumer_to_json(p));
    else
        problem_from_err(reply, &err);
}

void consumer_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "address", "name", "creditLimit" };
    struct consumer p = { 0 };

    if (request_read(req, names, ARRAY_LEN(names), read_new, &p, reply))
        enroll(req, &p, false, reply);
}

/* The latest revision, whether enrolled or not; false: the reply is set. */
static bool load(struct request *req, struct consumer *p, struct reply *reply)
{
    struct address address;
    struct err err = { 0 };
    bool ok, found;
    struct db *db;

    if (!request_address(req, 0, &address, reply) || !api_begin(req->api, &db, reply))
        return false;
    ok = store_consumer_latest(db, address, p, &found, &err);
    api_end(req->api, db);
    if (!ok)
        problem_from_err(reply, &err);
    else if (!found)
        problem(reply, 404, "not-found", "This address was never enrolled as a consumer.");
    return ok && found;
}

void consumer_patch(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "name", "creditLimit" };
    struct consumer p;

    if (!load(req, &p, reply) || !request_read(req, names, ARRAY_LEN(names), read_changes, &p, reply))
        return;
    if (p.enrolled)
        enroll(req, &p, true, reply);
    else
        problem(reply, 409, "conflict", "This consumer is no longer enrolled; POST it to enroll it again.");
}

void consumer_delete(struct request *req, struct reply *reply)
{
    struct address address;
    struct err err = { 0 };

    if (!request_address(req, 0, &address, reply))
        return;
    if (expel_consumer(req->api->intake, req->who, address, &err))
        reply_empty(reply, 204);
    else
        problem_from_err(reply, &err);
}

/* What of a credit limit is used up: the period under way, and what was billed in it. */
static bool read_period(struct request *req, struct address address, json **period, struct reply *reply)
{
    const struct rule_limits limits = { .credit_days = req->api->config->credit_days };
    uint64_t day = clock_now_ms(req->api->clock) / DAY_MS, from = rules_period_start(&limits, day), until = rules_period_end(&limits, day);
    struct amount billed;
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(req->api, &db, reply))
        return false;
    ok = store_consumer_days(db, address, from, until, &billed, &err);
    api_end(req->api, db);
    if (!ok) {
        problem_from_err(reply, &err);
        return false;
    }
    *period = json_new_object();
    json_put_u64(*period, "from", from * DAY_MS);
    if (limits.credit_days != 0)
        json_put_u64(*period, "until", until * DAY_MS);
    json_put_amount(*period, "billed", billed);
    return true;
}

void consumer_get(struct request *req, struct reply *reply)
{
    struct consumer p;
    json *object, *period;

    if (!load(req, &p, reply) || !read_period(req, p.address, &period, reply))
        return;
    object = consumer_to_json(&p);
    json_put(object, "period", period);
    reply_json(reply, 200, object);
}

static bool add_row(void *self, const struct consumer *p)
{
    return page_add(self, p->address.b, consumer_to_json(p));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    struct address after;

    memcpy(after.b, page->after, sizeof after);
    return store_consumers(db, page->has_after ? &after : NULL, page->limit + 1, add_row, page, err);
}

void consumers_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(struct address), walk, reply);
}
