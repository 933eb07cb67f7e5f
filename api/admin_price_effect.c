/* POST /admin/v1/prices/effect: what the accepted jobs of the last week would have been worth at other prices.  Nothing is
 * kept.  The newest are looked at, JOBS_MAX and for SCAN_MS at most; `complete` says whether that was all. */
#include "api/context.h"
#include "api/handlers.h"
#include "api/price_body.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

#define WEEK_MS (7 * DAY_MS)
#define JOBS_MAX 50000u
#define SCAN_MS 3000u

struct effect {
    const struct catalog *catalog;
    const struct price_version *price;
    uint64_t since_ms, jobs, scanned, first_ms;
    uint64_t until_ms;                        /* monotonic */
    struct amount before, after;
    bool complete, stopped;                   /* all of the week was seen; the time was over */
};

/* Those that a version for all models would price: where none of their own does. */
static bool concerns(const struct effect *e, const struct receipt_row *row)
{
    const struct receipt *r = &row->signed_.receipt;
    const struct price_version *now;

    if (row->state != RECEIPT_ACCEPTED)
        return false;
    if (!e->price->any_model)
        return hash_eq(r->model, e->price->model);
    now = catalog_price(e->catalog, r->model, r->finished_at_ms, CATALOG_LATEST);
    return now == NULL || now->any_model;
}

static bool add_job(void *self, const struct receipt_row *row, struct err *err)
{
    struct effect *e = self;
    const struct receipt *r = &row->signed_.receipt;
    struct amount amount;

    if (clock_monotonic_ms() > e->until_ms) {
        e->stopped = true;
        return false;
    }
    e->scanned++;
    if (r->finished_at_ms < e->since_ms) {
        /* In order of the time in the jobId, which may lie a day before the job began. */
        e->complete = r->finished_at_ms + DAY_MS < e->since_ms;
        return !e->complete;
    }
    if (!concerns(e, row))
        return true;
    e->jobs++;
    e->first_ms = e->first_ms == 0 || r->finished_at_ms < e->first_ms ? r->finished_at_ms : e->first_ms;
    return price_receipt(e->price, r->count, &amount, err)
        && ((amount_add(e->after, amount, &e->after) && amount_add(e->before, row->amount, &e->before))
            || err_set(err, ERR_OVERFLOW, "jobs of a week over 256 bits"));
}

static json *effect_to_json(const struct effect *e)
{
    json *object = json_new_object();

    json_put_u64(object, "jobs", e->jobs);
    json_put_u64(object, "scanned", e->scanned);
    json_put_bool(object, "complete", e->complete || (e->scanned < JOBS_MAX && !e->stopped));
    if (e->first_ms > 0)
        json_put_u64(object, "from", e->first_ms);
    json_put_amount(object, "before", e->before);
    json_put_amount(object, "after", e->after);
    return object;
}

static void answer(struct request *req, const struct price_version *price, struct reply *reply)
{
    struct job_id job;
    struct address provider;
    const struct snapshot *snapshot;
    struct effect e = { .price = price, .since_ms = clock_now_ms(req->api->clock) - WEEK_MS,
                        .until_ms = clock_monotonic_ms() + SCAN_MS };
    struct err err = { 0 };
    struct db *db;

    memset(job.b, 0xff, sizeof job.b);
    memset(provider.b, 0xff, sizeof provider.b);
    if (!api_begin(req->api, &db, reply))
        return;
    if (api_catalog(req->api, db, &snapshot, reply)) {
        e.catalog = snapshot->catalog;
        if (store_receipts_before(db, job, provider, JOBS_MAX, add_job, &e, &err))
            reply_json(reply, 200, effect_to_json(&e));
        else
            problem_from_err(reply, &err);
        snapshot_release(snapshot);
    }
    api_end(req->api, db);
}

void price_effect(struct request *req, struct reply *reply)
{
    struct price_version price;

    if (request_price(req, &price, reply))
        answer(req, &price, reply);
}
