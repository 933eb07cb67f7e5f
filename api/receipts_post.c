#include "api/receipts_post.h"

#include <stdlib.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/receipts_decode.h"
#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/seal.h"

/* One post while it is away at intake. */
struct post {
    struct submission submission;
    bool single, ok;
    struct err err;
};

static void post_free(void *self)
{
    struct post *post = self;

    submission_clear(&post->submission);
    free(post);
}

int receipt_item_status(const struct intake_item *item)
{
    switch (item->status) {
    case ITEM_ACCEPTED:    return 201;
    case ITEM_DUPLICATE:   return 200;
    case ITEM_QUARANTINED: return 202;
    case ITEM_REJECTED:
        return item->code == CODE_CONFLICTING_RECEIPT ? 409 : item->code == CODE_TOO_MANY ? 429 : 422;
    }
    bug("item status %d", (int)item->status);
}

static const char *item_detail(const struct intake_item *item)
{
    for (size_t i = 0; i < item->faults.count; i++)
        if (item->faults.list[i].code == item->code)
            return item->faults.list[i].detail;
    return NULL;
}

static void put_identity(json *object, const struct intake_item *item, size_t index)
{
    json_put_u64(object, "index", index);
    if (item->has_job_id)
        json_put_job_id(object, "jobId", item->signed_.receipt.job_id);
    if (item->has_hash)
        json_put_hash(object, "receipt", item->hash);
}

json *receipt_item_to_json(const struct intake_item *item, size_t index)
{
    json *object = json_new_object();
    const char *detail = item_detail(item);

    put_identity(object, item, index);
    json_put_text(object, "status", item_status_name(item->status));
    if (item->code != CODE_ACCEPTED)
        json_put_text(object, "code", receipt_codes[item->code].name);
    if (item->status == ITEM_DUPLICATE)
        json_put_text(object, "state", receipt_state_name(item->existing_state));
    if (detail != NULL)
        json_put_text(object, "detail", detail);
    if (item->faults.count > 0)
        json_put(object, "errors", faults_to_json(&item->faults));
    if (item->has_amount)
        json_put_amount(object, "amount", item->amount);
    return object;
}

/* The node's key to its line of the archive (seal.h); a rejected item has no line. */
static void put_key(const struct request *req, const struct intake_item *item, json *object)
{
    const struct api_config *config = req->api->books[item->in_predecessor]->config;
    const struct receipt *r = &item->signed_.receipt;

    if (config->parties_only && item->status != ITEM_REJECTED)
        json_put_hash(object, "key", seal_line_key(config->secret, r->job_id, r->provider));
}

static void answer_single(const struct request *req, const struct post *post, const struct promises *promises, struct reply *reply)
{
    const struct intake_item *item = &post->submission.items[0];
    const char *detail = item_detail(item);
    int status = receipt_item_status(item);
    json *object, *promise;

    if (status < 400) {
        object = receipt_item_to_json(item, 0);
        promise = promises_inline(promises, item);
        if (promise != NULL)
            json_put(object, "promise", promise);
        put_key(req, item, object);
        reply_json(reply, status, object);
        return;
    }
    object = json_new_object();
    put_identity(object, item, 0);
    json_put(object, "errors", faults_to_json(&item->faults));
    problem_with(reply, status, receipt_codes[item->code].name, detail != NULL ? detail : "", object);
    if (status == 429)
        reply_header(reply, "Retry-After", "%llu", item->retry_ms > 0 ? (unsigned long long)(item->retry_ms + 999) / 1000 : 10);
}

static json *count_statuses(const struct submission *s)
{
    static const enum item_status order[] = { ITEM_ACCEPTED, ITEM_DUPLICATE, ITEM_QUARANTINED, ITEM_REJECTED };
    json *counts = json_new_object();

    for (size_t n = 0; n < ARRAY_LEN(order); n++) {
        uint64_t count = 0;

        for (size_t i = 0; i < s->count; i++)
            count += s->items[i].status == order[n];
        json_put_u64(counts, item_status_name(order[n]), count);
    }
    return counts;
}

static void write_json(json *owned, struct buf *out)
{
    json_write(owned, out);
    json_free(owned);
}

/* Item by item: as one value, the answer to ten thousand would take ten times its text. */
static void answer_bulk(const struct request *req, const struct post *post, const struct promises *promises,
                        struct reply *reply)
{
    const struct submission *s = &post->submission;
    bool minimal = header_has(req->header.prefer, "return=minimal"), any = false;
    struct buf *out = &reply->body;

    buf_add_text(out, "{\"results\":[");
    for (size_t i = 0; i < s->count; i++) {
        json *object, *promise;

        if (minimal && s->items[i].status == ITEM_ACCEPTED)
            continue;
        object = receipt_item_to_json(&s->items[i], i);
        promise = promises_item(promises, &s->items[i]);
        if (promise != NULL)
            json_put(object, "promise", promise);
        put_key(req, &s->items[i], object);
        buf_add_text(out, any ? "," : "");
        write_json(object, out);
        any = true;
    }
    buf_add_text(out, "],\"promises\":");
    write_json(promises_list(promises), out);
    if (minimal) {
        buf_add_text(out, ",\"counts\":");
        write_json(count_statuses(s), out);
        reply_header(reply, "Preference-Applied", "return=minimal");
    }
    buf_add_text(out, "}");
    reply->status = 200;
    reply->content_type = "application/json";
}

static void answer(struct request *req, const struct post *post, struct reply *reply)
{
    const struct submission *s = &post->submission;
    struct promises promises;
    struct api *const *books = req->api->books;
    struct err err = { 0 };
    struct db *db[2] = { NULL, NULL };
    bool ok = true;

    for (size_t i = 0; ok && i < ARRAY_LEN(db); i++)
        ok = !promises_need_store(s, i == 1) || api_begin(books[i], &db[i], reply);
    if (!ok) {
        if (db[0] != NULL)
            api_end(books[0], db[0]);
        return;
    }
    ok = promises_load(&promises, s, post->single || request_flag(req, "paths"), db, &err);
    for (size_t i = 0; i < ARRAY_LEN(db); i++)
        if (db[i] != NULL)
            api_end(books[i], db[i]);
    if (!ok)
        problem_from_err(reply, &err);
    else if (post->single)
        answer_single(req, post, &promises, reply);
    else
        answer_bulk(req, post, &promises, reply);
    promises_clear(&promises);
}

static void on_done(struct submission *submission, bool ok, const struct err *err)
{
    struct request *req = submission->owner;
    struct post *post = req->later.state;

    post->ok = ok;
    if (!ok)
        post->err = *err;
    flow_leave(&req->api->flow, clock_monotonic_ms());
    request_wake(req);
}

static bool submit(struct request *req, struct reply *reply)
{
    struct post *post = req->later.state;
    struct flow *flow = &req->api->flow;
    struct err err = { 0 };

    if (!flow_enter(flow, clock_monotonic_ms())) {
        problem(reply, 503, "try-again", "Receipts wait for the disk, and none got on for %u s.", FLOW_STALL_MS / 1000);
        reply_header(reply, "Retry-After", "%u", FLOW_STALL_MS / 1000);
        return false;
    }
    if (intake_submit(req->api->intake, &post->submission, &err))
        return true;
    flow_leave(flow, clock_monotonic_ms());
    problem_from_err(reply, &err);
    return false;
}

static void finish(struct request *req, struct reply *reply)
{
    const struct post *post = req->later.state;

    if (post->ok)
        answer(req, post, reply);
    else
        problem_from_err(reply, &post->err);
}

/* Large ones one at a time: what they become is several times the room that all requests share. */
static bool decode(struct request *req, struct post *post, struct reply *reply)
{
    bool large = req->unfolds > REQUEST_UNFOLDS_LITTLE, ok;

    if (large)
        pthread_mutex_lock(&req->api->books[0]->unfolding);
    ok = receipts_decode(req->header.content_type, &req->body, &post->submission, &post->single, reply);
    buf_clear(&req->body);                    /* decoded: a waiting request need not hold both */
    if (large) {
        mem_trim();
        pthread_mutex_unlock(&req->api->books[0]->unfolding);
    }
    return ok;
}

/* The items, and as much again for the answer. */
static size_t room_of(const struct submission *s)
{
    size_t bytes = 2 * s->count * sizeof *s->items;

    for (size_t i = 0; i < s->count; i++)
        bytes += s->items[i].faults.count * sizeof *s->items[i].faults.list;
    return bytes;
}

void receipts_post(struct request *req, struct reply *reply)
{
    struct post *post;

    if (atomic_load(&req->api->draining)) {
        problem_busy(reply);
        return;
    }
    post = mem_new(sizeof *post);
    req->later.state = post;
    req->later.free_state = post_free;
    post->submission.owner = req;
    post->submission.done = on_done;
    if (!decode(req, post, reply))
        return;
    if (!room_fit(&req->room, room_of(&post->submission))) {
        problem_busy(reply);
        return;
    }
    if (post->submission.count == 0) {
        answer(req, post, reply);
        return;
    }
    req->later.start = submit;
    req->later.finish = finish;
}
