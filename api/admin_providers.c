#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

static json *provider_to_json(const struct provider *p)
{
    json *object = json_new_object();

    json_put_address(object, "address", p->address);
    json_put_text(object, "name", p->name);
    json_put_address(object, "payout", p->payout);
    if (p->has_daily_limit)
        json_put_amount(object, "dailyLimit", p->daily_limit);
    json_put_bool(object, "admitted", p->admitted);
    json_put_u64(object, "since", p->since_ms);
    return object;
}

static bool read_provider(const json *object, enum need need, struct provider *p, struct err *err)
{
    return field_address(object, "address", need, &p->address, err)
        && field_text(object, "name", need, ACCOUNT_NAME_MAX, p->name, err)
        && field_address(object, "payout", OPTIONAL, &p->payout, err)
        && field_limit(object, "dailyLimit", &p->has_daily_limit, &p->daily_limit, err);
}

static void admit(struct request *req, struct provider *p, bool patch, struct reply *reply)
{
    enum admit_result result;
    struct err err = { 0 };

    if (address_is_zero(p->payout))
        p->payout = p->address;
    p->admitted = true;
    if (admit_provider(req->api->intake, req->who, p, patch, &result, &err))
        reply_json(reply, result == ADMIT_CREATED ? 201 : 200, provider_to_json(p));
    else
        problem_from_err(reply, &err);
}

void provider_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "address", "name", "payout", "dailyLimit" };
    struct provider p = { 0 };
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    ok = read_provider(object, REQUIRED, &p, &err);
    json_free(object);
    if (ok)
        admit(req, &p, false, reply);
    else
        problem(reply, 422, "malformed", "%s", err.text);
}

/* The latest revision, whether admitted or expelled; false: the reply is set. */
static bool load(struct request *req, struct provider *p, struct reply *reply)
{
    struct address address;
    struct err err = { 0 };
    bool ok, found;
    struct db *db;

    if (!request_address(req, 0, &address, reply) || !api_begin(req->api, &db, reply))
        return false;
    ok = store_provider_latest(db, address, p, &found, &err);
    api_end(req->api, db);
    if (!ok)
        problem_from_err(reply, &err);
    else if (!found)
        problem(reply, 404, "not-found", "This address was never admitted as a provider.");
    return ok && found;
}

void provider_patch(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "name", "payout", "dailyLimit" };
    struct provider p;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    if (load(req, &p, reply)) {
        ok = read_provider(object, OPTIONAL, &p, &err);
        if (!ok)
            problem(reply, 422, "malformed", "%s", err.text);
        else if (!p.admitted)
            problem(reply, 409, "conflict", "This provider is expelled; POST it to admit it again.");
        else
            admit(req, &p, true, reply);
    }
    json_free(object);
}

void provider_delete(struct request *req, struct reply *reply)
{
    struct address address;
    struct err err = { 0 };

    if (!request_address(req, 0, &address, reply))
        return;
    if (expel_provider(req->api->intake, req->who, address, &err))
        reply_empty(reply, 204);
    else
        problem_from_err(reply, &err);
}

void provider_get(struct request *req, struct reply *reply)
{
    struct provider p;

    if (load(req, &p, reply))
        reply_json(reply, 200, provider_to_json(&p));
}

static bool add_row(void *self, const struct provider *p)
{
    return page_add(self, p->address.b, provider_to_json(p));
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    struct address after;

    memcpy(after.b, page->after, sizeof after);
    return store_providers(db, page->has_after ? &after : NULL, page->limit + 1, add_row, page, err);
}

void providers_get(struct request *req, struct reply *reply)
{
    list_reply(req, sizeof(struct address), walk, reply);
}
