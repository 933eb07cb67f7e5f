/* gateway/cmd_watch.c - audits every root that waits for its activation, from outside: the guardian's eyes and hand. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/admin_client.h"
#include "gateway/alarm.h"
#include "gateway/audit/audit.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/commands.h"
#include "gateway/open.h"
#include "gateway/transact.h"
#include "gateway/watch_metrics.h"

#define URL_MAX 512

struct watch {
    struct config config;
    struct rpc *rpc;
    struct signer *signer;         /* NULL: only looks */
    struct source *source;
    const char *alarm;             /* NULL: none */
    char alarmed[sizeof ((struct err *)NULL)->text];      /* the last one: the same is not told at each look */
    struct watch_metrics metrics;
    bool once;
    uint64_t interval_s;
    uint64_t judged_sequence;      /* the pending root that was found true last: not audited at each poll */
    struct hash judged_root;
};

/* Where the service listens: with port 0 only the running service knows (the file beside its store). */
static bool service_url(const struct config *config, char url[URL_MAX], struct err *err)
{
    const char *listen = config->api.listen, *text;
    size_t len = strlen(listen), text_len;
    char *path;
    json *file = NULL;
    bool ok;

    if (len < 2 || strcmp(listen + len - 2, ":0") != 0) {
        snprintf(url, URL_MAX, "http://%s", listen);
        return true;
    }
    path = admin_address_file(config);
    ok = json_read_file(path, 4 * KIB, &file, err)
      && (json_get_text(json_member(file, "listen"), &text, &text_len)
          || err_set(err, ERR_INVALID, "%s names no address", path));
    if (ok)
        snprintf(url, URL_MAX, "%s%s", strncmp(text, "http", 4) == 0 ? "" : "http://", text);
    json_free(file);
    free(path);
    return ok || err_prefix(err, "[api] listen has port 0; give the URL");
}

static bool send_cancel(struct watch *w, uint64_t sequence, struct err *err)
{
    struct transact t = { w->rpc, w->signer, w->config.chain.chain_id, wei_from_gwei(w->config.settle.max_fee_gwei) };
    struct tx_receipt receipt = { 0 };
    struct tx_hash hash;
    struct buf data;
    bool ok;

    buf_init(&data);
    settlement_u256_call("cancel(uint64)", u256_from_u64(sequence), &data);
    ok = transact(&t, &w->config.chain.contract, &data, &hash, &receipt, err);
    if (ok) {
        w->metrics.cancelled++;
        log_event(LOG_NOTICE_LEVEL, "settlement_cancelled", KV_U64("sequence", sequence), KV_HASH("tx", &hash.h));
        logs_clear(&receipt.logs);
    } else {
        w->metrics.alarm = WATCH_CANCEL_FAILED;
        log_event(LOG_ERROR_LEVEL, "cancel_failed", KV_U64("sequence", sequence), KV_TEXT("error", err->text));
    }
    buf_clear(&data);
    return ok;
}

static void alarm_about(struct watch *w, const char *text)
{
    struct err err = { 0 };

    if (strcmp(text, w->alarmed) == 0)
        return;
    snprintf(w->alarmed, sizeof w->alarmed, "%s", text);
    if (!alarm_run(w->alarm, text, &err))
        log_event(LOG_ERROR_LEVEL, "alarm_failed", KV_TEXT("error", err.text));
}

/* What nobody could audit must not become active unseen.  Until the last quarter of its activation delay there is time for the
 * files to appear; a cancel costs an honest operator a `carry`, a silent one the attack. */
static bool cancel_unaudited(struct watch *w, const struct settlement_view *view, struct err *err)
{
    struct err why = *err;
    struct block latest;

    if (w->signer == NULL || (why.code != ERR_NOT_FOUND && why.code != ERR_AGAIN && why.code != ERR_UNKNOWN && why.code != ERR_IO)
        || !rpc_block(w->rpc, BLOCK_LATEST, &latest, err)
        || latest.timestamp_s + view->activation_delay_s / 4 < view->pending_active_at_s) {
        *err = why;
        return false;
    }
    log_event(LOG_ERROR_LEVEL, "settlement_unaudited", KV_U64("sequence", view->pending_sequence), KV_TEXT("error", why.text));
    if (!send_cancel(w, view->pending_sequence, err))
        return err_prefix(err, "pending settlement %" PRIu64 " could neither be audited nor cancelled", view->pending_sequence);
    err_set(err, ERR_HALT, "pending settlement %" PRIu64 " could not be audited in time and is cancelled: %s", view->pending_sequence,
            why.text);
    alarm_about(w, err->text);
    return !w->once;
}

/* A person must look in any case: a false root was signed by the operator's key. */
static bool act_on_false(struct watch *w, uint64_t sequence, const struct audit_report *report, struct err *err)
{
    struct err why = *err;

    w->metrics.alarm = WATCH_FALSE_ROOT;
    log_event(LOG_ERROR_LEVEL, "settlement_false", KV_U64("sequence", sequence), KV_TEXT("error", why.text));
    /* A cancel takes back the pending root and what it stands on; it cannot bring back what was paid. */
    if (w->signer == NULL || report->false_sequence == 0)
        return err_set(err, ERR_HALT, "pending settlement %" PRIu64 " must not become active: %s", sequence, why.text);
    if (!send_cancel(w, sequence, err))
        return err_prefix(err, "pending settlement %" PRIu64 " is false and could not be cancelled", sequence);
    err_set(err, ERR_HALT, "pending settlement %" PRIu64 " was false and is cancelled: %s", sequence, why.text);
    alarm_about(w, err->text);
    return !w->once;
}

static bool judge(struct watch *w, const struct settlement_view *view, struct err *err)
{
    struct audit_config config = { .contract = w->config.chain.contract, .chain_id = w->config.chain.chain_id,
                                   .deploy_block = w->config.chain.deploy_block, .last_sequence = view->pending_sequence };
    struct audit_report report;

    if (audit_run(&config, w->source, w->rpc, &report, err)) {
        w->judged_sequence = view->pending_sequence;
        w->judged_root = view->pending_root;
        w->metrics.audited_sequence = view->pending_sequence;
        log_event(LOG_NOTICE_LEVEL, "settlement_audited", KV_U64("sequence", view->pending_sequence),
                  KV_U64("count", report.receipts), KV_AMOUNT("amount", &report.total));
        return true;
    }
    if (err->code == ERR_DIFFERS)
        return act_on_false(w, view->pending_sequence, &report, err);
    w->metrics.alarm = WATCH_UNAUDITED;
    err_prefix(err, "settlement %" PRIu64 " is pending and could not be audited", view->pending_sequence);
    return cancel_unaudited(w, view, err);
}

static bool look(struct watch *w, struct err *err)
{
    struct settlement_view view;

    if (!settlement_read(w->rpc, w->config.chain.contract, &view, err)) {
        w->metrics.alarm = WATCH_LOOK_FAILED;
        return false;
    }
    w->metrics.pending_sequence = view.has_pending ? view.pending_sequence : 0;
    if (!view.has_pending || (view.pending_sequence == w->judged_sequence && hash_eq(view.pending_root, w->judged_root)))
        return true;
    return judge(w, &view, err);
}

static bool may_pass(const struct err *err)
{
    /* The chain or the service is away, or its files are late: an alarm each time, and another look. */
    return err->code == ERR_AGAIN || err->code == ERR_UNKNOWN || err->code == ERR_NOT_FOUND || err->code == ERR_IO
        || err->code == ERR_CHAIN || err->code == ERR_LIMIT;
}

/* Also a cancel that went well is an alarm: the key that signed the root is stolen. */
static void note_look(struct watch *w)
{
    w->metrics.looks++;
    if (w->metrics.alarm != WATCH_WELL)
        w->metrics.alarms++;
    else
        w->metrics.last_success_s = clock_now_ms(&clock_system) / 1000;
    watch_metrics_write(&w->metrics);
}

static bool watch_loop(struct watch *w, struct err *err)
{
    for (;;) {
        bool ok;

        w->metrics.alarm = WATCH_WELL;
        ok = look(w, err);
        note_look(w);
        if (!ok)
            alarm_about(w, err->text);
        if (w->once || (!ok && !may_pass(err)))
            return ok;
        if (!ok)
            log_event(LOG_ERROR_LEVEL, "watch_failed", KV_TEXT("error", err->text));
        clock_sleep_ms(w->interval_s * 1000);
    }
}

static bool watch_run(const struct args *args, struct err *err)
{
    struct watch w = { .once = args_flag(args, "--once"), .alarm = args_value(args, "--alarm"),
                       .metrics = { .path = args_value(args, "--metrics") } };
    char url[URL_MAX];
    bool ok;

    if (!config_load(args->config, &w.config, err))
        return false;
    ok = args_u64(args, "--interval", 15, 86400, &w.interval_s, err) && config_need_contract(&w.config, err)
      && (args->word_count > 0 || service_url(&w.config, url, err))
      && source_open(args->word_count > 0 ? args->words[0] : url, &w.source, err);
    if (ok) {
        source_of_contract(w.source, w.config.chain.contract);
        ok = open_rpc(&w.config, &w.rpc, err)
          && (!args_flag(args, "--cancel") || open_signer_of(&w.config, args, &w.signer, err)) && watch_loop(&w, err);
    }
    signer_free(w.signer);
    source_free(w.source);
    rpc_free(w.rpc);
    config_clear(&w.config);
    return ok;
}

const struct command command_watch = {
    .name = "watch", .words = "[URL]", .words_max = 1,
    .summary = "audit each pending root; with the guardian's key cancel a false one",
    .text = "Looks at the contract every --interval seconds.  A root that waits for its activation is audited like `audit` does,\n"
            "from the published files at URL (the service of the configuration where not given).  A false one is logged as\n"
            "settlement_false and ends the watch with exit code 70; with --cancel it is cancelled and the watch goes on.\n"
            "One whose files cannot be had is told each time; with --cancel it is cancelled in the last quarter of its activation\n"
            "delay (`carry` settles an honest batch again).  --alarm runs a program with the message as its only argument.\n"
            "Best run elsewhere than the service, with the guardian's key, against a node of one's own.",
    .run = watch_run,
    .options = { { "--cancel", NULL, "send cancel for a false root" },
                 { "--once", NULL, "look once; exit 0 when nothing is pending or it is true" },
                 { "--alarm", "PROGRAM", "run with the message when a person must look; no shell" },
                 { "--metrics", "FILE", "write Prometheus metrics there after each look, for a node exporter" },
                 { "--interval", "SECONDS", "between two looks (15)" },
                 { "--key", "KEY", "keystore:PATH or web3signer:URL: the guardian's key ([signer] key)" },
                 { "--passphrase-file", "PATH", "of that key; of a remote signer the file of its token" } },
};
