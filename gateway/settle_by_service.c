/* gateway/settle_by_service.c - a settlement run that the running service is asked for, and followed until its goal. */
#include "gateway/settle_ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/open.h"
#include "store/batches.h"
#include "store/sums.h"

#define POLL_MS 500
#define REQUEST_WAIT_S 30      /* most that the service lets a request wait */

static bool text_is(const json *object, const char *key, const char *text)
{
    const char *got;
    size_t len;

    return json_get_text(json_member(object, key), &got, &len) && strcmp(got, text) == 0;
}

/* The error that the service's run ended with, as our own: it carries the exit code. */
static bool run_failed(const json *report, struct err *err)
{
    const json *error = json_member(report, "error");
    const char *detail = "";
    uint64_t exit_code = 70;
    size_t len;

    if (error == NULL)
        return false;
    if (!json_get_text(json_member(error, "detail"), &detail, &len) || !json_get_u64(json_member(error, "exit"), &exit_code))
        exit_code = 70;
    err_set(err, exit_code == 75 ? ERR_AGAIN : exit_code == 78 ? ERR_CONFIG : ERR_HALT, "%s", detail);
    return true;
}

static bool goal_reached(const json *report, const struct goal *goal)
{
    bool nothing;

    if (json_get_bool(json_member(report, "nothing"), &nothing) && nothing)
        return true;
    if (text_is(report, "state", "final") || text_is(report, "state", "cancelled"))
        return true;
    return !goal->wait_all && (text_is(report, "state", "committed") || text_is(report, "state", "pending")
        || text_is(report, "state", "active") || text_is(report, "state", "distributed"));
}

/* One wait by the service: what it was asked last, and the batch that this run is for. */
struct wait {
    struct admin_client *client;
    const struct config *config;
    const struct goal *goal;
    uint64_t own;
    json *report;
};

static bool ask(struct wait *w, const char *method, const char *path, const json *body, struct err *err)
{
    json *report;

    if (!admin_call(w->client, method, path, body, &report, err))
        return false;
    json_free(w->report);
    w->report = report;
    return !run_failed(report, err);
}

static bool request_run(struct wait *w, struct err *err)
{
    uint64_t left_s = goal_left_ms(w->goal) / 1000;
    json *body = json_new_object();
    bool ok;

    json_put_bool(body, "dryRun", w->goal->dry_run);
    json_put_u64(body, "wait", w->goal->timeout_ms == 0 || left_s > REQUEST_WAIT_S ? REQUEST_WAIT_S : left_s);
    ok = ask(w, "POST", "/admin/v1/settlements", body, err);
    json_free(body);
    return ok;
}

static bool look_at(struct wait *w, uint64_t sequence, struct err *err)
{
    char path[80];

    snprintf(path, sizeof path, "/admin/v1/settlements/%" PRIu64, sequence);
    return ask(w, "GET", path, NULL, err);
}

/* The batch that a run started now is for: the open one; where that is empty, the one before it. */
static bool find_own_batch(const struct config *config, uint64_t *number, struct err *err)
{
    struct batch_row open = { 0 };
    struct db *db = NULL;
    bool waiting = false;
    bool ok = db_open(config->store.url, DB_READ, &db, err) && store_sums_wait(db, &waiting, err) && store_batch_open(db, &open, err);

    db_close(db);
    if (ok)
        *number = open.number - (open.receipts == 0 && amount_is_zero(open.amount) && !waiting ? 1 : 0);
    return ok;
}

/* Its row now; *found false: there never was one before the open batch. */
static bool read_own_batch(const struct wait *w, struct batch_row *batch, bool *found, struct err *err)
{
    struct db *db = NULL;
    bool ok = db_open(w->config->store.url, DB_READ, &db, err) && store_batch_find(db, w->own, batch, found, err);

    db_close(db);
    return ok;
}

/* Older work is in the way: it goes on by itself, and then the service takes ours, as it was asked to.  Asked again only where
 * it is not at work any more. */
static bool wait_for_older(struct wait *w, struct err *err)
{
    uint64_t older;
    bool running;

    if (json_get_bool(json_member(w->report, "running"), &running) && running
        && json_get_u64(json_member(w->report, "sequence"), &older) && !goal_reached(w->report, &(struct goal){ .wait_all = true }))
        return look_at(w, older, err);
    return request_run(w, err);
}

/* *done: our batch is where this run must bring it, or there is nothing to settle. */
static bool look(struct wait *w, bool *done, struct err *err)
{
    struct batch_row own;
    uint64_t reported;
    bool found, nothing;

    if (!read_own_batch(w, &own, &found, err))
        return false;
    if (found && own.state == BATCH_CANCELLED)
        return err_set(err, ERR_HALT, "the settlement of batch %" PRIu64 " was cancelled: look why, then carry it into another"
                       " (POST /admin/v1/settlements/{sequence}/carry)", own.number);
    if (found && own.sequence != 0) {
        /* What was answered first says whether there was anything to do. */
        if (!(json_get_u64(json_member(w->report, "sequence"), &reported) && reported == own.sequence
              && goal_reached(w->report, w->goal)) && !look_at(w, own.sequence, err))
            return false;
        *done = goal_reached(w->report, w->goal);
        return !text_is(w->report, "state", "cancelled")
            || err_set(err, ERR_HALT, "settlement %" PRIu64 " was cancelled: look why, then carry its batch", own.sequence);
    }
    *done = json_get_bool(json_member(w->report, "nothing"), &nothing) && nothing;
    return *done || wait_for_older(w, err);
}

static bool time_is_over(const json *report, struct err *err)
{
    const char *detail = "";
    size_t len;

    if (!json_get_text(json_member(report, "waitsDetail"), &detail, &len))
        detail = "";
    return err_set(err, ERR_AGAIN, "not finished within the time-out; the service goes on by itself%s%s", *detail != 0 ? ": " : "",
                   detail);
}

static bool wait_by_service(struct wait *w, struct err *err)
{
    const struct goal *goal = w->goal;
    bool done = false;

    while (look(w, &done, err)) {
        if (done)
            return true;
        if (goal_is_over(goal))
            return text_is(w->report, "state", "pending")
                || time_is_over(w->report, err);
        clock_sleep_ms(POLL_MS);
    }
    return false;
}

/* The members of design 7, whatever else the service adds. */
static json *trim(const json *report)
{
    static const char *const members[] = { "sequence", "state", "receipts", "total", "paid", "failed", "transactions", "nothing" };
    static const char *const waits[] = { "waits", "waitsDetail" };
    json *out = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const json *v = json_member(report, members[i]);

        json_put(out, members[i], v != NULL ? json_share(v) : json_new_null());
    }
    for (size_t i = 0; i < ARRAY_LEN(waits); i++)
        if (json_member(report, waits[i]) != NULL)
            json_put(out, waits[i], json_share(json_member(report, waits[i])));
    return out;
}

bool settle_by_service(struct admin_client *client, const struct config *config, const struct goal *goal, struct err *err)
{
    struct wait w = { .client = client, .config = config, .goal = goal };
    bool ok = find_own_batch(config, &w.own, err) && request_run(&w, err);

    if (ok && goal->dry_run) {
        settle_print_plan(w.report);
        return true;
    }
    ok = ok && wait_by_service(&w, err);
    if (w.report != NULL && (ok || json_member(w.report, "sequence") != NULL))
        print_json(trim(w.report));
    json_free(w.report);
    return ok;
}
