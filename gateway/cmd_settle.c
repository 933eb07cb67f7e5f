/* gateway/cmd_settle.c - one settlement run, for cron: by the running service, or by itself with the store's lock. */
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/commands.h"
#include "gateway/open.h"
#include "gateway/settle_ways.h"
#include "gateway/status.h"

#define POLL_MS 500

uint64_t goal_left_ms(const struct goal *goal)
{
    uint64_t waited_ms = clock_monotonic_ms() - goal->started_ms;

    return goal->timeout_ms > waited_ms ? goal->timeout_ms - waited_ms : 0;
}

bool goal_is_over(const struct goal *goal)
{
    return goal->timeout_ms != 0 && goal_left_ms(goal) == 0;
}

/* Where others may write too, only one of them settles: a dead one is waited for. */
static bool settle_as_settler(const struct config *config, const struct goal *goal, struct writer *owned, struct err *err)
{
    struct lease *lease;
    bool ok;

    if (!lease_start(config->store.url, owned, &lease, err)) {
        writer_close(owned);
        return false;
    }
    ok = (goal->dry_run || lease_wait(lease, goal->timeout_ms == 0 ? UINT64_MAX / 2 : goal_left_ms(goal), err))
      && settle_alone(config, goal, owned, lease, err);
    lease_stop(lease);
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
            return settle_as_settler(config, goal, writer, err);
        if (err->code != ERR_AGAIN || goal_is_over(goal))
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
