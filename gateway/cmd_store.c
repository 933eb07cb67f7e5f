/* gateway/cmd_store.c - copies of the store, a new store from archives and chain, catching up after a backup. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/admin_client.h"
#include "gateway/adopt.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/level.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/rebuild/rebuild.h"
#include "gateway/settle/crash.h"
#include "gateway/succession.h"
#include "store/batches.h"
#include "store/copy.h"
#include "store/writer.h"

#define POLL_MS 200u
#define TELL_MS 2000u
#define SERVICE_MS 600000u         /* for the service to write what was missing */

static bool backup(const struct config *config, const char *path, struct err *err)
{
    struct db *db = NULL;
    json *out;
    bool ok;

    if (file_exists(path))
        return err_set(err, ERR_INVALID, "%s exists: a backup is never written over", path);
    ok = db_open(config->store.url, DB_READ, &db, err) && db_backup(db, path, err);
    db_close(db);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_text(out, "backup", path);
    print_json(out);
    return true;
}

/* What both ways of making settlements again need.  Nothing is signed, so whose key it is does not matter. */
struct again { struct settle_config settle; struct rpc *rpc; uint8_t *secret; };

static bool again_open(const struct config *config, struct again *a, struct err *err)
{
    if (!config_need_contract(config, err) || !open_secret(config, &a->secret, err) || !open_rpc(config, &a->rpc, err))
        return false;
    open_settle_config(config, a->secret, (struct address){ { 0 } }, &a->settle);
    return true;
}

static void again_close(struct again *a)
{
    rpc_free(a->rpc);
    secret_free(a->secret);
}

static bool rebuild(const struct config *config, const char *place, struct err *err)
{
    struct rebuild_report report;
    struct again a = { 0 };
    json *out;
    bool ok = again_open(config, &a, err)
           && rebuild_store(&a.settle, config->store.url, place, a.rpc, level_tell, NULL, &report, err);

    again_close(&a);
    if (!ok)
        return false;
    fprintf(stderr, "Not in archives, so to be set again: names and limits of providers and consumers, who was expelled, prices"
            " and models that nothing was settled by, API keys\n");
    out = json_new_object();
    json_put_u64(out, "settlements", report.settlements);
    json_put_u64(out, "receipts", report.receipts);
    json_put_u64(out, "lastSequence", report.last_sequence);
    print_json(out);
    return true;
}

/* The running service does it by itself once the files are there. */
static bool wait_for_service(struct db *db, uint64_t to, struct err *err)
{
    uint64_t started_ms = clock_monotonic_ms();
    struct settlement_row last = { 0 };
    bool found;

    do {
        if (!store_settlement_last(db, &last, &found, err))
            return false;
        if (last.sequence >= to)
            return true;
        clock_sleep_ms(POLL_MS);
    } while (clock_monotonic_ms() - started_ms < SERVICE_MS);
    return err_set(err, ERR_AGAIN, "the files are in [archive] dir; the service knows settlement %" PRIu64 " of %" PRIu64 " so far:"
                   " its log tells why", last.sequence, to);
}

static bool catch_up_here(const struct config *config, const struct again *a, struct db *db, const char *place,
                          struct catch_up_report *report, struct err *err)
{
    struct binding binding = open_binding(config);
    struct writer *writer = NULL;
    bool ok = writer_open_bound(config->store.url, &clock_system, &binding, &writer, err);

    if (ok) {
        writer_use_archives(writer, a->settle.archive_dir, a->settle.secret);
        db_use_archives(db, a->settle.archive_dir, a->settle.secret);
        ok = catch_up(&a->settle, writer, db, a->rpc, place, level_tell, NULL, report, err);
    }

    writer_close(writer);
    return ok;
}

static bool catch_up_either(const struct config *config, const struct again *a, const char *place, struct catch_up_report *report,
                            struct err *err)
{
    struct admin_client *service = NULL;
    struct db *db = NULL;
    bool ok = admin_connect(config, &service, err) && db_open(config->store.url, DB_READ, &db, err);

    if (ok && service != NULL)
        ok = catch_up_fetch(&a->settle, db, a->rpc, place, report, err)
          && (report->from == 0 || wait_for_service(db, report->to, err));
    else if (ok)
        ok = catch_up_here(config, a, db, place, report, err);
    db_close(db);
    admin_free(service);
    return ok;
}

static bool catch_up_store(const struct config *config, const char *place, struct err *err)
{
    struct catch_up_report report;
    struct again a = { 0 };
    json *out;
    bool ok = again_open(config, &a, err) && catch_up_either(config, &a, place, &report, err);

    again_close(&a);
    if (!ok)
        return false;
    if (report.from != 0)
        fprintf(stderr, "Made after the backup and not in archives, so to be looked at: receipts after the last commit (nodes post"
                " them again), daily and credit limits, who was expelled, unused prices, models and delegations, API keys\n");
    out = json_new_object();
    if (report.from == 0) {
        json_put(out, "from", json_new_null());
        json_put(out, "to", json_new_null());
    } else {
        json_put_u64(out, "from", report.from);
        json_put_u64(out, "to", report.to);
    }
    print_json(out);
    return true;
}

static bool adopt(const struct config *config, const char *path, struct err *err)
{
    struct adopt_report report;
    struct config old;
    json *out;
    bool ok;

    if (!config_need_contract(config, err) || !succession_load(config, path, &old, err))
        return false;
    ok = adopt_catalog(config, &old, &report, err);
    config_clear(&old);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_u64(out, "providers", report.providers);
    json_put_u64(out, "consumers", report.consumers);
    json_put_u64(out, "prices", report.prices);
    json_put_u64(out, "models", report.models);
    print_json(out);
    return true;
}

static bool trust_clock(const struct config *config, struct err *err)
{
    struct writer *writer = NULL;
    json *out;
    bool ok = writer_open(config->store.url, &clock_system, &writer, err) && writer_trust_clock(writer, err);

    writer_close(writer);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_u64(out, "now", clock_now_ms(&clock_system));
    print_json(out);
    return true;
}

static void tell_rows(void *self, const char *table, uint64_t rows)
{
    uint64_t *told_ms = self, now_ms = clock_monotonic_ms();
    char point[80];

    snprintf(point, sizeof point, "copied-%s", table);
    settle_crash_point(point);
    if (now_ms - *told_ms < TELL_MS)
        return;
    *told_ms = now_ms;
    fprintf(stderr, "%s: %" PRIu64 " rows\n", table, rows);
}

/* Needs no configuration: it names both stores. */
static bool copy(const char *from, const char *to, struct err *err)
{
    struct copy_report report;
    uint64_t told_ms = clock_monotonic_ms();
    char digest[HASH_TEXT];
    json *out;

    if (!store_copy(from, to, tell_rows, &told_ms, &report, err))
        return false;
    hash_to_text(report.digest, digest);
    out = json_new_object();
    json_put_u64(out, "tables", report.tables);
    json_put_u64(out, "rows", report.rows);
    json_put_text(out, "digest", digest);
    json_put_bool(out, "resumed", report.resumed);
    print_json(out);
    return true;
}

static bool migrate(const struct config *config, struct err *err)
{
    struct db *db = NULL;
    uint64_t from, to = db_schema_newest();
    json *out, *steps;
    bool ok = db_open(config->store.url, DB_WRITE, &db, err) && db_schema(db, &from, err) && db_migrate(db, err);

    db_close(db);
    if (!ok)
        return false;
    steps = json_new_array();
    for (uint64_t version = from + 1; version <= to; version++)
        json_add(steps, json_new_text(db_schema_step(version)));
    out = json_new_object();
    json_put_u64(out, "from", from);
    json_put_u64(out, "to", to);
    json_put(out, "steps", steps);
    print_json(out);
    return true;
}

static bool store_run(const struct args *args, struct err *err)
{
    const char *action = args->words[0];
    struct config config;
    bool ok;

    if (strcmp(action, "copy") == 0)
        return args->word_count == 3 ? copy(args->words[1], args->words[2], err)
                                     : err_set(err, ERR_USAGE, "store copy needs FROM and TO, urls as in [store] url");
    if (args->word_count > 2)
        return err_set(err, ERR_USAGE, "store %s takes no %s", action, args->words[2]);
    if (!config_load(args->config, &config, err))
        return false;
    if (strcmp(action, "trust-clock") == 0)
        ok = trust_clock(&config, err);
    else if (strcmp(action, "migrate") == 0)
        ok = migrate(&config, err);
    else if (strcmp(action, "catch-up") == 0)
        ok = catch_up_store(&config, args->word_count < 2 ? NULL : args->words[1], err);
    else if (args->word_count < 2)
        ok = err_set(err, ERR_USAGE, "store %s needs %s", action, strcmp(action, "rebuild") == 0 ? "DIR" : "FILE");
    else if (strcmp(action, "backup") == 0)
        ok = backup(&config, args->words[1], err);
    else if (strcmp(action, "rebuild") == 0)
        ok = rebuild(&config, args->words[1], err);
    else if (strcmp(action, "adopt") == 0)
        ok = adopt(&config, args->words[1], err);
    else
        ok = err_set(err, ERR_USAGE, "store takes backup, rebuild, catch-up, adopt, copy, migrate or trust-clock, not %s", action);
    config_clear(&config);
    return ok;
}

const struct command command_store = {
    .name = "store", .words = "backup FILE | rebuild DIR | catch-up [DIR] | adopt FILE | copy FROM TO | migrate | trust-clock",
    .words_min = 1, .words_max = 3,
    .summary = "an online copy; a new store from archives and chain",
    .text = "backup copies the store to FILE while the service runs.  rebuild makes a new, empty [store] url whole again from\n"
            "the published files in DIR (or a mirror's URL) and the chain: first it audits them, then it fills the store.\n"
            "What was not settled yet is not in archives: nodes post it again.  API keys are made anew.\n"
            "catch-up: a restored backup learns what was settled since, from [archive] dir and from DIR or a mirror's URL.\n"
            "`serve` and `settle` do it by themselves where [archive] dir has the files; beside a running service this\n"
            "brings the files and waits.  Prints {\"from\",\"to\"}: the settlements that were missing, null where none were.\n"
            "adopt copies providers, consumers, prices and models of the contract before, whose configuration FILE is, into a\n"
            "store that is still empty; prints how many {\"providers\",\"consumers\",\"prices\",\"models\"}.\n"
            "copy, with the service stopped, puts all of FROM into the empty store TO; both are urls as in [store] url, so it leads from\n"
            "SQLite to PostgreSQL and back.  Both sides are compared by a digest; until then nothing serves from TO.  Ended in between,\n"
            "it goes on when given again.  Prints {\"tables\",\"rows\",\"digest\",\"resumed\"}.\n"
            "migrate brings the schema to this program's, as `serve` does when it starts; prints {\"from\",\"to\",\"steps\"}.\n"
            "trust-clock, with the service stopped: the clock was ahead before and is right now, so take receipts again.",
    .run = store_run,
};
