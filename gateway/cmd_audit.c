/* gateway/cmd_audit.c - recompute everything from published files and the chain; nothing of the service is asked. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/audit/claim.h"
#include "gateway/audit/mirror.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"

#define TELL_EVERY_MS 200          /* on a terminal */
#define TELL_EVERY_RECEIPTS 100000 /* in a log */

struct progress_line { bool terminal; uint64_t told_ms, told_receipts; };

static void show_progress(void *self, uint64_t sequence, uint64_t last, uint64_t receipts)
{
    struct progress_line *p = self;
    uint64_t now = clock_monotonic_ms();

    if (p->terminal ? now - p->told_ms < TELL_EVERY_MS : receipts < p->told_receipts + TELL_EVERY_RECEIPTS)
        return;
    p->told_ms = now;
    p->told_receipts = receipts;
    fprintf(stderr, p->terminal ? "\raudit: settlement %" PRIu64 " of %" PRIu64 ", %" PRIu64 " receipts "
                                : "audit: settlement %" PRIu64 " of %" PRIu64 ", %" PRIu64 " receipts\n", sequence, last, receipts);
}

static json *audit_to_json(const struct audit_report *r, const struct err *difference)
{
    json *out = json_new_object();

    json_put_bool(out, "ok", difference == NULL);
    json_put_u64(out, "settlements", r->settlements);
    json_put_u64(out, "cancelled", r->cancelled);
    json_put_u64(out, "receipts", r->receipts);
    if (r->sealed > 0)
        json_put_u64(out, "sealed", r->sealed);
    json_put_u64(out, "accounts", r->accounts);
    json_put_amount(out, "total", r->total);
    json_put_amount(out, "paid", r->paid);
    json_put_amount(out, "charged", r->charged);
    json_put(out, "lastSequence", r->last_sequence != 0 ? json_new_u64(r->last_sequence) : json_new_null());
    if (difference != NULL) {
        json_put_text(out, "lastChecked", r->last_checked);
        json_put_text(out, "difference", difference->text);
    }
    return out;
}

/* Of --rpc and --contract alone: an auditor has no configuration, and needs none. */
static bool open_without_config(const struct args *args, struct audit_config *config, struct rpc **rpc, struct err *err)
{
    const char *contract = args_value(args, "--contract"), *url = args_value(args, "--rpc");

    if (contract == NULL || url == NULL)
        return err_set(err, ERR_USAGE, "--rpc and --contract go together");
    if (!address_from_text(contract, strlen(contract), &config->contract) || !address_checksum_fits(contract, strlen(contract)))
        return err_set(err, ERR_USAGE, "--contract: %s is no address", contract);
    return rpc_new(url, rpc, err) && rpc_chain_id(*rpc, &config->chain_id, err);
}

/* Who has the gateway's secret needs no other key.  An auditor's configuration has none. */
static bool open_keys_of_config(const struct config *config, uint8_t **secret, struct audit_config *audit, struct err *err)
{
    if (!config_parties_only(config) || !file_exists(config->signer.secret_file))
        return true;
    if (!open_secret(config, secret, err))
        return false;
    audit->keys = audit_keys_of_secret(*secret);
    return true;
}

static bool open_keys(const struct args *args, struct audit_config *audit, struct err *err)
{
    const char *path = args_value(args, "--keys");

    if (path == NULL)
        return true;
    audit_keys_free(audit->keys);
    audit->keys = NULL;
    return audit_keys_read(path, &audit->keys, err);
}

static bool open_with_config(const struct args *args, struct audit_config *audit, uint8_t **secret, struct rpc **rpc,
                             struct err *err)
{
    struct config config;
    bool ok;

    if (!config_load(args->config, &config, err))
        return err_prefix(err, "without --rpc and --contract");
    ok = config_need_contract(&config, err) && open_rpc(&config, rpc, err) && open_keys_of_config(&config, secret, audit, err);
    audit->contract = config.chain.contract;
    audit->chain_id = config.chain.chain_id;
    audit->deploy_block = config.chain.deploy_block;
    config_clear(&config);
    return ok;
}

/* ---- the checkpoint: {chainId, contract, sequence, header}, the auditor's own ---- */

struct checkpoint { const char *path; const struct audit_config *config; };

/* One that is missing, damaged or of another contract is none. */
static void read_checkpoint(const char *path, struct audit_config *config)
{
    struct err ignored = { 0 };
    struct address contract;
    struct hash header;
    uint64_t chain_id, sequence;
    json *file;

    if (!json_read_file(path, 64 * KIB, &file, &ignored))
        return;
    if (json_get_u64(json_member(file, "chainId"), &chain_id) && chain_id == config->chain_id
        && json_get_address(json_member(file, "contract"), &contract) && address_eq(contract, config->contract)
        && json_get_u64(json_member(file, "sequence"), &sequence) && json_get_hash(json_member(file, "header"), &header)) {
        config->known_sequence = sequence;
        config->known_header = header;
    }
    json_free(file);
}

static void write_checkpoint(void *self, uint64_t sequence, struct hash header)
{
    const struct checkpoint *c = self;
    json *file = json_new_object();
    struct err err = { 0 };
    struct buf text;

    json_put_u64(file, "chainId", c->config->chain_id);
    json_put_address(file, "contract", c->config->contract);
    json_put_u64(file, "sequence", sequence);
    json_put_hash(file, "header", header);
    buf_init(&text);
    json_write(file, &text);
    if (!file_write(c->path, text.data, text.len, 0600, &err))
        fprintf(stderr, "audit: the checkpoint was not kept: %s\n", err.text);
    buf_clear(&text);
    json_free(file);
}

/* Fetches what is missing, then everything is audited from the folder: what is kept is what was checked. */
static bool make_mirror(const char *dir, const struct audit_config *config, struct source **source, struct rpc *rpc,
                        struct mirror_report *report, struct err *err)
{
    struct chain_view view = { 0 };
    struct source *folder;
    bool ok = chain_view_read(rpc, config->chain_id, config->contract, config->deploy_block, &view, err)
           && chain_view_check(&view, err) && mirror_run(dir, &view, *source, report, err) && source_open(dir, &folder, err);

    chain_view_clear(&view);
    if (!ok)
        return false;
    source_free(*source);
    *source = folder;
    return true;
}

static bool print_claim(const char *text, const struct audit_config *config, struct source *source, struct rpc *rpc, struct err *err)
{
    struct chain_view view = { 0 };
    struct address account;
    json *claim;
    bool ok;

    if (!address_from_text(text, strlen(text), &account) || !address_checksum_fits(text, strlen(text)))
        return err_set(err, ERR_USAGE, "--claim: %s is no address, or its checksum is wrong", text);
    ok = chain_view_read(rpc, config->chain_id, config->contract, config->deploy_block, &view, err) && chain_view_check(&view, err)
      && claim_find(rpc, &view, source, account, &claim, err);
    if (ok)
        print_json(claim);
    chain_view_clear(&view);
    return ok;
}

static json *mirror_to_json(const struct mirror_report *r)
{
    json *out = json_new_object();

    json_put_u64(out, "files", r->files);
    json_put_u64(out, "fetched", r->fetched);
    json_put_u64(out, "bytes", r->bytes);
    json_put_u64(out, "missing", r->missing);
    return out;
}

static bool audit_and_print(const struct args *args, struct audit_config *config, struct source **source, struct rpc *rpc, struct err *err)
{
    const struct progress_line *line = config->progress_self;
    const char *mirror = args_value(args, "--mirror");
    struct checkpoint checkpoint = { args_value(args, "--checkpoint"), config };
    struct mirror_report mirrored = { 0 };
    struct audit_report report;
    json *out;
    bool ok;

    if (mirror != NULL && !make_mirror(mirror, config, source, rpc, &mirrored, err))
        return false;
    if (checkpoint.path != NULL) {
        read_checkpoint(checkpoint.path, config);
        config->audited = write_checkpoint;
        config->audited_self = &checkpoint;
    }
    ok = audit_run(config, *source, rpc, &report, err);
    if (line->terminal && line->told_ms != 0)
        fputc('\n', stderr);
    if (!ok && err->code != ERR_DIFFERS)
        return false;
    out = audit_to_json(&report, ok ? NULL : err);
    if (mirror != NULL)
        json_put(out, "mirror", mirror_to_json(&mirrored));
    print_json(out);
    return ok;
}

static bool audit_command_run(const struct args *args, struct err *err)
{
    struct progress_line line = { .terminal = isatty(STDERR_FILENO) == 1 };
    struct audit_config config = { .progress = show_progress, .progress_self = &line };
    const char *claim = args_value(args, "--claim");
    struct source *source = NULL;
    struct rpc *rpc = NULL;
    uint8_t *secret = NULL;
    bool alone = args_value(args, "--rpc") != NULL || args_value(args, "--contract") != NULL;
    bool ok = (alone ? open_without_config(args, &config, &rpc, err) : open_with_config(args, &config, &secret, &rpc, err))
           && open_keys(args, &config, err)
           && args_u64(args, "--sequence", 0, UINT64_MAX, &config.last_sequence, err)
           && args_u64(args, "--from-block", config.deploy_block, UINT64_MAX, &config.deploy_block, err)
           && source_open(args->words[0], &source, err);

    if (ok) {
        source_of_contract(source, config.contract);
        ok = claim != NULL ? print_claim(claim, &config, source, rpc, err) : audit_and_print(args, &config, &source, rpc, err);
    }
    audit_keys_free(config.keys);
    secret_free(secret);
    source_free(source);
    rpc_free(rpc);
    return ok;
}

const struct command command_audit = {
    .name = "audit", .words = "URL|DIR", .words_min = 1, .words_max = 1,
    .summary = "recompute everything from published data and the chain",
    .text = "URL is a gateway (http://HOST:PORT); DIR holds its files named as served: {sequence}.archive.ndjson and\n"
            "{sequence}.rewards.json, packed with .zst or not.  Every signature, price, amount, split, root, sum and payment is\n"
            "recomputed.  Prints {\"ok\",\"settlements\",\"cancelled\",\"receipts\",\"accounts\",\"total\",\"paid\",\"charged\",\"lastSequence\"};\n"
            "exits 65 at the first thing that is not as it should be and names it.\n"
            "Where only parties may read ([archive] disclosure), receipts that no key opens are only counted, as \"sealed\", and\n"
            "found in the root; sums, roots and payments are checked all the same.  Keys come from --keys, or from [signer]\n"
            "secret_file of the configuration.\n"
            "--checkpoint keeps how far it came; it counts only while the contract's header of that settlement is the one noted,\n"
            "which binds all before it: those files are then only read again for digest, roots, prices and jobs already billed.\n"
            "With --mirror all files are kept in a folder (manifest.json names them with their digests, info.json the promise\n"
            "keys) and audited there; run again, it fetches only what is missing.  With --claim nothing is audited: it prints what\n"
            "an account can claim now, {\"account\",\"reward\",\"claimable\",\"due\",\"proof\",\"sequence\",\"contract\",\"calldata\"}, ready to send.\n"
            "The chain is that of the configuration, or of --rpc and --contract: then no configuration is needed.",
    .run = audit_command_run,
    .options = { { "--sequence", "N", "only up to this settlement (all)" },
                 { "--checkpoint", "FILE", "go on after what an earlier audit, which kept this file, found true" },
                 { "--mirror", "DIR", "keep all published files there" },
                 { "--claim", "ACCOUNT", "only print what it can claim, from URL or DIR and the chain" },
                 { "--keys", "FILE", "lines {sequence, key} or {jobId, provider, key} that open sealed receipts" },
                 { "--rpc", "URL", "a node of the chain; with --contract" },
                 { "--contract", "ADDRESS", "of the Settlement contract" },
                 { "--from-block", "N", "where the contract was deployed (0): fewer logs to read" } },
};
