/* GET /metrics in the Prometheus text format; times are Unix seconds, labels are from fixed sets. */
#include "api/context.h"
#include "api/handlers.h"
#include "api/market_shape.h"
#include "api/metrics.h"
#include "api/metrics_load.h"
#include "api/problem.h"
#include "gateway/lib/exposition.h"
#include "gateway/pool/pool.h"
#include "gateway/watchdog/publish.h"

#include <inttypes.h>

static void put_receipts(struct buf *out, const struct api *api)
{
    struct intake_counters c;

    intake_count(api->intake, &c);
    exposition_head(out, "quittance_receipts_total", "counter", "Receipts answered since the start, by what became of them.");
    buf_printf(out, "quittance_receipts_total{status=\"accepted\"} %" PRIu64 "\n", c.accepted);
    buf_printf(out, "quittance_receipts_total{status=\"duplicate\"} %" PRIu64 "\n", c.duplicate);
    buf_printf(out, "quittance_receipts_total{status=\"quarantined\"} %" PRIu64 "\n", c.quarantined);
    buf_printf(out, "quittance_receipts_total{status=\"rejected\"} %" PRIu64 "\n", c.rejected);
    exposition_head(out, "quittance_receipt_codes_total", "counter", "Receipts answered that were not accepted, by code.");
    for (size_t i = CODE_ACCEPTED + 1; i < RECEIPT_CODES; i++)
        buf_printf(out, "quittance_receipt_codes_total{code=\"%s\"} %" PRIu64 "\n", receipt_codes[i].name,
                   c.by_code[i]);
}

/* Of this gateway alone; a file is no journey. */
static void put_database(struct buf *out, const struct db *db)
{
    struct db_counts counts = db_counts();

    if (!db_is_shared(db))
        return;
    exposition_one(out, "quittance_database_statements_total", "counter", "Statements sent to the database since the start.",
        counts.statements);
    exposition_one(out, "quittance_database_round_trips_total", "counter", "Times that an answer of the database was waited for.",
        counts.round_trips);
    exposition_one(out, "quittance_groups_beside_total", "counter", "Groups of receipts that were written beside those of other gateways.",
        counts.beside);
}

static bool put_store(struct buf *out, const struct api *api, struct db *db, struct err *err)
{
    uint64_t held;
    struct batch_row open;

    if (!held_count(api->held, db, &held, err) || !store_batch_open(db, &open, err))
        return false;
    exposition_one(out, "quittance_writer_queue_rows", "gauge", "Rows waiting for the writer.", writer_depth(api->writer));
    exposition_one(out, "quittance_writer_healthy", "gauge", "1: the last commit of the store went well.",
        writer_healthy(api->writer));
    exposition_one(out, "quittance_receipts_held", "gauge", "Receipts in quarantine, counted up to 100000.", held);
    exposition_one(out, "quittance_batch_receipts", "gauge", "Receipts in the open batch.", open.receipts);
    put_database(out, db);
    return true;
}

static bool put_popularity(struct buf *out, const struct api *api, struct db *db, struct err *err)
{
    struct popularity_terms terms;
    struct epoch_row unbooked, booked;
    bool running, stored, waits, any;

    if (!pool_epoch_now(db, clock_now_ms(api->clock), &terms, &running, &stored, err)
        || !store_epoch_unbooked(db, &unbooked, &waits, err) || !store_epoch_last_booked(db, &booked, &any, err))
        return false;
    exposition_one(out, "quittance_popularity_epoch", "gauge", "Epoch of the popularity pool that is under way; 0: none.",
        running ? terms.epoch : 0);
    exposition_one(out, "quittance_popularity_epoch_booked", "gauge", "Last epoch of the popularity pool that was booked; 0: none.",
        any ? booked.terms.epoch : 0);
    exposition_one(out, "quittance_popularity_booking_waits_seconds", "gauge", "How long the oldest epoch that is over waits to be booked.",
        waits && unbooked.terms.ends_ms < clock_now_ms(api->clock) ? (clock_now_ms(api->clock) - unbooked.terms.ends_ms) / 1000 : 0);
    return true;
}

static void put_states(struct buf *out, const struct settlement_row *last)
{
    exposition_head(out, "quittance_settlement_state", "gauge", "1 at the state of the newest settlement.");
    for (int state = BATCH_PREPARED; state < BATCH_STATES; state++)
        buf_printf(out, "quittance_settlement_state{state=\"%s\"} %d\n", batch_state_name((enum batch_state)state),
                   last != NULL && last->state == (enum batch_state)state);
}

static void put_waits(struct buf *out, const struct settle_report *report)
{
    exposition_head(out, "quittance_settlement_waiting", "gauge", "1 at what a settlement waits for.");
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
    exposition_one(out, "quittance_settlement_sequence", "gauge", "Sequence of the newest settlement; 0: none.",
        found ? last.sequence : 0);
    put_states(out, found ? &last : NULL);
    put_waits(out, &report.settle);
    exposition_one(out, "quittance_settle_running", "gauge", "1: a settlement run is under way.", report.running);
    exposition_head(out, "quittance_settle_error", "gauge", "1 with the code of the last run's error.");
    buf_printf(out, "quittance_settle_error{code=\"%s\"} %d\n", err_code_name(report.error.code),
               report.error.code != ERR_NONE);
    return true;
}

/* The figures are those of the contract that is asked; an alarm is that of either, where none was named. */
static void put_watchdog(struct buf *out, const struct api *api, const struct api *other)
{
    struct findings findings, of_other;
    struct facts facts, unused;

    if (!watchdog_read(api->config->watchdog, &facts, &findings))
        return;
    if (other != NULL && watchdog_read(other->config->watchdog, &unused, &of_other))
        findings_join(&findings, &of_other);
    watchdog_metrics(&facts, &findings, out);
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
    exposition_head(out, "quittance_http_requests_total", "counter", "Answers, by listener, route and class of status.");
    put_answers(out, api->server, "public", 0, &routes_public);
    put_answers(out, api->server, "public", 1, &routes_earner);
    put_answers(out, api->admin_server, "admin", 0, &routes_admin);
    put_answers(out, api->admin_server, "admin", 1, &routes_public);
    put_answers(out, api->admin_server, "admin", 2, &routes_desk);
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
    exposition_head(&reply->body, "quittance_info", "gauge", "The version that runs.");
    buf_printf(&reply->body, "quittance_info{version=\"%s\"} 1\n", QUITTANCE_VERSION);
    put_receipts(&reply->body, api);
    ok = put_store(&reply->body, api, db, &err) && put_settle(&reply->body, api, db, &err)
      && metrics_put_markets(&reply->body, db, &err) && put_popularity(&reply->body, api, db, &err);
    put_endpoints(&reply->body, api);
    put_watchdog(&reply->body, api, api_other(req));
    put_http(&reply->body, api);
    metrics_put_load(&reply->body, api);
    api_end(api, db);
    if (!ok)
        problem_from_err(reply, &err);
}
