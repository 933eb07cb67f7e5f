/* POST /admin/v1/quarantine/release and /refuse {reason, code?, provider?, limit?}: one decision on many held receipts.
 * Each is decided and logged by itself, so a run that is cut short has done a part; posting it again does the rest. */
#include <stdlib.h>

#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/quarantine.h"
#include "gateway/base/mem.h"
#include "gateway/intake/admit.h"

#define BULK_MAX 1000
#define SHOWN_FAILURES_MAX 20

struct bulk {
    char reason[4 * REQUEST_REASON_MAX + 1];
    struct quarantine_filter filter;
    uint64_t limit, count;
    struct held_cursor *list;                 /* owned; room for BULK_MAX */
    bool more;
};

static bool read_bulk(const json *object, void *into, struct err *err)
{
    struct bulk *b = into;
    char code[4 * 40 + 1] = "";

    b->limit = BULK_MAX;
    b->filter.has_provider = json_member(object, "provider") != NULL;
    return field_text(object, "reason", REQUIRED, REQUEST_REASON_MAX, b->reason, err)
        && field_text(object, "code", OPTIONAL, 40, code, err)
        && (code[0] == '\0' || quarantine_filter_code(&b->filter, code, err))
        && field_address(object, "provider", OPTIONAL, &b->filter.provider, err)
        && field_number(object, "limit", 1, BULK_MAX, &b->limit, err);
}

static bool collect(void *self, const struct receipt_row *row, struct err *err)
{
    struct bulk *b = self;

    (void)err;
    b->more = b->count == b->limit;
    if (b->more)
        return false;
    b->list[b->count++] = quarantine_place(row);
    return true;
}

static bool find(struct request *req, struct bulk *b, struct reply *reply)
{
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(req->api, &db, reply))
        return false;
    ok = quarantine_walk(db, NULL, &b->filter, collect, b, &err);
    api_end(req->api, db);
    if (!ok)
        problem_from_err(reply, &err);
    return ok;
}

static void add_failure(json *failures, const struct held_cursor *at, const struct err *err)
{
    json *object;

    if (json_count(failures) >= SHOWN_FAILURES_MAX)
        return;
    object = json_new_object();
    json_put_address(object, "provider", at->provider);
    json_put_job_id(object, "jobId", at->job);
    json_put_text(object, "code", err_code_name(err->code));
    json_put_text(object, "detail", err->text);
    json_add(failures, object);
}

static void decide_all(struct request *req, const struct bulk *b, decide_fn *decision, const char *done_name,
                       struct reply *reply)
{
    json *answer = json_new_object(), *failures = json_new_array();
    uint64_t done = 0;

    for (uint64_t i = 0; i < b->count; i++) {
        struct err err = { 0 };

        if (decision(req->api->intake, req->who, b->list[i].job, b->list[i].provider, b->reason, &err))
            done++;
        else
            add_failure(failures, &b->list[i], &err);
    }
    json_put_u64(answer, done_name, done);
    json_put_u64(answer, "failed", b->count - done);
    json_put(answer, "failures", failures);
    json_put_bool(answer, "more", b->more);
    reply_json(reply, 200, answer);
}

static void run_bulk(struct request *req, decide_fn *decision, const char *done_name, struct reply *reply)
{
    static const char *const names[] = { "reason", "code", "provider", "limit" };
    struct bulk b = { .list = NULL };

    if (!request_read(req, names, ARRAY_LEN(names), read_bulk, &b, reply))
        return;
    b.list = mem_array(BULK_MAX, sizeof *b.list);
    if (find(req, &b, reply))
        decide_all(req, &b, decision, done_name, reply);
    free(b.list);
}

void quarantine_release_many(struct request *req, struct reply *reply)
{
    run_bulk(req, release_receipt, "released", reply);
}

void quarantine_refuse_many(struct request *req, struct reply *reply)
{
    run_bulk(req, refuse_receipt, "refused", reply);
}
