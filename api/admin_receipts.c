/* GET /admin/v1/receipts: the newest jobs first, of one provider, model or state where that is asked for.
 *
 * Only the job's time is indexed (an index on anything random would cost most of the insert rate), so a filter walks: over
 * SCANNED_MAX receipts and for SCAN_MS at most, then `next` goes on where it stopped, even where nothing was found. */
#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "gateway/base/hex.h"
#include "store/batches.h"

#define SCANNED_MAX 20000u
#define SCAN_MS 2000u
#define KEY_LEN (sizeof(struct job_id) + sizeof(struct address))

struct search {
    struct page *page;
    struct db *db;
    bool has_provider, has_model, has_state;
    struct address provider;
    struct hash model;
    enum receipt_state state;
    struct batch_row batch;                   /* of the receipt before: mostly of the next one, too */
    unsigned scanned;
    uint64_t until_ms;                        /* monotonic */
};

static bool fits(const struct search *s, const struct receipt_row *row)
{
    const struct receipt *r = &row->signed_.receipt;

    return (!s->has_provider || address_eq(s->provider, r->provider)) && (!s->has_model || hash_eq(s->model, r->model))
        && (!s->has_state || s->state == row->state);
}

static bool row_to_json(struct search *s, const struct receipt_row *row, json **out, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    bool found;
    json *object;

    if (row->batch != s->batch.number && !store_batch_find(s->db, row->batch, &s->batch, &found, err))
        return false;
    object = json_new_object();
    json_put_job_id(object, "jobId", r->job_id);
    json_put_address(object, "provider", r->provider);
    json_put_hash(object, "model", r->model);
    json_put_text(object, "state", receipt_public_state(row->state, s->batch.state, false));
    if (row->state != RECEIPT_ACCEPTED)
        json_put_text(object, "code", receipt_codes[row->code].name);
    else
        json_put_amount(object, "amount", row->amount);
    json_put_u64(object, "finishedAt", r->finished_at_ms);
    json_put_u64(object, "batch", row->batch);
    *out = object;
    return true;
}

static bool add_row(void *self, const struct receipt_row *row, struct err *err)
{
    struct search *s = self;
    json *object;

    if (page_is_full(s->page) || (s->scanned > 0 && clock_monotonic_ms() > s->until_ms)) {
        s->page->more = true;
        return false;
    }
    s->scanned++;
    memcpy(s->page->last, row->signed_.receipt.job_id.b, sizeof(struct job_id));
    memcpy(s->page->last + sizeof(struct job_id), row->signed_.receipt.provider.b, sizeof(struct address));
    if (!fits(s, row))
        return true;
    if (!row_to_json(s, row, &object, err))
        return false;
    json_add(s->page->items, object);
    return true;
}

static bool read_state(const char *text, struct search *s)
{
    for (int state = RECEIPT_ACCEPTED; state < RECEIPT_STATES; state++)
        if (strcmp(text, receipt_state_name((enum receipt_state)state)) == 0) {
            s->state = (enum receipt_state)state;
            return true;
        }
    return false;
}

static bool read_filter(const struct request *req, struct search *s, struct reply *reply)
{
    const char *provider = request_query(req, "provider"), *model = request_query(req, "model"), *state = request_query(req, "state");

    s->has_provider = provider != NULL;
    s->has_model = model != NULL;
    s->has_state = state != NULL;
    if (s->has_provider && !address_from_text(provider, strlen(provider), &s->provider))
        problem(reply, 400, "malformed", "provider must be an address of 0x and 40 hex digits.");
    else if (s->has_model && !hash_from_text(model, strlen(model), &s->model))
        problem(reply, 400, "malformed", "model must be a digest of 0x and 64 hex digits.");
    else if (s->has_state && !read_state(state, s))
        problem(reply, 400, "malformed", "state must be accepted, quarantined or refused.");
    else
        return true;
    return false;
}

static bool search(struct search *s, struct err *err)
{
    struct job_id job;
    struct address provider;
    bool ok;

    s->until_ms = clock_monotonic_ms() + SCAN_MS;
    /* Above every UUIDv7. */
    memset(job.b, 0xff, sizeof job.b);
    memset(provider.b, 0xff, sizeof provider.b);
    if (s->page->has_after) {
        memcpy(job.b, s->page->after, sizeof job.b);
        memcpy(provider.b, s->page->after + sizeof job.b, sizeof provider.b);
    }
    ok = store_receipts_before(s->db, job, provider, SCANNED_MAX, add_row, s, err);
    s->page->more = s->page->more || s->scanned == SCANNED_MAX;
    return ok;
}

void receipts_get(struct request *req, struct reply *reply)
{
    struct page page;
    struct search s = { .page = &page };
    struct err err = { 0 };

    if (!read_filter(req, &s, reply) || !page_begin(req, KEY_LEN, &page, reply))
        return;
    if (!api_begin(req->api, &s.db, reply)) {
        page_drop(&page);
        return;
    }
    page_end(&page, search(&s, &err), &err, reply);
    api_end(req->api, s.db);
}
