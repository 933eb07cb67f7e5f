/* gateway/config_check.c - see config_check.h. */
#include "gateway/config_check.h"

#include <inttypes.h>
#include <string.h>

#include "api/forwarded.h"
#include "api/wallets.h"
#include "chain/signer.h"
#include "gateway/base/mem.h"
#include "gateway/core/model.h"
#include "gateway/core/plausible.h"
#include "gateway/core/quote.h"
#include "gateway/lib/file.h"
#include "store/db.h"

static bool in_range(const char *key, uint64_t value, uint64_t least, uint64_t most, struct err *err)
{
    return (value >= least && value <= most)
        || err_set(err, ERR_CONFIG, "[api] %s must be %" PRIu64 " to %" PRIu64, key, least, most);
}

/* Each epoch is a row and a line, also those that pass while nothing runs: an hour at least, but where tests are in a hurry.  Ten
 * years at most: what follows from it must stay a time. */
#define EPOCH_MIN_S UINT64_C(3600)
#define EPOCH_MAX_S UINT64_C(315360000)

static bool check_popularity(const struct config *c, struct err *err)
{
    uint64_t least = config_is_test_chain(c) ? 1 : EPOCH_MIN_S;

    if (c->popularity.epoch_s < least || c->popularity.epoch_s > EPOCH_MAX_S)
        return err_set(err, ERR_CONFIG, "[popularity] epoch must be %" PRIu64 " to %" PRIu64 " seconds", least, EPOCH_MAX_S);
    return c->popularity.cap_bps <= BPS
        || err_set(err, ERR_CONFIG, "[popularity] cap_bps must be at most %d: a model never gets more than it paid", BPS);
}

static bool check_limits(const struct config *c, struct err *err)
{
    struct proxies proxies;
    struct wallets wallets;

    return in_range("max_connections", c->api.max_connections, 16, 100000, err)
        && in_range("max_per_address", c->api.max_per_address, 1, c->api.max_connections, err)
        && in_range("request_timeout", c->api.request_timeout_s, 1, 3600, err)
        && in_range("answer_timeout", c->api.answer_timeout_s, 1, 3600, err)
        && in_range("idle_timeout", c->api.idle_timeout_s, 1, 3600, err)
        && proxies_parse(c->api.trusted_proxies, &proxies, err) && wallets_parse(c->api.wallets, &wallets, err);
}

/* A jobId's time may be a day before the job started; the rest is for clocks. */
#define KEEP_BEYOND_AGE_S UINT64_C(90000)

static bool check_kinds(const struct config *c, struct err *err)
{
    const struct { const char *name, *spec; } keys[] = { { "key", c->signer.key }, { "promise_key", c->signer.promise_key } };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (*keys[i].spec != '\0' && !signer_is_known(keys[i].spec))
            return err_set(err, ERR_CONFIG, "[signer] %s must be keystore:PATH or web3signer:URL", keys[i].name);
    return db_url_is_known(c->store.url) || err_set(err, ERR_CONFIG, "[store] url must be sqlite:PATH or postgresql://...");
}

bool config_check(const struct config *config, struct err *err)
{
    if (strcmp(config->archive.disclosure, "public") != 0 && !config_parties_only(config))
        return err_set(err, ERR_CONFIG, "[archive] disclosure must be public or parties");
    if (config->settle.max_run_cost_gwei == 0 || config->settle.max_day_cost_gwei == 0)
        return err_set(err, ERR_CONFIG, "[settle] max_run_cost_gwei and max_day_cost_gwei must be above 0");
    if (config->receipts.keep_settled_s != 0 && config->receipts.keep_settled_s < config->receipts.max_age_s + KEEP_BEYOND_AGE_S)
        return err_set(err, ERR_CONFIG, "[receipts] keep_settled must be 0 (for ever), or at least a day and an hour above max_age: what may"
                       " come in as new is looked for in the store, not in archives");
    if (config->plausibility.parallelism > PARALLELISM_MAX)
        return err_set(err, ERR_CONFIG, "[plausibility] parallelism must be at most %u", PARALLELISM_MAX);
    if (config->chain.chain_id == 0)
        return err_set(err, ERR_CONFIG, "[chain] chain_id must not be 0");
    if (config->consumers.period_s == 0 || config->consumers.period_s % 86400 != 0)
        return err_set(err, ERR_CONFIG, "[consumers] period must be whole days");
    if (config->watchdog.interval_s == 0)
        return err_set(err, ERR_CONFIG, "[watchdog] interval must not be 0");
    if (config->watchdog.gas_runs_warn < config->watchdog.gas_runs_fail)
        return err_set(err, ERR_CONFIG, "[watchdog] gas_runs_warn must not be below gas_runs_fail: a warning comes first");
    if (config->watchdog.funds_days_warn < config->watchdog.funds_days_fail)
        return err_set(err, ERR_CONFIG, "[watchdog] funds_days_warn must not be below funds_days_fail: a warning comes first");
    if (config->receipts.quote_max_s == 0 || config->receipts.quote_max_s > QUOTE_MAX_S)
        return err_set(err, ERR_CONFIG, "[receipts] quote_max must be 1 s to %u s", QUOTE_MAX_S);
    return check_kinds(config, err) && check_popularity(config, err) && check_limits(config, err);
}

static void warn_of_file(json *list, const char *setting, const char *path)
{
    struct buf text;

    if (*path == '\0' || file_exists(path))
        return;
    buf_init(&text);
    buf_printf(&text, "%s: there is no %s", setting, path);
    json_add(list, json_new_text(buf_text(&text)));
    buf_clear(&text);
}

static void warn_of_variable(json *list, const char *name, size_t len)
{
    struct buf text;

    buf_init(&text);
    buf_add(&text, name, len);
    buf_add_text(&text, " in the environment is no setting and has no effect");
    json_add(list, json_new_text(buf_text(&text)));
    buf_clear(&text);
}

static void warn_of_files(json *list, const struct config *c)
{
    static const char keystore[] = "keystore:";
    const struct { const char *name, *spec; } keys[] = { { "[signer] key", c->signer.key }, { "[signer] promise_key", c->signer.promise_key } };
    bool has_keystore = false;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strncmp(keys[i].spec, keystore, strlen(keystore)) != 0)
            continue;
        warn_of_file(list, keys[i].name, keys[i].spec + strlen(keystore));
        has_keystore = true;
    }
    if (has_keystore)
        warn_of_file(list, "[signer] passphrase_file", c->signer.passphrase_file);
    warn_of_file(list, "[signer] token_file", c->signer.token_file);
    warn_of_file(list, "[signer] secret_file", c->signer.secret_file);
    warn_of_file(list, "[chain] rpc_auth", c->chain.rpc_auth);
    warn_of_file(list, "[chain] ca_file", c->chain.ca_file);
    warn_of_file(list, "[chain] predecessor", c->chain.predecessor);
}

json *config_warnings(const struct config *config, char *const *environment)
{
    json *list = json_new_array();

    for (; *environment != NULL; environment++) {
        size_t len = strcspn(*environment, "=");

        if (config_mistook_variable(*environment, len))
            warn_of_variable(list, *environment, len);
    }
    warn_of_files(list, config);
    return list;
}
