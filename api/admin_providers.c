#include "api/cache_alerts.h"
#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/page.h"
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
    if (p->class_.has_tokens_per_second)
        json_put_u64(object, "maxTokensPerSecond", p->class_.tokens_per_second);
    if (p->class_.has_parallelism)
        json_put_u64(object, "parallelism", p->class_.parallelism);
    json_put_bool(object, "admitted", p->admitted);
    json_put_u64(object, "since", p->since_ms);
    return object;
}

/* And what the figures of its peers say of it. */
static json *told_to_json(const struct provider *p, const struct cache_alerts *alerts)
{
    json *object = provider_to_json(p), *rows = cache_alerts_of(alerts, p->address);

    if (rows != NULL)
        json_put(object, "cacheAlerts", rows);
    return object;
}

/* Where the pay goes, its wallet says: the two are read together. */
static bool read_payout(const json *object, struct provider *p, struct err *err)
{
    const json *at = json_member(object, "payoutAt"), *signature = json_member(object, "payoutSignature");

    if (!field_address(object, "payout", OPTIONAL, &p->payout, err))
        return false;
    if (at == NULL && signature == NULL)
        return true;
    p->payout_word = (struct payout_word){ .given = true };
    if (!json_get_u64(at, &p->payout_word.at_ms) || p->payout_word.at_ms > TIME_MAX_MS)
        return err_set(err, ERR_INVALID, "payoutAt: must be an integer of Unix milliseconds below 2^53");
    return json_get_signature(signature, &p->payout_word.signature)
        || err_set(err, ERR_INVALID, "payoutSignature: must be a string of 0x and 130 hex digits");
}

static bool read_changes(const json *object, void *into, struct err *err)
{
    struct provider *p = into;

    return field_text(object, "name", OPTIONAL, ACCOUNT_NAME_MAX, p->name, err)
        && read_payout(object, p, err)
        && field_limit(object, "dailyLimit", &p->has_daily_limit, &p->daily_limit, err)
        && field_count_limit(object, "maxTokensPerSecond", RECEIPT_COUNT_MAX, &p->class_.has_tokens_per_second,
                             &p->class_.tokens_per_second, err)
        && field_count_limit(object, "parallelism", PARALLELISM_MAX, &p->class_.has_parallelism, &p->class_.parallelism, err);
}

static bool read_new(const json *object, void *into, struct err *err)
{
    struct provider *p = into;

    return field_address(object, "address", REQUIRED, &p->address, err)
        && field_text(object, "name", REQUIRED, ACCOUNT_NAME_MAX, p->name, err)
        && read_changes(object, into, err);
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
    static const char *const names[] = { "address", "name", "payout", "payoutAt", "payoutSignature", "dailyLimit", "maxTokensPerSecond",
                                         "parallelism" };
    struct provider p = { 0 };

    if (request_read(req, names, ARRAY_LEN(names), read_new, &p, reply))
        admit(req, &p, false, reply);
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
    static const char *const names[] = { "name", "payout", "payoutAt", "payoutSignature", "dailyLimit", "maxTokensPerSecond", "parallelism" };
    struct provider p;

    if (!load(req, &p, reply) || !request_read(req, names, ARRAY_LEN(names), read_changes, &p, reply))
        return;
    if (p.admitted)
        admit(req, &p, true, reply);
    else
        problem(reply, 409, "conflict", "This provider is expelled; POST it to admit it again.");
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

/* The day's sums, read in the request's own snapshot; false: the reply is set. */
static bool load_alerts(struct request *req, struct db *db, struct cache_alerts *alerts, struct reply *reply)
{
    struct err err = { 0 };

    if (cache_alerts_load(db, clock_now_ms(req->api->clock), alerts, &err))
        return true;
    problem_from_err(reply, &err);
    return false;
}

void provider_get(struct request *req, struct reply *reply)
{
    struct cache_alerts alerts;
    struct provider p;
    struct db *db;

    if (!load(req, &p, reply) || !api_begin(req->api, &db, reply))
        return;
    if (load_alerts(req, db, &alerts, reply)) {
        reply_json(reply, 200, told_to_json(&p, &alerts));
        cache_alerts_clear(&alerts);
    }
    api_end(req->api, db);
}

struct listing { struct page *page; struct cache_alerts alerts; };

static bool add_row(void *self, const struct provider *p)
{
    struct listing *l = self;

    return page_add(l->page, p->address.b, page_is_full(l->page) ? NULL : told_to_json(p, &l->alerts));
}

static void list(struct request *req, struct db *db, struct page *page, struct reply *reply)
{
    struct listing l = { .page = page };
    struct address after;
    struct err err = { 0 };

    memcpy(after.b, page->after, sizeof after);
    if (!load_alerts(req, db, &l.alerts, reply)) {
        page_drop(page);
        return;
    }
    page_end(page, store_providers(db, page->has_after ? &after : NULL, page->limit + 1, add_row, &l, &err), &err, reply);
    cache_alerts_clear(&l.alerts);
}

void providers_get(struct request *req, struct reply *reply)
{
    struct page page;
    struct db *db;

    if (!page_begin(req, sizeof(struct address), &page, reply))
        return;
    if (api_begin(req->api, &db, reply)) {
        list(req, db, &page, reply);
        api_end(req->api, db);
    } else {
        page_drop(&page);
    }
}
