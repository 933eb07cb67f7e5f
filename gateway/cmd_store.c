/* gateway/cmd_store.c - an online copy of the store, and a new store from archives and chain. */
#include <stdio.h>
#include <string.h>

#include "gateway/adopt.h"
#include "gateway/base/clock.h"
#include "gateway/commands.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/rebuild/rebuild.h"
#include "gateway/succession.h"
#include "store/writer.h"

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

static bool rebuild(const struct config *config, const char *place, struct err *err)
{
    struct rebuild_report report;
    struct settle_config sc;
    struct rpc *rpc = NULL;
    uint8_t *secret = NULL;
    json *out;
    bool ok = config_need_contract(config, err) && open_secret(config, &secret, err) && open_rpc(config, &rpc, err);

    if (ok) {
        /* Nothing is signed here, so whose key it is does not matter. */
        open_settle_config(config, secret, (struct address){ { 0 } }, &sc);
        ok = rebuild_store(&sc, config->store.url, place, rpc, &report, err);
    }
    rpc_free(rpc);
    secret_free(secret);
    if (!ok)
        return false;
    out = json_new_object();
    json_put_u64(out, "settlements", report.settlements);
    json_put_u64(out, "receipts", report.receipts);
    json_put_u64(out, "lastSequence", report.last_sequence);
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

static bool store_run(const struct args *args, struct err *err)
{
    const char *action = args->words[0];
    struct config config;
    bool ok;

    if (!config_load(args->config, &config, err))
        return false;
    if (strcmp(action, "trust-clock") == 0)
        ok = trust_clock(&config, err);
    else if (args->word_count < 2)
        ok = err_set(err, ERR_USAGE, "store %s needs %s", action, strcmp(action, "rebuild") == 0 ? "DIR" : "FILE");
    else if (strcmp(action, "backup") == 0)
        ok = backup(&config, args->words[1], err);
    else if (strcmp(action, "rebuild") == 0)
        ok = rebuild(&config, args->words[1], err);
    else if (strcmp(action, "adopt") == 0)
        ok = adopt(&config, args->words[1], err);
    else
        ok = err_set(err, ERR_USAGE, "store takes backup, rebuild, adopt or trust-clock, not %s", action);
    config_clear(&config);
    return ok;
}

const struct command command_store = {
    .name = "store", .words = "backup FILE | rebuild DIR | adopt FILE | trust-clock", .words_min = 1, .words_max = 2,
    .summary = "an online copy; a new store from archives and chain",
    .text = "backup copies the store to FILE while the service runs.  rebuild makes a new, empty [store] url whole again from\n"
            "the published files in DIR (or a mirror's URL) and the chain: first it audits them, then it fills the store.\n"
            "What was not settled yet is not in archives: nodes post it again.  API keys are made anew.\n"
            "adopt copies providers, consumers, prices and models of the contract before, whose configuration FILE is, into a\n"
            "store that is still empty; prints how many {\"providers\",\"consumers\",\"prices\",\"models\"}.\n"
            "trust-clock, with the service stopped: the clock was ahead before and is right now, so take receipts again.",
    .run = store_run,
};
