#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/report.h"
#include "api/settlement_shapes.h"
#include "store/keys.h"

#define RUN_WAIT_S 30                     /* for a sequence, or the news that there is nothing to do */

static void put_error(json *object, const struct err *err)
{
    json *error;

    if (err->code == ERR_NONE)
        return;
    error = json_new_object();
    json_put_text(error, "code", err_code_name(err->code));
    json_put_text(error, "detail", err->text);
    json_put_u64(error, "exit", (uint64_t)err_exit_code(err));
    json_put(object, "error", error);
}

/* The line of the run, and what only a running service can add: {..., running, activeAt?, error?} */
static json *run_to_json(const struct run_report *report)
{
    const struct settle_report *s = &report->settle;
    json *object = report_to_json(s);

    json_put_bool(object, "running", report->running);
    if (s->active_at_s > 0)
        json_put_u64(object, "activeAt", s->active_at_s);
    put_error(object, &report->error);
    return object;
}

static bool has_runner(const struct request *req, struct reply *reply)
{
    if (req->api->runner == NULL)
        problem(reply, 503, "no-chain", "No chain and contract are configured, so nothing can be settled.");
    return req->api->runner != NULL;
}

static void start_run(struct request *req, bool dry, uint64_t wait_s, struct reply *reply)
{
    struct run_report report = { 0 };
    struct settle_plan plan;
    struct err err = { 0 };

    if (!dry) {
        runner_request(req->api->runner, wait_s * 1000, &report);
        reply_json(reply, 202, run_to_json(&report));
    } else if (runner_plan(req->api->runner, &plan, &err)) {
        reply_json(reply, 202, plan_to_json(&plan));
        settle_plan_clear(&plan);
    } else {
        problem_from_err(reply, &err);
    }
}

void run_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "dryRun", "wait" };
    struct err err = { 0 };
    uint64_t wait_s = RUN_WAIT_S;
    bool dry = false, ok;
    json *object;

    if (!request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    ok = field_flag(object, "dryRun", &dry, &err) && field_number(object, "wait", 0, RUN_WAIT_S, &wait_s, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (has_runner(req, reply))
        start_run(req, dry, wait_s, reply);
}

/* What the store knows of a sequence, in the shape of a run's report. */
static bool report_from_store(struct db *db, uint64_t sequence, struct run_report *report, bool *found, struct err *err)
{
    struct settlement_row s;
    struct settlement_sums sums;
    bool whole;

    if (!store_settlement_find(db, sequence, &s, found, err))
        return false;
    if (!*found)
        return true;
    if (!settlement_sum(db, &s, &sums, &whole, err))
        return false;
    report->settle = (struct settle_report){
        .has_sequence = true, .sequence = sequence, .receipts = s.content.receipts, .transactions = sums.transactions,
        .active_at_s = s.active_at_s, .state = s.state, .total = s.content.total, .paid = sums.paid,
        .failed = sums.skipped_accounts,
    };
    return true;
}

/* The runner knows what it waits for and what went wrong last; that belongs to the sequence it works on. */
static void add_current(struct request *req, struct run_report *report)
{
    struct run_report current = { 0 };

    if (req->api->runner == NULL)
        return;
    runner_report(req->api->runner, &current);
    if (current.settle.has_sequence && current.settle.sequence != report->settle.sequence)
        return;
    report->running = current.running;
    report->error = current.error;
    report->settle.waits = current.settle.waits;
    memcpy(report->settle.waits_detail, current.settle.waits_detail, sizeof report->settle.waits_detail);
}

void run_get(struct request *req, struct reply *reply)
{
    struct run_report report = { 0 };
    struct err err = { 0 };
    uint64_t sequence;
    struct db *db;
    bool ok, found = false;

    if (!request_number(req, 0, &sequence, reply) || !api_begin(req->api, &db, reply))
        return;
    ok = report_from_store(db, sequence, &report, &found, &err);
    api_end(req->api, db);
    if (!ok) {
        problem_from_err(reply, &err);
    } else if (!found) {
        problem(reply, 404, "not-found", "There is no settlement of this sequence.");
    } else {
        add_current(req, &report);
        reply_json(reply, 200, run_to_json(&report));
    }
}

struct carry { const char *who; char reason[4 * REQUEST_REASON_MAX + 1]; uint64_t sequence; };

static bool carry(void *self, struct group *group, struct err *err)
{
    const struct carry *c = self;
    json *detail = json_new_object();
    struct buf text;
    bool ok;

    buf_init(&text);
    json_put_u64(detail, "sequence", c->sequence);
    json_put_text(detail, "reason", c->reason);
    json_write(detail, &text);
    json_free(detail);
    ok = store_batch_carry(group->db, c->sequence, err)
      && store_audit_add(group->db, group->now_ms, c->who, "settlement-carry", buf_text(&text), err);
    buf_clear(&text);
    return ok;
}

void carry_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "reason" };
    struct carry c = { .who = req->who };
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_number(req, 0, &c.sequence, reply) || !request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    ok = field_text(object, "reason", REQUIRED, REQUEST_REASON_MAX, c.reason, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (writer_do(req->api->writer, carry, &c, &err))
        run_get(req, reply);
    else
        problem_from_err(reply, &err);
}
