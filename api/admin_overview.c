/* GET /admin/v1/overview: all that the desk's first page shows, of one moment.  Each part costs the same however many
 * receipts are stored. */
#include "api/context.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/report.h"
#include "api/settlement_shapes.h"
#include "gateway/watchdog/publish.h"

static json *receipts_to_json(const struct api *api, uint64_t held)
{
    struct intake_counters c;
    json *object = json_new_object();

    intake_count(api->intake, &c);
    json_put_u64(object, "accepted", c.accepted);
    json_put_u64(object, "duplicate", c.duplicate);
    json_put_u64(object, "quarantined", c.quarantined);
    json_put_u64(object, "rejected", c.rejected);
    json_put_u64(object, "rate", live_rate(api->books[0]->live));
    json_put_u64(object, "held", held);
    json_put_u64(object, "queue", writer_depth(api->writer));
    return object;
}

static json *batch_to_json(const struct batch_row *b)
{
    json *object = json_new_object();

    json_put_u64(object, "batch", b->number);
    json_put_text(object, "state", batch_state_name(b->state));
    json_put_u64(object, "openedAt", b->opened_at_ms);
    json_put_u64(object, "receipts", b->receipts);
    json_put_amount(object, "amount", b->amount);
    return object;
}

/* State, errors and time as who settles has them; heights as they were seen last, which is each [watchdog] interval. */
static json *endpoints_to_json(const struct api *api, const struct chain_facts *c)
{
    struct rpc_health list[RPC_URLS_MAX];
    size_t count = api->runner != NULL ? runner_endpoints(api->runner, list) : 0;
    json *out = json_new_array();

    for (size_t i = 0; i < count; i++) {
        json *object = json_new_object();

        json_put_text(object, "name", list[i].name);
        json_put_text(object, "state", endpoint_state_name(list[i].state));
        json_put_text(object, "why", list[i].why);
        json_put_u64(object, "head", c->endpoints[i].head);
        json_put_u64(object, "lag", c->endpoints[i].lag);
        if (c->endpoints[i].finalized > 0)
            json_put_u64(object, "finalized", c->endpoints[i].finalized);
        json_put_u64(object, "latencyMs", list[i].latency_ms);
        json_put_u64(object, "errors", list[i].errors);
        json_add(out, object);
    }
    return out;
}

static json *chain_to_json(const struct api *api, const struct chain_facts *c)
{
    json *object = json_new_object();

    json_put(object, "endpoints", endpoints_to_json(api, c));
    json_put_bool(object, "seen", c->seen);
    if (!c->seen)
        return object;
    json_put_u64(object, "seenAt", c->seen_ms);
    json_put_u64(object, "head", c->head);
    json_put_u64(object, "headAt", c->head_time_s * 1000);
    if (c->any_confirmed)
        json_put_u64(object, "confirmed", c->confirmed);
    json_put_wei(object, "gasBalance", c->gas_balance);
    json_put_wei(object, "gasPrice", c->gas_price);
    if (c->gas_runs_left <= INT64_MAX)
        json_put_u64(object, "gasRuns", c->gas_runs_left);
    json_put_amount(object, "total", c->total);
    json_put_amount(object, "totalClaimed", c->total_claimed);
    json_put_amount(object, "capAvailable", c->cap_available);
    json_put_amount(object, "funds", c->funds);
    json_put_amount(object, "owed", c->owed);
    if (c->funds_days_left <= INT64_MAX)
        json_put_u64(object, "fundsDays", c->funds_days_left);
    return object;
}

static json *run_to_json(const struct api *api, const struct facts *facts)
{
    struct run_report report = { 0 };
    json *object;

    if (api->runner != NULL)
        runner_report(api->runner, &report);
    object = report_to_json(&report.settle);
    json_put_bool(object, "running", report.running);
    if (facts->last_success_ms > 0)
        json_put_u64(object, "lastSuccessAt", facts->last_success_ms);
    if (report.error.code != ERR_NONE) {
        json_put_text(object, "errorCode", err_code_name(report.error.code));
        json_put_text(object, "error", report.error.text);
    }
    return object;
}

/* What the watchdog saw last; nothing published yet: nothing found yet. */
static void put_watched(struct api *api, struct api *other, json *object)
{
    struct findings findings = { 0 }, of_other;
    struct facts facts = { 0 }, unused;
    json *list = json_new_array();

    (void)watchdog_read(api->config->watchdog, &facts, &findings);
    if (other != NULL && watchdog_read(other->config->watchdog, &unused, &of_other))
        findings_join(&findings, &of_other);
    findings_add_to(list, &findings, NULL);
    json_put(object, "findings", list);
    if (facts.unsettled_since_ms > 0) {
        json_put_u64(object, "oldestUnsettledAt", facts.unsettled_since_ms);
        json_put_u64(object, "settleBy", facts.unsettled_since_ms + api->config->settle_within_ms);
    }
    json_put(object, "run", run_to_json(api, &facts));
    json_put(object, "chain", chain_to_json(api, &facts.chain));
}

static bool put_stored(struct api *api, struct db *db, json *object, struct err *err)
{
    uint64_t held;
    struct settlement_row last;
    struct batch_row open;
    bool found;

    if (!held_count(api->held, db, &held, err) || !store_batch_open(db, &open, err)
        || !store_settlement_last(db, &last, &found, err))
        return false;
    json_put(object, "receipts", receipts_to_json(api, held));
    json_put(object, "open", batch_to_json(&open));
    json_put(object, "last", found ? settlement_to_json(&last) : json_new_null());
    return true;
}

void overview_get(struct request *req, struct reply *reply)
{
    struct api *api = req->api;
    json *object = json_new_object();
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(api, &db, reply)) {
        json_free(object);
        return;
    }
    json_put_u64(object, "now", clock_now_ms(api->clock));
    ok = put_stored(api, db, object, &err);
    api_end(api, db);
    if (!ok) {
        json_free(object);
        problem_from_err(reply, &err);
        return;
    }
    put_watched(api, api_other(req), object);
    reply_json(reply, 200, object);
}
