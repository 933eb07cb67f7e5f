#include "api/idempotency.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/context.h"
#include "api/problem.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/core/text.h"
#include "gateway/lib/crypt.h"
#include "store/keys.h"

#define KEPT_FOR_MS (UINT64_C(24) * 60 * 60 * 1000)
#define RUNNING_MAX 64

struct idempotency {
    pthread_mutex_t lock;
    struct idempotent running[RUNNING_MAX];
    size_t count;
};

struct idempotency *idempotency_new(void)
{
    struct idempotency *list = mem_new(sizeof *list);

    pthread_mutex_init(&list->lock, NULL);
    return list;
}

void idempotency_free(struct idempotency *list)
{
    if (list == NULL)
        return;
    pthread_mutex_destroy(&list->lock);
    free(list);
}

/* Index of the run, or count. */
static size_t find_running(const struct idempotency *list, const struct idempotent *run)
{
    size_t i = 0;

    while (i < list->count
           && (strcmp(list->running[i].key, run->key) != 0 || strcmp(list->running[i].scope, run->scope) != 0))
        i++;
    return i;
}

static bool start_running(struct idempotency *list, const struct idempotent *run)
{
    bool started;

    pthread_mutex_lock(&list->lock);
    started = list->count < RUNNING_MAX && find_running(list, run) == list->count;
    if (started)
        list->running[list->count++] = *run;
    pthread_mutex_unlock(&list->lock);
    return started;
}

static void stop_running(struct idempotency *list, const struct idempotent *run)
{
    size_t at;

    pthread_mutex_lock(&list->lock);
    at = find_running(list, run);
    if (at < list->count)
        list->running[at] = list->running[--list->count];
    pthread_mutex_unlock(&list->lock);
}

static struct hash body_digest(const struct request *req)
{
    return sha256(req->body.data, req->body.len);
}

/* false: the reply is set, to the kept answer or a problem. */
static bool is_new(struct request *req, const struct idempotent *run, struct reply *reply)
{
    uint64_t now = clock_now_ms(req->api->clock);
    struct kept_answer kept = { 0 };
    struct err err = { 0 };
    bool ok, found = false;
    struct db *db;

    if (!api_begin(req->api, &db, reply))
        return false;
    ok = store_answer_find(db, run->key, run->scope, now > KEPT_FOR_MS ? now - KEPT_FOR_MS : 0, &kept, &found, &err);
    api_end(req->api, db);
    if (!ok) {
        problem_from_err(reply, &err);
    } else if (found && !hash_eq(kept.body, body_digest(req))) {
        problem(reply, 422, "idempotency-key-reused", "This Idempotency-Key was used with another body.");
    } else if (found) {
        reply->status = kept.status;
        reply->content_type = kept.status < 400 ? "application/json" : "application/problem+json";
        buf_add(&reply->body, kept.answer.data, kept.answer.len);
    }
    if (ok && found)
        buf_clear(&kept.answer);
    return ok && !found;
}

bool idempotency_begin(struct request *req, struct idempotent *run, struct reply *reply)
{
    const char *key = req->header.idempotency_key;

    *run = (struct idempotent){ .has_key = key != NULL };
    if (key == NULL)
        return true;
    if (strlen(key) >= sizeof run->key || !text_is_plain(key, strlen(key), 1, sizeof run->key)) {
        problem(reply, 400, "malformed", "Idempotency-Key must be 1 to %zu printable characters.", sizeof run->key - 1);
        return false;
    }
    memcpy(run->key, key, strlen(key) + 1);
    snprintf(run->scope, sizeof run->scope, "%s %s %s", req->who, req->method, req->path);
    if (!start_running(req->api->idempotency, run)) {
        problem(reply, 409, "idempotency-key-in-use", "A request with this Idempotency-Key is still running.");
        return false;
    }
    if (is_new(req, run, reply))
        return true;
    stop_running(req->api->idempotency, run);
    return false;
}

struct keep { const struct idempotent *run; struct kept_answer answer; };

/* Another gateway may have kept one since we looked. */
static bool is_first(const struct idempotent *run, struct group *group, bool *first, struct err *err)
{
    uint64_t now_ms = group->clock_ms;
    struct kept_answer kept;
    bool found;

    if (!store_answer_find(group->db, run->key, run->scope, now_ms > KEPT_FOR_MS ? now_ms - KEPT_FOR_MS : 0, &kept, &found, err))
        return false;
    if (found)
        buf_clear(&kept.answer);
    *first = !found;
    return true;
}

/* The first answer stays. */
static bool keep_answer(void *self, struct group *group, struct err *err)
{
    const struct keep *keep = self;
    bool first;

    return is_first(keep->run, group, &first, err)
        && (!first || store_answer_add(group->db, keep->run->key, keep->run->scope, group->clock_ms, &keep->answer, err));
}

bool idempotency_keep(const struct request *req, struct idempotent *run, struct group *group, int status, json *owned,
                      struct err *err)
{
    struct keep keep = { run, { .body = body_digest(req), .status = status } };
    bool first;

    if (run->has_key && is_first(run, group, &first, err)) {
        buf_init(&keep.answer.answer);
        json_write(owned, &keep.answer.answer);
        /* What one that is not does is undone with its task. */
        run->kept = first ? keep_answer(&keep, group, err)
            : err_set(err, ERR_CONFLICT, "a request with this Idempotency-Key was done meanwhile: send it again for its answer");
        buf_clear(&keep.answer.answer);
    }
    json_free(owned);
    return run->kept || !run->has_key;
}

void idempotency_end(struct request *req, const struct idempotent *run, const struct reply *reply)
{
    struct keep keep = { run, { .body = body_digest(req), .status = reply->status, .answer = reply->body } };
    struct err err = { 0 };

    if (!run->has_key)
        return;
    if (!run->kept && reply->status < 500 && !writer_do(req->api->writer, keep_answer, &keep, &err))
        log_event(LOG_WARN_LEVEL, "answer_not_kept", KV_TEXT("error", err.text));
    stop_running(req->api->idempotency, run);
}
