/* gateway/settle_alone.c - a settlement run of this process, with the store's lock, or the lease of those who settle it. */
#include "gateway/settle_ways.h"

#include "api/report.h"
#include "gateway/base/log.h"
#include "gateway/deadline.h"
#include "gateway/level.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/shared_folder.h"
#include "gateway/settle/marks.h"

#define GRACE_MS 2000          /* a run ends by itself when its time is over; later whatever it waits for is ended */

static bool run_or_plan(struct settle *settle, const struct goal *goal, struct err *err)
{
    struct settle_report report = { 0 };
    struct settle_plan plan;
    bool ok;

    if (goal->dry_run) {
        if (!settle_plan(settle, &plan, err))
            return false;
        settle_print_plan(plan_to_json(&plan));
        settle_plan_clear(&plan);
        return true;
    }
    /* 0 would be no time-out. */
    ok = settle_run(settle, goal->wait_all, goal_is_over(goal) ? 1 : goal_left_ms(goal), &report, err);
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

bool settle_alone(const struct config *config, const struct goal *goal, struct writer *writer, struct lease *lease,
                  struct err *err)
{
    struct settle_config sc;
    struct db *db = NULL;
    struct signer *signer = NULL;
    struct rpc *rpc = NULL;
    struct settle *settle = NULL;
    struct deadline *deadline = NULL;
    uint8_t *secret = NULL;
    bool ok = false;

    if ((goal->timeout_ms == 0 || deadline_start(goal_left_ms(goal) + GRACE_MS, &deadline, err)) && db_open(config->store.url, DB_READ, &db, err)
        && file_make_dir(config->archive.dir, 0700, err) && open_rpc(config, &rpc, err) && open_secret(config, &secret, err)
        && open_signer(config, &signer, err)) {
        open_settle_config(config, secret, signer_address(signer), &sc);
        sc.lease = lease;
        if (deadline != NULL)
            rpc_set_stop(rpc, deadline_flag(deadline));
        db_use_archives(db, config->archive.dir, secret);
        if (writer != NULL)
            writer_use_archives(writer, config->archive.dir, secret);
        ok = (goal->dry_run || shared_folder_check(db, writer, config->archive.dir, err))
            && catch_up_first(&sc, goal, writer, db, rpc, err) && (goal->dry_run || open_pool(config, writer, err))
          && settle_new(&sc, db, writer, rpc, signer, &clock_system, &settle, err) && run_or_plan(settle, goal, err);
    }
    if (!goal->dry_run)
        ok = note_run(writer, ok, err);
    settle_free(settle);
    signer_free(signer);
    secret_free(secret);
    rpc_free(rpc);
    deadline_free(deadline);
    db_close(db);
    return ok;
}
