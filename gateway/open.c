/* gateway/open.c - see open.h. */
#include "gateway/open.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain/rpc_health.h"
#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/pool/pool.h"

/* A passphrase of ours is nothing to tell a remote signer. */
static const char *secret_file_of(const struct config *config, const char *key)
{
    return signer_is_remote(key) ? config->signer.token_file : config->signer.passphrase_file;
}

MUST_USE bool open_signer(const struct config *config, struct signer **signer, struct err *err)
{
    const char *key = config->signer.key;

    return signer_open(key, secret_file_of(config, key), signer, err) || err_prefix(err, "[signer] key");
}

MUST_USE bool open_signer_of(const struct config *config, const struct args *args, struct signer **signer, struct err *err)
{
    const char *key = args_value(args, "--key"), *secret_file = args_value(args, "--passphrase-file");

    if (key == NULL && secret_file == NULL)
        return open_signer(config, signer, err);
    if (key == NULL)
        key = config->signer.key;
    return signer_open(key, secret_file != NULL ? secret_file : secret_file_of(config, key), signer, err);
}

MUST_USE bool open_signer_later(const struct config *config, struct signer **signer, struct err *err)
{
    const char *key = config->signer.key;

    return signer_open_later(key, secret_file_of(config, key), signer, err) || err_prefix(err, "[signer] key");
}

MUST_USE bool open_promise_signer(const struct config *config, struct signer *signer, struct signer **promise, struct err *err)
{
    const char *key = config->signer.promise_key;

    /* Every group of receipts gets a signature, hundreds a second: no service behind a network follows that. */
    if (signer_is_remote(*key == 0 ? config->signer.key : key))
        return err_set(err, ERR_CONFIG, "[signer] promise_key must be a keystore:PATH: a remote signer signs transactions only");
    if (*key == 0 || strcmp(key, config->signer.key) == 0) {
        *promise = signer;
        return true;
    }
    return signer_open_later(key, config->signer.passphrase_file, promise, err) || err_prefix(err, "[signer] promise_key");
}

MUST_USE bool open_wait(const struct signer *signer, const struct signer *promise, struct err *err)
{
    if (!signer_wait(signer, err))
        return err_prefix(err, "[signer] key");
    return signer_wait(promise, err) || err_prefix(err, "[signer] promise_key");
}

MUST_USE bool open_secret(const struct config *config, uint8_t **secret, struct err *err)
{
    struct buf text;
    uint8_t *bytes = secret_new(32);
    bool ok = false;

    buf_init(&text);
    if (!file_read_secret(config->signer.secret_file, &text, err)) {
        err_prefix(err, "[signer] secret_file");
        goto out;
    }
    if (!hex_decode(buf_text(&text), text.len, bytes, 32)) {
        err_set(err, ERR_CONFIG, "%s must hold 0x and 64 hex digits", config->signer.secret_file);
        goto out;
    }
    *secret = bytes;
    ok = true;
out:
    buf_wipe(&text);
    if (!ok)
        secret_free(bytes);
    return ok;
}

/* One of several is only left out. */
static bool all_are_of_another_chain(struct rpc *rpc)
{
    struct rpc_health list[RPC_URLS_MAX];
    size_t count = rpc_health(rpc, list), others = 0;

    for (size_t i = 0; i < count; i++)
        others += list[i].state == ENDPOINT_OTHER_CHAIN;
    return others == count;
}

MUST_USE bool open_rpc(const struct config *config, struct rpc **rpc, struct err *err)
{
    const struct rpc_config of = { config->chain.rpc, config->chain.rpc_auth, config->chain.ca_file };
    struct rpc *opened;
    uint64_t id;

    if (!rpc_open(&of, &opened, err))
        return false;
    rpc_expect_chain(opened, config->chain.chain_id);
    if (!rpc_chain_id(opened, &id, err)) {
        if (all_are_of_another_chain(opened))
            err->code = ERR_CONFIG;
        rpc_free(opened);
        return err_prefix(err, "[chain] rpc");
    }
    *rpc = opened;
    return true;
}

struct address open_protocol_account(const struct config *config, struct address signer)
{
    return address_is_zero(config->settle.protocol_account) ? signer : config->settle.protocol_account;
}

static bool set_pool(void *self, struct group *group, struct err *err)
{
    const struct config *config = self;
    struct pool_settings settings = { config->popularity.epoch_s * 1000, config->popularity.budget, (uint16_t)config->popularity.cap_bps };

    return pool_set(group->db, group->now_ms, &settings, err);
}

bool open_pool(const struct config *config, struct writer *writer, struct err *err)
{
    struct config copy = *config;

    return writer_do(writer, set_pool, &copy, err);
}

struct binding open_binding(const struct config *config)
{
    return (struct binding){ config->chain.chain_id, config->chain.contract };
}

void open_settle_config(const struct config *config, const uint8_t *secret, struct address signer, struct settle_config *out)
{
    *out = (struct settle_config){
        .chain_id = config->chain.chain_id,
        .rpc = { config->chain.rpc, config->chain.rpc_auth, config->chain.ca_file },
        .contract = config->chain.contract,
        .token = config->chain.token,
        .confirmations = config_confirmations(config),
        .deploy_block = config->chain.deploy_block,
        .max_fee = wei_from_gwei(config->settle.max_fee_gwei),
        .max_run_cost = wei_from_gwei(config->settle.max_run_cost_gwei),
        .max_day_cost = wei_from_gwei(config->settle.max_day_cost_gwei),
        .distribute_minimum = config->settle.distribute_minimum,
        .protocol_account = open_protocol_account(config, signer),
        .archive_dir = config->archive.dir,
        .parties_only = config_parties_only(config),
        .secret = secret,
    };
}

struct watchdog_limits open_watchdog_limits(const struct config *config)
{
    return (struct watchdog_limits){
        /* By default half of what promises allow: time to act before one is broken. */
        .unsettled_max_s = config->watchdog.unsettled_max_s != 0 ? config->watchdog.unsettled_max_s : config->receipts.settle_within_s / 2,
        .stuck_max_s = config->watchdog.stuck_max_s, .held_max = config->watchdog.held_max,
        .gas_runs_warn = config->watchdog.gas_runs_warn, .gas_runs_fail = config->watchdog.gas_runs_fail,
        .funds_days_warn = config->watchdog.funds_days_warn, .funds_days_fail = config->watchdog.funds_days_fail,
    };
}

struct chain_question open_chain_question(const struct config *config, struct address signer)
{
    return (struct chain_question){ config->chain.contract, config->chain.token, signer, wei_from_gwei(config->settle.max_fee_gwei),
                                    config_confirmations(config) };
}

void print_json(json *owned)
{
    struct buf text;

    buf_init(&text);
    json_write(owned, &text);
    buf_add_byte(&text, '\n');
    fwrite(text.data, 1, text.len, stdout);
    buf_clear(&text);
    json_free(owned);
}
