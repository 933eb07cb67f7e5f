#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/quarantine.h"
#include "api/shapes.h"
#include "gateway/base/hex.h"
#include "gateway/intake/admit.h"

struct listing { struct page *page; const struct catalog *catalog; };

static bool add_row(void *self, const struct receipt_row *row, struct err *err)
{
    struct listing *l = self;
    uint8_t key[QUARANTINE_KEY];

    (void)err;
    quarantine_key_put(row, key);
    return page_add(l->page, key, page_is_full(l->page) ? NULL : held_to_json(row, l->catalog));
}

static bool read_filter(const struct request *req, struct quarantine_filter *filter, struct reply *reply)
{
    const char *code = request_query(req, "code"), *provider = request_query(req, "provider");
    struct err err = { 0 };

    if (code != NULL && !quarantine_filter_code(filter, code, &err)) {
        problem(reply, 400, "malformed", "%s", err.text);
        return false;
    }
    filter->has_provider = provider != NULL;
    if (provider != NULL && !address_from_text(provider, strlen(provider), &filter->provider)) {
        problem(reply, 400, "malformed", "provider must be an address of 0x and 40 hex digits.");
        return false;
    }
    return true;
}

void quarantine_get(struct request *req, struct reply *reply)
{
    struct quarantine_filter filter = { 0 };
    const struct snapshot *snapshot;
    struct held_cursor after;
    struct listing l;
    struct page page;
    struct err err = { 0 };
    struct db *db;

    if (!read_filter(req, &filter, reply) || !page_begin(req, QUARANTINE_KEY, &page, reply))
        return;
    if (!api_begin(req->api, &db, reply)) {
        page_drop(&page);
        return;
    }
    if (api_catalog(req->api, db, &snapshot, reply)) {
        l = (struct listing){ &page, snapshot->catalog };
        after = quarantine_key_get(page.after);
        page_end(&page, quarantine_walk(db, page.has_after ? &after : NULL, &filter, add_row, &l, &err), &err, reply);
        snapshot_release(snapshot);
    } else {
        page_drop(&page);
    }
    api_end(req->api, db);
}

/* The row after the decision, with its state. */
static void answer_row(struct request *req, struct job_id job, struct address provider, struct reply *reply)
{
    const struct snapshot *snapshot;
    struct receipt_row row;
    struct err err = { 0 };
    struct db *db;
    bool found;
    json *object;

    if (!api_begin(req->api, &db, reply))
        return;
    if (!store_receipt_find(db, job, provider, &row, &found, &err)) {
        problem_from_err(reply, &err);
    } else if (!found) {
        problem(reply, 404, "not-found", "There is no such receipt.");
    } else if (api_catalog(req->api, db, &snapshot, reply)) {
        object = held_to_json(&row, snapshot->catalog);
        json_put_text(object, "state", receipt_state_name(row.state));
        if (row.state == RECEIPT_ACCEPTED)
            json_put_amount(object, "amount", row.amount);
        reply_json(reply, 200, object);
        snapshot_release(snapshot);
    }
    api_end(req->api, db);
}

static void decide(struct request *req, decide_fn *decision, struct reply *reply)
{
    static const char *const names[] = { "reason" };
    char reason[4 * REQUEST_REASON_MAX + 1];
    struct address provider;
    struct job_id job;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_address(req, 0, &provider, reply) || !request_job_id(req, 1, &job, reply)
        || !request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    ok = field_text(object, "reason", REQUIRED, REQUEST_REASON_MAX, reason, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (decision(req->api->intake, req->who, job, provider, reason, &err))
        answer_row(req, job, provider, reply);
    else
        problem_from_err(reply, &err);
}

void quarantine_release(struct request *req, struct reply *reply)
{
    decide(req, release_receipt, reply);
}

void quarantine_refuse(struct request *req, struct reply *reply)
{
    decide(req, refuse_receipt, reply);
}
