/* GET /metrics in the Prometheus text format; times are Unix seconds, labels are from fixed sets. */
#include <inttypes.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/problem.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    head(out, name, type, help);
    buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_receipts(struct buf *out, const struct api *api)
{
    struct intake_counters c;

    intake_count(api->intake, &c);
    head(out, "quittance_receipts_total", "counter", "Receipts answered since the start, by what became of them.");
    buf_printf(out, "quittance_receipts_total{status=\"accepted\"} %" PRIu64 "\n", c.accepted);
    buf_printf(out, "quittance_receipts_total{status=\"duplicate\"} %" PRIu64 "\n", c.duplicate);
    buf_printf(out, "quittance_receipts_total{status=\"quarantined\"} %" PRIu64 "\n", c.quarantined);
    buf_printf(out, "quittance_receipts_total{status=\"rejected\"} %" PRIu64 "\n", c.rejected);
    head(out, "quittance_receipt_codes_total", "counter", "Receipts answered that were not accepted, by code.");
    for (size_t i = CODE_ACCEPTED + 1; i < RECEIPT_CODES; i++)
        buf_printf(out, "quittance_receipt_codes_total{code=\"%s\"} %" PRIu64 "\n", receipt_codes[i].name,
                   c.by_code[i]);
}

static bool first_receipt(void *self, const struct receipt_row *row, struct err *err)
{
    uint64_t *accepted_at_ms = self;

    (void)err;
    *accepted_at_ms = row->accepted_at_ms;
    return false;
}

/* When the oldest job of the oldest batch that is not final was accepted. */
static bool oldest_unsettled(struct db *db, uint64_t *accepted_at_ms, struct err *err)
{
    struct batch_row batch;
    bool found;

    *accepted_at_ms = 0;
    return store_batch_unfinished(db, &batch, &found, err) && (found || store_batch_open(db, &batch, err))
        && store_receipts_of_batch(db, batch.number, first_receipt, accepted_at_ms, err);
}

static bool put_store(struct buf *out, const struct api *api, struct db *db, struct err *err)
{
    uint64_t strangers, held, oldest;
    struct batch_row open;

    if (!store_receipts_held_count(db, &strangers, &held, err) || !store_batch_open(db, &open, err)
        || !oldest_unsettled(db, &oldest, err))
        return false;
    one(out, "quittance_writer_queue_rows", "gauge", "Rows waiting for the writer.", writer_depth(api->writer));
    one(out, "quittance_writer_healthy", "gauge", "1: the last commit of the store went well.",
        writer_healthy(api->writer));
    one(out, "quittance_receipts_held", "gauge", "Receipts in quarantine.", held);
    one(out, "quittance_batch_receipts", "gauge", "Receipts in the open batch.", open.receipts);
    one(out, "quittance_oldest_unsettled_timestamp_seconds", "gauge",
        "Acceptance of the oldest receipt whose batch is not final; 0: none.", oldest / 1000);
    return true;
}

static void put_states(struct buf *out, const struct settlement_row *last)
{
    head(out, "quittance_settlement_state", "gauge", "1 at the state of the newest settlement.");
    for (int state = BATCH_PREPARED; state < BATCH_STATES; state++)
        buf_printf(out, "quittance_settlement_state{state=\"%s\"} %d\n", batch_state_name((enum batch_state)state),
                   last != NULL && last->state == (enum batch_state)state);
}

static void put_waits(struct buf *out, const struct settle_report *report)
{
    head(out, "quittance_settlement_waiting", "gauge", "1 at what a settlement waits for.");
    for (int waits = WAITS_FOR_BLOCK; waits <= WAITS_FOR_BUDGET; waits++)
        buf_printf(out, "quittance_settlement_waiting{reason=\"%s\"} %d\n", settle_waits_name((enum settle_waits)waits),
                   report->waits == (enum settle_waits)waits);
}

static bool put_settle(struct buf *out, const struct api *api, struct db *db, struct err *err)
{
    struct run_report report = { 0 };
    struct settlement_row last;
    bool found;

    if (!store_settlement_last(db, &last, &found, err))
        return false;
    if (api->runner != NULL)
        runner_report(api->runner, &report);
    one(out, "quittance_settlement_sequence", "gauge", "Sequence of the newest settlement; 0: none.",
        found ? last.sequence : 0);
    put_states(out, found ? &last : NULL);
    put_waits(out, &report.settle);
    one(out, "quittance_settle_running", "gauge", "1: a settlement run is under way.", report.running);
    one(out, "quittance_settle_last_success_timestamp_seconds", "gauge", "End of the last good run; 0: never.",
        report.last_success_ms / 1000);
    one(out, "quittance_settle_stuck_timestamp_seconds", "gauge", "Since when a settlement is stuck; 0: it is not.",
        report.stuck_since_ms / 1000);
    head(out, "quittance_settle_error", "gauge", "1 with the code of the last run's error.");
    buf_printf(out, "quittance_settle_error{code=\"%s\"} %d\n", err_code_name(report.error.code),
               report.error.code != ERR_NONE);
    return true;
}

static void put_answers(struct buf *out, const struct server *server, const char *listener, size_t table,
                        const struct route_table *rows)
{
    for (size_t row = 0; server != NULL && row <= rows->count; row++)
        for (unsigned class = 2; class <= 5; class++) {
            uint64_t count = server_answers(server, table, row, class);

            if (count > 0)
                buf_printf(out, "quittance_http_requests_total{listener=\"%s\",method=\"%s\",route=\"%s\","
                                "status=\"%uxx\"} %" PRIu64 "\n", listener,
                           row < rows->count ? rows->rows[row].method : "other",
                           row < rows->count ? rows->rows[row].path : "none", class, count);
        }
}

static void put_http(struct buf *out, const struct api *api)
{
    head(out, "quittance_http_requests_total", "counter", "Answers, by listener, route and class of status.");
    put_answers(out, api->server, "public", 0, &routes_public);
    put_answers(out, api->admin_server, "admin", 0, &routes_admin);
    put_answers(out, api->admin_server, "admin", 1, &routes_public);
}

static void put_endpoints(struct buf *out, const struct api *api)
{
    struct rpc_health list[RPC_URLS_MAX];

    if (api->runner != NULL)
        metrics_put_endpoints(out, list, runner_endpoints(api->runner, list));
}

void metrics_get(struct request *req, struct reply *reply)
{
    struct api *api = req->api;
    struct err err = { 0 };
    struct db *db;
    bool ok;

    if (!api_begin(api, &db, reply))
        return;
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    head(&reply->body, "quittance_info", "gauge", "The version that runs.");
    buf_printf(&reply->body, "quittance_info{version=\"%s\"} 1\n", QUITTANCE_VERSION);
    put_receipts(&reply->body, api);
    ok = put_store(&reply->body, api, db, &err) && put_settle(&reply->body, api, db, &err);
    put_endpoints(&reply->body, api);
    put_http(&reply->body, api);
    api_end(api, db);
    if (!ok)
        problem_from_err(reply, &err);
}
