/* gateway/cmd_settle.c - one settlement run, for cron: by the running service, or by itself with the store's lock. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/report.h"
#include "gateway/admin_client.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/commands.h"
#include "gateway/deadline.h"
#include "gateway/level.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/settle/marks.h"
#include "gateway/status.h"
#include "store/batches.h"

#define POLL_MS 500
#define GRACE_MS 2000          /* a run ends by itself when its time is over; later whatever it waits for is ended */
#define REQUEST_WAIT_S 30      /* most that the service lets a request wait */

struct goal { bool wait_all, dry_run; uint64_t timeout_ms, started_ms; };     /* timeout_ms 0: none */

/* Of the time that the whole command has, waiting for others included. */
static uint64_t left_ms(const struct goal *goal)
{
    uint64_t waited_ms = clock_monotonic_ms() - goal->started_ms;

    return goal->timeout_ms > waited_ms ? goal->timeout_ms - waited_ms : 0;
}

static bool is_over(const struct goal *goal)
{
    return goal->timeout_ms != 0 && left_ms(goal) == 0;
}

/* ---- by the service ---- */

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
    uint64_t left_s = left_ms(w->goal) / 1000;
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
    bool ok = db_open(config->store.url, DB_READ, &db, err) && store_batch_open(db, &open, err);

    db_close(db);
    if (ok)
        *number = open.number - (open.receipts == 0 && amount_is_zero(open.amount) ? 1 : 0);
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
        if (is_over(goal))
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

/* ---- a dry run, for people too ---- */

/* Millionths of the coin, rounded up; what is wider is shown as it is. */
static void tell_coin(const char *what, const json *wei)
{
    const char *text = "0";
    struct u256 v;
    uint64_t millionths, rest;
    size_t len;

    if (!json_get_text(wei, &text, &len) || !u256_from_decimal(text, len, &v))
        return;
    v = u256_div_u64(v, UINT64_C(1000000000000), &rest);
    if (u256_to_u64(v, &millionths) && millionths < UINT64_MAX) {
        millionths += rest > 0;
        fprintf(stderr, "%s %" PRIu64 ".%06" PRIu64 " coin", what, millionths / 1000000, millionths % 1000000);
    } else {
        fprintf(stderr, "%s %s wei", what, text);
    }
}

static const char *text_of(const json *object, const char *key)
{
    const char *text;
    size_t len;

    return json_get_text(json_member(object, key), &text, &len) ? text : "?";
}

static uint64_t count_of(const json *object, const char *key)
{
    uint64_t count;

    return json_get_u64(json_member(object, key), &count) ? count : 0;
}

static void tell_plan(const json *plan)
{
    const json *calls = json_member(plan, "calls"), *left = json_member(plan, "leftOut"), *stops = json_member(plan, "stops");

    fprintf(stderr, "%zu transactions, %" PRIu64 " accounts paid, %" PRIu64 " gas;", json_count(calls),
            count_of(plan, "dueAccounts"), count_of(plan, "gas"));
    tell_coin(" at most", json_member(plan, "maxCostWei"));
    tell_coin("; the signer has", json_member(plan, "balanceWei"));
    fputc('\n', stderr);
    for (size_t i = 0; left != NULL && i < json_count(left); i++)
        fprintf(stderr, "left out: %" PRIu64 " accounts, %s base units: %s\n", count_of(json_at(left, i), "accounts"),
                text_of(json_at(left, i), "amount"), text_of(json_at(left, i), "reason"));
    for (size_t i = 0; stops != NULL && i < json_count(stops); i++)
        fprintf(stderr, "stops at %s: %s\n", text_of(json_at(stops, i), "reason"), text_of(json_at(stops, i), "detail"));
}

/* JSON stays JSON; who looks at a terminal gets the gist of it first. */
static void print_plan(json *owned)
{
    if (isatty(STDOUT_FILENO) == 1)
        tell_plan(owned);
    print_json(owned);
}

static bool settle_by_service(struct admin_client *client, const struct config *config, const struct goal *goal, struct err *err)
{
    struct wait w = { .client = client, .config = config, .goal = goal };
    bool ok = find_own_batch(config, &w.own, err) && request_run(&w, err);

    if (ok && goal->dry_run) {
        print_plan(w.report);
        return true;
    }
    ok = ok && wait_by_service(&w, err);
    if (w.report != NULL && (ok || json_member(w.report, "sequence") != NULL))
        print_json(trim(w.report));
    json_free(w.report);
    return ok;
}

/* ---- by ourselves ---- */

static bool run_or_plan(struct settle *settle, const struct goal *goal, struct err *err)
{
    struct settle_report report = { 0 };
    struct settle_plan plan;
    bool ok;

    if (goal->dry_run) {
        if (!settle_plan(settle, &plan, err))
            return false;
        print_plan(plan_to_json(&plan));
        settle_plan_clear(&plan);
        return true;
    }
    /* 0 would be no time-out. */
    ok = settle_run(settle, goal->wait_all, is_over(goal) ? 1 : left_ms(goal), &report, err);
    if (ok || report.has_sequence)
        print_json(report_to_json(&report));
    return ok;
}

/* A restored backup learns first what was settled since.  Where it cannot, the run says what it misses, and who made it. */
static bool catch_up_first(const struct settle_config *sc, const struct goal *goal, struct writer *writer, struct db *db,
                           struct rpc *rpc, struct err *err)
{
    struct catch_up_report report;

    if (goal->dry_run || catch_up(sc, writer, db, rpc, NULL, level_tell, NULL, &report, err))
        return true;
    if (err->code != ERR_HALT)
        return false;
    log_event(LOG_ERROR_LEVEL, "store_not_level", KV_TEXT("error", err->text));
    return true;
}

/* For status and for the next run. */
static bool note_run(struct writer *writer, bool well, struct err *err)
{
    struct err unkept = { 0 };

    if (marks_note(writer, well, &unkept))
        return well;
    if (well)
        *err = unkept;             /* else the run's own error tells more */
    return false;
}

/* Takes the writer, which holds the store's lock. */
static bool settle_alone(const struct config *config, const struct goal *goal, struct writer *owned, struct err *err)
{
    struct settle_config sc;
    struct db *db = NULL;
    struct signer *signer = NULL;
    struct rpc *rpc = NULL;
    struct settle *settle = NULL;
    struct deadline *deadline = NULL;
    uint8_t *secret = NULL;
    bool ok = false;

    if ((goal->timeout_ms == 0 || deadline_start(left_ms(goal) + GRACE_MS, &deadline, err)) && db_open(config->store.url, DB_READ, &db, err)
        && file_make_dir(config->archive.dir, 0700, err) && open_rpc(config, &rpc, err) && open_secret(config, &secret, err)
        && open_signer(config, &signer, err)) {
        open_settle_config(config, secret, signer_address(signer), &sc);
        if (deadline != NULL)
            rpc_set_stop(rpc, deadline_flag(deadline));
        ok = catch_up_first(&sc, goal, owned, db, rpc, err)
          && settle_new(&sc, db, owned, rpc, signer, &clock_system, &settle, err) && run_or_plan(settle, goal, err);
    }
    if (!goal->dry_run)
        ok = note_run(owned, ok, err);
    settle_free(settle);
    signer_free(signer);
    secret_free(secret);
    rpc_free(rpc);
    deadline_free(deadline);
    db_close(db);
    writer_close(owned);
    return ok;
}

/* By whoever may write: the service, or we.  Where the store is locked and nobody answers, another run is at work or a service
 * is starting or ending: asked again until the time is over. */
static bool settle_by_whoever_may(const struct config *config, const struct goal *goal, struct err *err)
{
    const struct binding binding = open_binding(config);
    bool told = false, ok;

    for (;;) {
        struct admin_client *client = NULL;
        struct writer *writer = NULL;

        if (!admin_connect(config, &client, err))
            return false;
        if (client != NULL) {
            ok = settle_by_service(client, config, goal, err);
            admin_free(client);
            return ok;
        }
        if (writer_open_bound(config->store.url, &clock_system, &binding, &writer, err))
            return settle_alone(config, goal, writer, err);
        if (err->code != ERR_AGAIN || is_over(goal))
            return false;
        if (!told)
            log_event(LOG_NOTICE_LEVEL, "settle_waits", KV_TEXT("error", err->text));
        told = true;
        clock_sleep_ms(POLL_MS);
    }
}

static bool settle_command_run(const struct args *args, struct err *err)
{
    struct goal goal = { .wait_all = args_flag(args, "--wait"), .dry_run = args_flag(args, "--dry-run"),
                         .started_ms = clock_monotonic_ms() };
    struct config config;
    const char *metrics = args_value(args, "--metrics");
    struct err unwritten = { 0 };
    uint64_t timeout_s;
    bool ok;

    if (!args_u64(args, "--timeout", 600, 86400, &timeout_s, err) || !config_load(args->config, &config, err))
        return false;
    goal.timeout_ms = timeout_s * 1000;
    ok = config_need_contract(&config, err) && settle_by_whoever_may(&config, &goal, err);
    if (metrics != NULL && !status_write_metrics(&config, metrics, &unwritten)) {
        if (ok)
            *err = unwritten;
        ok = false;
    }
    config_clear(&config);
    return ok;
}

const struct command command_settle = {
    .name = "settle", .words = "", .words_max = 0,
    .summary = "one settlement run, for cron",
    .text = "First finishes what an earlier run left, then closes the open batch, commits its roots and pays everybody who is\n"
            "owed [settle] distribute_minimum or more.  Works beside a running `serve` and without one.  Prints\n"
            "{\"sequence\",\"state\",\"receipts\",\"total\",\"paid\",\"failed\",\"transactions\",\"nothing\",\"waits\",\"waitsDetail\"}, the\n"
            "last two where it waits: for a block, activation, fees below max_fee_gwei, or budget (max_run_cost_gwei, max_day_cost_gwei).\n"
            "--dry-run prints every call with its gas and the most it may cost, who is left out and why, and what would stop it.\n"
            "Without --wait it returns when the commit is mined, with it when everything is paid and confirmed; where\n"
            "activation is later than --timeout, it exits 0 with state pending.  Two runs at once are one run: with a service\n"
            "the later joins the earlier, without one it waits for it; at --timeout, waiting included, it ends with 75.",
    .run = settle_command_run,
    .options = { { "--wait", NULL, "until everything is distributed and confirmed" },
                 { "--dry-run", NULL, "show what would be sent and what it costs; change nothing" },
                 { "--metrics", "FILE", "write Prometheus metrics there afterwards, for a node exporter" },
                 { "--timeout", "SECONDS", "stop waiting then (600); the next run goes on" } },
};
