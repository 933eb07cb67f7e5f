/* gateway/cmd_verify.c - check one proof or statement of a gateway, offline or against the chain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/http.h"
#include "gateway/audit/verify.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"

#define ANSWER_MAX (16 * MIB)
#define INFO_MAX (1 * MIB)
#define INFO_MS 30000u
#define SIGNERS_MAX 256

/* What the answer is checked against, from flags, a saved or asked /v1/info, and the configuration, in this order. */
struct known {
    bool has_contract, has_chain_id, has_token;
    struct address contract, token;
    uint64_t chain_id;
    struct verify_signer signers[SIGNERS_MAX];
    size_t signer_count;
};

static bool flag_address(const struct args *args, const char *name, struct address *address, bool *given, struct err *err)
{
    const char *text = args_value(args, name);

    if (text == NULL)
        return true;
    *given = true;
    return (address_from_text(text, strlen(text), address) && address_checksum_fits(text, strlen(text)))
        || err_set(err, ERR_USAGE, "%s: %s is no address, or its checksum is wrong", name, text);
}

static bool flag_signers(const struct args *args, struct known *k, struct err *err)
{
    const char *at = args_value(args, "--promise-signer");

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (k->signer_count == SIGNERS_MAX || !address_from_text(at, len, &k->signers[k->signer_count++].address))
            return err_set(err, ERR_USAGE, "--promise-signer: addresses, with commas between them");
        at += len + (at[len] == ',');
    }
    return true;
}

static bool read_flags(const struct args *args, struct known *k, struct err *err)
{
    k->has_chain_id = args_value(args, "--chain-id") != NULL;
    return flag_address(args, "--contract", &k->contract, &k->has_contract, err)
        && flag_address(args, "--token", &k->token, &k->has_token, err)
        && args_u64(args, "--chain-id", 0, UINT64_MAX, &k->chain_id, err) && flag_signers(args, k, err);
}

/* ---- /v1/info ---- */

static bool fetch(const char *url, struct buf *text, struct err *err)
{
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = INFO_MS, .max_bytes = INFO_MAX };
    struct http_answer answer = { 0 };
    struct http_client *http = http_new();
    bool ok = http_do(http, &request, &answer, err);

    if (!ok && err->code == ERR_UNKNOWN)
        err->code = ERR_AGAIN;
    if (ok && answer.status != 200)
        ok = err_set(err, ERR_AGAIN, "%s answers %d", url, answer.status);
    if (ok)
        buf_add(text, answer.body.data, answer.body.len);
    http_answer_clear(&answer);
    http_free(http);
    return ok;
}

static bool take_signer(const json *row, struct known *k)
{
    struct verify_signer *s = &k->signers[k->signer_count];

    if (k->signer_count == SIGNERS_MAX || !json_get_address(json_member(row, "address"), &s->address)
        || !json_get_u64(json_member(row, "from"), &s->from_ms))
        return false;
    if (json_member(row, "until") != NULL && !json_get_u64(json_member(row, "until"), &s->until_ms))
        return false;
    k->signer_count++;
    return true;
}

static bool take_info(const json *info, struct known *k, struct err *err)
{
    const json *signers = json_member(info, "promiseSigners"), *token = json_member(json_member(info, "token"), "address");
    bool ok = k->has_contract || json_get_address(json_member(info, "contract"), &k->contract);

    ok = ok && (k->has_chain_id || json_get_u64(json_member(info, "chainId"), &k->chain_id));
    ok = ok && (k->has_token || json_get_address(token, &k->token));
    for (size_t i = 0; ok && i < json_count(signers); i++)
        ok = take_signer(json_at(signers, i), k);
    k->has_contract = k->has_chain_id = k->has_token = true;
    return ok || err_set(err, ERR_INVALID, "--info: not the answer to GET /v1/info");
}

static bool read_info(const char *place, struct known *k, struct err *err)
{
    json *info = NULL;
    struct buf text;
    bool ok;

    if (place == NULL)
        return true;
    buf_init_max(&text, INFO_MAX);
    ok = strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0 ? fetch(place, &text, err)
                                                                                 : file_read(place, INFO_MAX, &text, err);
    ok = ok && json_read(buf_text(&text), text.len, &info, err) && take_info(info, k, err);
    json_free(info);
    buf_clear(&text);
    return ok;
}

static bool read_config(const char *path, struct known *k, struct err *err)
{
    struct config config;
    bool ok;

    if (k->has_contract)
        return true;
    if (!config_load(path, &config, err))
        return err_prefix(err, "without --contract or --info");
    ok = config_need_contract(&config, err);
    k->contract = config.chain.contract;
    if (!k->has_chain_id)
        k->chain_id = config.chain.chain_id;
    if (!k->has_token)
        k->token = config.chain.token;
    k->has_contract = k->has_chain_id = k->has_token = true;
    config_clear(&config);
    return ok;
}

static bool connect(const struct args *args, struct known *k, struct rpc **rpc, struct err *err)
{
    const char *url = args_value(args, "--rpc");
    uint64_t id;

    if (url == NULL)
        return k->has_chain_id || err_set(err, ERR_USAGE, "--contract needs --chain-id, --info or --rpc");
    if (!rpc_new(url, rpc, err) || !rpc_chain_id(*rpc, &id, err))
        return false;
    if (k->has_chain_id && k->chain_id != id)
        return err_set(err, ERR_CONFIG, "--rpc is of chain %llu, not %llu", (unsigned long long)id, (unsigned long long)k->chain_id);
    k->chain_id = id;
    return true;
}

/* ---- the report ---- */

static void print_report(struct verify_report *report)
{
    json *out = json_new_object();

    json_put_bool(out, "ok", report->ok);
    if (report->promise != PROMISE_NONE)
        json_put_text(out, "promise", promise_state_name(report->promise));
    json_put(out, "checks", json_share(report->checks));
    json_put(out, "notChecked", json_share(report->unchecked));
    print_json(out);
}

static bool verify_file(const char *path, const struct verify_config *config, struct err *err)
{
    struct verify_report report;
    json *answer;
    bool ok;

    if (!json_read_file(path, ANSWER_MAX, &answer, err)) {
        if (err->code == ERR_INVALID)
            err->code = ERR_DIFFERS;
        return false;
    }
    ok = verify_answer(config, answer, &report, err);
    if (ok) {
        print_report(&report);
        if (!report.ok)
            ok = err_set(err, ERR_DIFFERS, "%s", report.first_wrong);
        verify_report_clear(&report);
    } else if (err->code == ERR_INVALID) {
        err->code = ERR_DIFFERS;
        ok = err_prefix(err, "%s", path);
    }
    json_free(answer);
    return ok;
}

/* ---- what statements are held against ---- */

struct behind { json *charges; struct buf list; struct source *published; };

static bool read_behind(const struct args *args, const struct known *known, struct behind *b, struct verify_config *config, struct err *err)
{
    const char *charges = args_value(args, "--charges"), *list = args_value(args, "--list"), *published = args_value(args, "--published");

    if (charges != NULL && !json_read_file(charges, ANSWER_MAX, &b->charges, err))
        return false;
    if (list != NULL && !file_read(list, REFERENCE_CSV_MAX, &b->list, err))
        return false;
    if (published != NULL && !source_open(published, &b->published, err))
        return false;
    if (published != NULL)
        source_of_contract(b->published, known->contract);
    config->charges = b->charges;
    config->list = list != NULL ? &b->list : NULL;
    config->published = b->published;
    return true;
}

static bool verify_run(const struct args *args, struct err *err)
{
    struct verify_config config = { 0 };
    struct known known = { 0 };
    struct behind behind = { 0 };
    struct rpc *rpc = NULL;
    bool ok = read_flags(args, &known, err) && read_info(args_value(args, "--info"), &known, err)
           && read_config(args->config, &known, err) && connect(args, &known, &rpc, err)
           && args_u64(args, "--now", clock_now_ms(&clock_system), UINT64_MAX, &config.now_ms, err);

    buf_init_max(&behind.list, REFERENCE_CSV_MAX);
    ok = ok && read_behind(args, &known, &behind, &config, err);
    if (ok) {
        domain_init(&config.domain, known.chain_id, known.contract);
        config.has_token = known.has_token;
        config.token = known.token;
        config.signers = known.signers;
        config.signer_count = known.signer_count;
        config.rpc = rpc;
        ok = verify_file(args->words[0], &config, err);
    }
    json_free(behind.charges);
    buf_clear(&behind.list);
    source_free(behind.published);
    rpc_free(rpc);
    return ok;
}

const struct command command_verify = {
    .name = "verify", .words = "FILE", .words_min = 1, .words_max = 1,
    .summary = "check one proof or statement, offline or with --rpc",
    .text = "FILE is the body of GET /v1/receipts/{jobId} or GET /v1/accounts/{address}/claim.  Checks, each from the one before:\n"
            "struct hash, signature or bundle, promise and whose key signed it, salted leaf and receipts root, reward leaves and\n"
            "rewards root, the header; with --rpc that it is the contract's, stands, and that the payments were made.\n"
            "Prints {\"ok\",\"promise\",\"checks\":[{\"name\",\"ok\",\"detail\"}],\"notChecked\"}; notChecked is what could not be told.\n"
            "promise: kept (in an active settlement committed by settleBy), pending (not yet, or committed in time and waiting for\n"
            "its activation), broken (settleBy has passed without a commit, or the commit came later).\n"
            "Or FILE is a signed statement: the body of GET /v1/accounts/{address}/charges?from=&until= or of .../savings.  Of charges: lines,\n"
            "sum, signature; with --published each line against the archives, and that none is missing.  Of savings: every figure anew\n"
            "from the reference list, and with --charges its numbers from the lines of the charge statement.\n"
            "Exits 65 when a check fails, a broken promise included.  The contract is that of --contract and --chain-id (or --rpc),\n"
            "else of --info, else of the configuration.",
    .run = verify_run,
    .options = { { "--rpc", "URL", "a node of the chain (offline)" },
                 { "--contract", "ADDRESS", "of the Settlement contract" },
                 { "--chain-id", "N", "of the chain" },
                 { "--token", "ADDRESS", "of the token, for reward leaves; --rpc asks the contract" },
                 { "--info", "FILE|URL", "the body of GET /v1/info: contract, chain, token, promise keys with their times" },
                 { "--promise-signer", "ADDRESS,...", "who may have signed the promise, beside those of --info" },
                 { "--charges", "FILE", "the charge statement for the same time as a savings statement" },
                 { "--list", "FILE", "the CSV of a savings statement's reference list" },
                 { "--published", "URL|DIR", "a gateway, or a folder of its files: archives and reference lists" },
                 { "--now", "MS", "judge settleBy as of this Unix time in ms, or the chain's if later (now)" } },
};
