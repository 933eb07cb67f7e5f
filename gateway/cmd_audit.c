/* gateway/cmd_audit.c - recompute everything from published files and the chain; nothing of the service is asked. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/commands.h"
#include "gateway/lib/address_text.h"
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
    json_put_u64(out, "accounts", r->accounts);
    json_put_amount(out, "total", r->total);
    json_put_amount(out, "paid", r->paid);
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
        return err_set(err, ERR_CONFIG, "--rpc and --contract go together");
    if (!address_from_text(contract, strlen(contract), &config->contract) || !address_checksum_fits(contract, strlen(contract)))
        return err_set(err, ERR_CONFIG, "--contract: %s is no address", contract);
    return rpc_new(url, rpc, err) && rpc_chain_id(*rpc, &config->chain_id, err);
}

static bool open_with_config(const struct args *args, struct audit_config *audit, struct rpc **rpc, struct err *err)
{
    struct config config;
    bool ok;

    if (!open_config(args->config, &config, err))
        return err_prefix(err, "without --rpc and --contract");
    ok = config_need_contract(&config, err) && open_rpc(&config, rpc, err);
    audit->contract = config.chain.contract;
    audit->chain_id = config.chain.chain_id;
    audit->deploy_block = config.chain.deploy_block;
    config_clear(&config);
    return ok;
}

static bool audit_command_run(const struct args *args, struct err *err)
{
    struct progress_line line = { .terminal = isatty(STDERR_FILENO) == 1 };
    struct audit_config config = { .progress = show_progress, .progress_self = &line };
    struct audit_report report;
    struct source *source = NULL;
    struct rpc *rpc = NULL;
    bool alone = args_value(args, "--rpc") != NULL || args_value(args, "--contract") != NULL;
    bool ok = (alone ? open_without_config(args, &config, &rpc, err) : open_with_config(args, &config, &rpc, err))
           && args_u64(args, "--sequence", 0, UINT64_MAX, &config.last_sequence, err)
           && args_u64(args, "--from-block", config.deploy_block, UINT64_MAX, &config.deploy_block, err)
           && source_open(args->words[0], &source, err);

    if (ok) {
        ok = audit_run(&config, source, rpc, &report, err);
        if (line.terminal && line.told_ms != 0)
            fputc('\n', stderr);
        if (ok || err->code == ERR_DIFFERS)
            print_json(audit_to_json(&report, ok ? NULL : err));
    }
    source_free(source);
    rpc_free(rpc);
    return ok;
}

const struct command command_audit = {
    .name = "audit", .words = "URL|DIR", .words_min = 1, .words_max = 1,
    .summary = "recompute everything from published data and the chain",
    .text = "URL is a gateway (http://HOST:PORT); DIR holds its files named as served: {sequence}.archive.ndjson and\n"
            "{sequence}.rewards.json, packed with .zst or not.  Every signature, price, amount, split, root, sum and payment is\n"
            "recomputed.  Prints {\"ok\",\"settlements\",\"cancelled\",\"receipts\",\"accounts\",\"total\",\"paid\",\"lastSequence\"};\n"
            "exits 65 at the first thing that is not as it should be and names it.\n"
            "The chain is that of the configuration, or of --rpc and --contract: then no configuration is needed.",
    .run = audit_command_run,
    .options = { { "--sequence", "N", "only up to this settlement (all)" },
                 { "--rpc", "URL", "a node of the chain; with --contract" },
                 { "--contract", "ADDRESS", "of the Settlement contract" },
                 { "--from-block", "N", "where the contract was deployed (0): fewer logs to read" } },
};
