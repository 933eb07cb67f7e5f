/* A provider's own receipts, newest job first, with what became of each and why. */
#include "api/access.h"
#include "api/context.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/problem.h"
#include "api/shapes.h"

#define KEY_LEN 36                            /* jobId and provider */
#define SCAN_MAX 20000                        /* keys one request looks at: receipts lie in the order of their jobs, of all providers */

struct listing {
    struct page *page;
    struct db *db;
    struct address account;
    bool has_state;
    enum receipt_state state;
    uint64_t seen;
};

/* Derived from its batch; whether every earner was paid, its own answer tells. */
static bool put_state(struct listing *l, const struct receipt_row *row, json *object, struct err *err)
{
    struct batch_row batch = { 0 };
    bool found = true;

    if (row->state == RECEIPT_ACCEPTED && !store_batch_find(l->db, row->batch, &batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a receipt's batch is missing");
    json_put_text(object, "state", receipt_public_state(row->state, batch.state, false));
    return true;
}

static json *to_json(const struct receipt_row *row)
{
    json *object = json_new_object();

    json_put_job_id(object, "jobId", row->signed_.receipt.job_id);
    json_put_hash(object, "receipt", row->hash);
    json_put_hash(object, "model", row->signed_.receipt.model);
    json_put_u64(object, "receivedAt", row->received_at_ms);
    if (row->price_version != 0)
        json_put_amount(object, "amount", row->amount);
    if (row->state == RECEIPT_ACCEPTED) {
        json_put_u64(object, "acceptedAt", row->accepted_at_ms);
        json_put_u64(object, "batch", row->batch);
    } else {
        json_put_text(object, "code", receipt_codes[row->code].name);
        json_put(object, "errors", stored_faults(row));
    }
    if (row->reason[0] != '\0')
        json_put_text(object, "reason", row->reason);
    return object;
}

static bool add(struct listing *l, struct job_id job, const uint8_t key[KEY_LEN], struct err *err)
{
    struct receipt_row row;
    json *object;
    bool found;

    if (page_is_full(l->page))
        return page_add(l->page, key, NULL);
    if (!store_receipt_find(l->db, job, l->account, &row, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a receipt is gone within one snapshot");
    object = to_json(&row);
    if (put_state(l, &row, object, err))
        return page_add(l->page, key, object);
    json_free(object);
    return false;
}

static bool visit(void *self, struct job_id job, struct address provider, enum receipt_state state, struct err *err)
{
    struct listing *l = self;
    uint8_t key[KEY_LEN];

    memcpy(key, job.b, 16);
    memcpy(key + 16, provider.b, 20);
    l->seen++;
    if (address_eq(provider, l->account) && (!l->has_state || l->state == state))
        return add(l, job, key, err);
    memcpy(l->page->last, key, KEY_LEN);
    return true;
}

/* A page may end before it is full, with a cursor: the next goes on where this one looked last. */
static void list(struct listing *l, struct reply *reply)
{
    struct job_id job;
    struct address provider;
    struct err err = { 0 };
    bool ok;

    memcpy(job.b, l->page->after, 16);
    memcpy(provider.b, l->page->after + 16, 20);
    ok = store_receipt_keys(l->db, l->page->has_after ? &job : NULL, provider, SCAN_MAX, visit, l, &err);
    l->page->more = l->page->more || l->seen == SCAN_MAX;
    page_end(l->page, ok, &err, reply);
}

static bool read_state(const struct request *req, struct listing *l, struct reply *reply)
{
    const char *status = request_query(req, "status");

    l->has_state = status != NULL;
    for (int state = RECEIPT_ACCEPTED; status != NULL && state < RECEIPT_STATES; state++)
        if (strcmp(status, receipt_state_name((enum receipt_state)state)) == 0) {
            l->state = (enum receipt_state)state;
            return true;
        }
    if (status == NULL)
        return true;
    problem(reply, 400, "malformed", "status must be accepted, quarantined or refused.");
    return false;
}

void account_receipts_get(struct request *req, struct reply *reply)
{
    struct listing l = { 0 };
    struct page page;

    if (!request_address(req, 0, &l.account, reply) || !access_account(req, l.account, reply) || !read_state(req, &l, reply)
        || !page_begin(req, KEY_LEN, &page, reply))
        return;
    l.page = &page;
    if (api_begin(req->api, &l.db, reply)) {
        list(&l, reply);
        api_end(req->api, l.db);
    } else {
        page_drop(&page);
    }
}
