#include "api/receipts_post.h"

#include <stdlib.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/promises.h"
#include "api/receipts_decode.h"
#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/seal.h"
#include "gateway/lib/emit.h"

#define ANSWER_MOSTLY 1400                    /* bytes that the answer to one receipt has, with a path of a dozen hashes */

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

/* The item as design section 3 has it, its object left open for its promise and key. */
static void emit_item(const struct intake_item *item, size_t index, struct buf *out)
{
    const char *detail = item_detail(item);

    buf_add_byte(out, '{');
    emit_u64(out, "index", index);
    if (item->has_job_id)
        emit_job_id(out, "jobId", item->signed_.receipt.job_id);
    if (item->has_hash)
        emit_hash(out, "receipt", item->hash);
    emit_word(out, "status", item_status_name(item->status));
    if (item->code != CODE_ACCEPTED)
        emit_word(out, "code", receipt_codes[item->code].name);
    if (item->status == ITEM_DUPLICATE)
        emit_word(out, "state", receipt_state_name(item->existing_state));
    if (detail != NULL)
        emit_text(out, "detail", detail);
    if (item->faults.count > 0)
        emit_json(out, "errors", faults_to_json(&item->faults));
    if (item->has_amount)
        emit_amount(out, "amount", item->amount);
}

/* The node's key to its line of the archive (seal.h), which a rejected item has not; the item ends with it. */
static void emit_key(const struct request *req, const struct intake_item *item, struct buf *out)
{
    const struct api_config *config = req->api->books[item->in_predecessor]->config;
    const struct receipt *r = &item->signed_.receipt;

    if (config->parties_only && item->status != ITEM_REJECTED)
        emit_hash(out, "key", seal_line_key(config->secret, r->job_id, r->provider));
    buf_add_byte(out, '}');
}

static void answer_single(const struct request *req, const struct post *post, const struct promises *promises, struct reply *reply)
{
    const struct intake_item *item = &post->submission.items[0];
    const char *detail = item_detail(item);
    int status = receipt_item_status(item);
    json *object;

    if (status < 400) {
        buf_reserve(&reply->body, ANSWER_MOSTLY);
        emit_item(item, 0, &reply->body);
        promises_emit_whole(promises, item, &reply->body);
        emit_key(req, item, &reply->body);
        reply->status = status;
        reply->content_type = "application/json";
        return;
    }
    object = json_new_object();
    json_put_u64(object, "index", 0);
    if (item->has_job_id)
        json_put_job_id(object, "jobId", item->signed_.receipt.job_id);
    if (item->has_hash)
        json_put_hash(object, "receipt", item->hash);
    json_put(object, "errors", faults_to_json(&item->faults));
    problem_with(reply, status, receipt_codes[item->code].name, detail != NULL ? detail : "", object);
    if (status == 429)
        reply_header(reply, "Retry-After", "%llu", item->retry_ms > 0 ? (unsigned long long)(item->retry_ms + 999) / 1000 : 10);
}

static void emit_counts(const struct submission *s, struct buf *out)
{
    static const enum item_status order[] = { ITEM_ACCEPTED, ITEM_DUPLICATE, ITEM_QUARANTINED, ITEM_REJECTED };

    emit_name(out, "counts");
    buf_add_byte(out, '{');
    for (size_t n = 0; n < ARRAY_LEN(order); n++) {
        uint64_t count = 0;

        for (size_t i = 0; i < s->count; i++)
            count += s->items[i].status == order[n];
        emit_u64(out, item_status_name(order[n]), count);
    }
    buf_add_byte(out, '}');
}

static void answer_bulk(const struct request *req, const struct post *post, const struct promises *promises,
                        struct reply *reply)
{
    const struct submission *s = &post->submission;
    bool minimal = header_has(req->header.prefer, "return=minimal");
    struct buf *out = &reply->body;

    buf_add_text(out, "{\"results\":[");
    for (size_t i = 0; i < s->count; i++) {
        if (minimal && s->items[i].status == ITEM_ACCEPTED)
            continue;
        emit_comma(out);
        emit_item(&s->items[i], i, out);
        promises_emit_ref(promises, &s->items[i], out);
        emit_key(req, &s->items[i], out);
    }
    buf_add_byte(out, ']');
    promises_emit_list(promises, out);
    if (minimal) {
        emit_counts(s, out);
        reply_header(reply, "Preference-Applied", "return=minimal");
    }
    buf_add_byte(out, '}');
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
