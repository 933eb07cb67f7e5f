/* gateway/cmd_status.c - what stands where: store, chain, key, funds, last run; with --check the exit code says it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/admin_client.h"
#include "chain/keystore.h"
#include "chain/rpc_health.h"
#include "gateway/base/clock.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "gateway/status.h"
#include "store/meta.h"

#define GAS_OF_A_RUN 5000000u      /* a commit and a few sets: to tell how many runs the balance lasts */

/* Collected alarms: each is one line for people and makes --check fail. */
struct alarms { json *list; bool any; };

static void alarm_add(struct alarms *a, const char *text)
{
    json_add(a->list, json_new_text(text));
    a->any = true;
}

static bool store_part(const struct config *config, json *out, struct err *err)
{
    struct db *db = NULL;
    json *part;
    bool ok = db_open(config->store.url, DB_READ, &db, err);

    if (ok)
        ok = status_store(db, clock_now_ms(&clock_system), &part, err);
    db_close(db);
    if (ok)
        json_put(out, "store", part);
    return ok;
}

static bool remote_address(const struct config *config, struct address *address, struct err *err)
{
    struct signer *signer = NULL;

    if (!open_signer(config, &signer, err))
        return false;
    *address = signer_address(signer);
    signer_free(signer);
    return true;
}

/* A keystore tells whose it is without a second of unlocking. */
static bool keystore_file_address(const char *spec, struct address *address, struct err *err)
{
    const char *path = strchr(spec, ':');
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = file_read(path != NULL ? path + 1 : spec, 64 * KIB, &text, err)
      && keystore_address(buf_text(&text), text.len, address, err);
    buf_clear(&text);
    return ok || err_prefix(err, "[signer] key");
}

static bool key_part(const struct config *config, json *out, struct address *signer, struct err *err)
{
    const char *key = config->signer.key;

    if (!(signer_is_remote(key) ? remote_address(config, signer, err) : keystore_file_address(key, signer, err)))
        return false;
    json_put_address(out, "signer", *signer);
    return true;
}

static void contract_part(const struct settlement_view *v, json *part, struct alarms *alarms)
{
    struct amount owed;

    json_put_u64(part, "sequence", v->sequence);
    json_put_amount(part, "total", v->total);
    json_put_amount(part, "totalClaimed", v->total_claimed);
    if (amount_sub(v->total, v->total_claimed, &owed))
        json_put_amount(part, "uncollected", owed);
    json_put_amount(part, "capAvailable", v->cap_available);
    json_put_bool(part, "pending", v->has_pending);
    if (v->paused_until_s * 1000 > clock_now_ms(&clock_system))
        alarm_add(alarms, "the contract is paused: no commit until pausedUntil");
}

/* Gas coin in runs left, at the fee offered now. */
static bool gas_part(struct rpc *rpc, const struct config *config, struct address signer, json *part, struct alarms *alarms, struct err *err)
{
    struct wei balance;
    struct fee_market market;
    struct fee fee;
    struct u256 run, runs;
    char text[U256_DECIMAL_MAX];
    uint64_t left;

    if (!rpc_balance(rpc, signer, &balance, err) || !rpc_fee_market(rpc, &market, err))
        return false;
    u256_to_decimal(balance.v, text);
    json_put_text(part, "gasBalanceWei", text);
    if (!fee_suggest(&market, wei_from_gwei(config->settle.max_fee_gwei), &fee, err)) {
        alarm_add(alarms, err->text);
        err->code = ERR_NONE;
        return true;
    }
    if (!u256_mul_u64(fee.max_fee.v, GAS_OF_A_RUN, &run) || !u256_divmod(balance.v, run, &runs, &run) || !u256_to_u64(runs, &left))
        return true;               /* more runs than a number holds */
    json_put_u64(part, "gasRunsLeft", left);
    if (left < 10)
        alarm_add(alarms, "gas balance is below ten runs: send coin to the signer");
    return true;
}

/* One of several that is left out stops nothing yet; the next that fails may. */
static void endpoints_part(struct rpc *rpc, json *part, struct alarms *alarms)
{
    struct rpc_health list[RPC_URLS_MAX];
    size_t count = rpc_health(rpc, list);
    char text[400];

    json_put(part, "endpoints", status_endpoints(rpc));
    for (size_t i = 0; count > 1 && i < count; i++)
        if (list[i].state != ENDPOINT_UP) {
            snprintf(text, sizeof text, "RPC endpoint %s is %s: %s", list[i].name, endpoint_state_name(list[i].state),
                     list[i].why);
            alarm_add(alarms, text);
        }
}

static bool chain_part(const struct config *config, struct address signer, json *out, struct alarms *alarms, struct err *err)
{
    struct rpc *rpc = NULL;
    struct settlement_view view;
    struct amount held;
    struct block head;
    json *part = json_new_object();
    bool ok = open_rpc(config, &rpc, err) && rpc_block(rpc, BLOCK_LATEST, &head, err);

    json_put(out, "chain", part);
    if (ok) {
        json_put_u64(part, "chainId", config->chain.chain_id);
        json_put_u64(part, "head", head.number);
        json_put_u64(part, "headTime", head.timestamp_s);
    }
    if (ok && !address_is_zero(config->chain.contract)) {
        ok = settlement_read(rpc, config->chain.contract, &view, err)
          && token_balance(rpc, config->chain.token, config->chain.contract, &held, err);
        if (ok) {
            contract_part(&view, part, alarms);
            json_put_amount(part, "contractBalance", held);
        }
    }
    ok = ok && gas_part(rpc, config, signer, part, alarms, err);
    if (rpc != NULL)
        endpoints_part(rpc, part, alarms);
    rpc_free(rpc);
    return ok;
}

/* What the service waits for is in its memory; where a ceiling holds a settlement, that is an alarm. */
static void waits_part(struct admin_client *client, json *out, struct alarms *alarms)
{
    const json *unfinished = json_member(json_member(out, "store"), "unfinishedBatch"), *waits, *detail;
    struct err ignored = { 0 };
    char path[80], alarm[512];
    const char *text;
    uint64_t sequence;
    json *report;
    size_t len;

    if (!json_get_u64(json_member(unfinished, "sequence"), &sequence))
        return;
    snprintf(path, sizeof path, "/admin/v1/settlements/%" PRIu64, sequence);
    if (!admin_call(client, "GET", path, NULL, &report, &ignored))
        return;                    /* it is stopping: what the store says is told all the same */
    waits = json_member(report, "waits");
    detail = json_member(report, "waitsDetail");
    if (waits != NULL)
        json_put(out, "waits", json_share(waits));
    if (json_get_text(detail, &text, &len)) {
        json_put(out, "waitsDetail", json_share(detail));
        snprintf(alarm, sizeof alarm, "settlement %" PRIu64 " waits: %s", sequence, text);
        alarm_add(alarms, alarm);
    }
    json_free(report);
}

static bool collect(const struct config *config, json *out, struct alarms *alarms, struct err *err)
{
    struct admin_client *client = NULL;
    struct address signer;
    bool ok = admin_connect(config, &client, err);

    if (!ok)
        return false;
    json_put_text(out, "service", client != NULL ? "running" : "not running");
    ok = store_part(config, out, err) && key_part(config, out, &signer, err);
    if (ok && client != NULL)
        waits_part(client, out, alarms);
    admin_free(client);
    if (!ok)
        return false;
    /* A chain that is away is what status is there to tell, not a reason to tell nothing. */
    if (!chain_part(config, signer, out, alarms, err)) {
        alarm_add(alarms, err->text);
        err->code = ERR_NONE;
    }
    return true;
}

static bool status_run(const struct args *args, struct err *err)
{
    struct config config;
    struct alarms alarms;
    json *out;
    bool ok;

    if (!config_load(args->config, &config, err))
        return false;
    out = json_new_object();
    alarms = (struct alarms){ .list = json_new_array() };
    ok = collect(&config, out, &alarms, err);
    json_put(out, "alarms", alarms.list);
    if (ok)
        print_json(out);
    else
        json_free(out);
    config_clear(&config);
    if (ok && alarms.any && args_flag(args, "--check"))
        return err_set(err, ERR_HALT, "something needs a person: see alarms");
    return ok;
}

const struct command command_status = {
    .name = "status", .words = "", .words_max = 0,
    .summary = "what stands where: store, chain, key, funds, last run",
    .text = "Prints one JSON object: whether the service runs, what the store holds and waits for, the chain's head and its\n"
            "endpoints, the contract's totals and cap, the signer's balance in runs left, and `alarms` in words.",
    .run = status_run,
    .options = { { "--check", NULL, "exit 70 when there is an alarm, for monitoring" } },
};
