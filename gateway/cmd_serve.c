/* gateway/cmd_serve.c - the service: opens everything from the bottom up, waits for a signal, closes top down. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "gateway/admin_client.h"
#include "gateway/base/log.h"
#include "gateway/chain_watch.h"
#include "gateway/commands.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/open.h"
#include "store/promise_signers.h"

#define BATCH_RECEIPTS_MAX 5000000u

struct service {
    struct config config;
    uint8_t *secret;
    struct signer *signer, *promise;
    struct writer *writer;
    struct db *reader;
    struct snapshots *snapshots;
    struct intake *intake;
    struct runner *runner;
    struct api *api;
    struct chain_watch *watch;
    struct settle_config settle;
    struct api_config api_config;
};

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

static bool open_store(struct service *s, struct err *err)
{
    struct binding binding = open_binding(&s->config);

    return writer_open_bound(s->config.store.url, &clock_system, &binding, &s->writer, err) && writer_start(s->writer, err)
        && db_open(s->config.store.url, DB_READ, &s->reader, err) && snapshots_new(s->reader, &s->snapshots, err);
}

static bool note_promise_signer(void *self, struct group *group, struct err *err)
{
    const struct address *signer = self;

    return store_promise_signer_set(group->db, *signer, group->now_ms, err);
}

/* Before the first receipt is taken: a promise by a key that nobody was told of could not be checked. */
static bool publish_promise_signer(struct service *s, struct err *err)
{
    struct address signer = signer_address(s->promise);

    return writer_do(s->writer, note_promise_signer, &signer, err);
}

static bool open_intake(struct service *s, struct err *err)
{
    const struct config *c = &s->config;
    struct intake_config ic = {
        .limits = { .max_age_ms = c->receipts.max_age_s * 1000, .daily_limit = c->receipts.daily_limit,
                    .require_countersignature = c->receipts.require_countersignature },
        .settle_within_ms = c->receipts.settle_within_s * 1000,
        .quarantine_max = c->receipts.quarantine_max,
        .protocol_account = open_protocol_account(c, signer_address(s->signer)),
        .batch_amount_max = chain_watch_batch_max(c->contract.cap),      /* until the contract's own is known */
        .batch_receipts_max = BATCH_RECEIPTS_MAX,
        .verify_threads = cores(),
    };

    domain_init(&ic.domain, c->chain.chain_id, c->chain.contract);
    return intake_new(&ic, s->writer, s->promise, &clock_system, s->snapshots, &s->intake, err);
}

static bool open_api(struct service *s, struct err *err)
{
    const struct config *c = &s->config;

    s->api_config = (struct api_config){
        .listen = c->api.listen, .admin_listen = c->api.admin_listen, .admin_hosts = c->api.admin_hosts,
        .store_url = c->store.url, .archive_dir = c->archive.dir, .explorer = c->api.explorer,
        .token = c->chain.token, .protocol_account = open_protocol_account(c, signer_address(s->signer)),
        .signer = signer_address(s->signer),
        .secret = s->secret, .parties_only = config_parties_only(c), .max_age_ms = c->receipts.max_age_s * 1000, .threads = cores(),
    };
    domain_init(&s->api_config.domain, c->chain.chain_id, c->chain.contract);
    return api_start(&s->api_config, s->writer, s->intake, s->snapshots, s->runner, &clock_system, &s->api, err);
}

static bool watch_chain(struct service *s, struct err *err)
{
    const struct config *c = &s->config;
    const struct chain_watch_config watch = { c->chain.rpc, c->chain.chain_id, c->chain.contract, c->chain.token };

    return chain_watch_start(&watch, s->intake, s->api, &s->watch, err);
}

/* A crash between an admission and its release leaves receipts held whose question is settled.  They are judged by the
 * contract's cap, so after that was asked for. */
static bool release_left(struct service *s, struct err *err)
{
    uint64_t released;

    return release_waiting(s->intake, &released, err);
}

static bool start(struct service *s, const char *config, struct err *err)
{
    if (!config_load(config, &s->config, err) || !config_need_contract(&s->config, err)
        || !file_make_dir(s->config.archive.dir, 0700, err) || !open_store(s, err) || !open_secret(&s->config, &s->secret, err)
        || !open_signer(&s->config, &s->signer, err) || !open_promise_signer(&s->config, s->signer, &s->promise, err)
        || !publish_promise_signer(s, err) || !open_intake(s, err))
        return false;
    open_settle_config(&s->config, s->secret, signer_address(s->signer), &s->settle);
    return runner_start(&s->settle, s->config.store.url, s->config.chain.rpc, s->writer, s->signer, &clock_system, &s->runner, err)
        && open_api(s, err) && watch_chain(s, err) && release_left(s, err);
}

static void stop(struct service *s)
{
    chain_watch_stop(s->watch);
    api_stop(s->api);
    runner_stop(s->runner);
    intake_free(s->intake);
    snapshots_free(s->snapshots);
    db_close(s->reader);
    writer_close(s->writer);
    if (s->promise != s->signer)
        signer_free(s->promise);
    signer_free(s->signer);
    secret_free(s->secret);
    config_clear(&s->config);
}

/* {"listen","admin_listen","pid"}: printed, and kept beside the store for the other commands. */
static bool announce(const struct service *s, struct err *err)
{
    char listen[64], admin[64], *path = admin_address_file(&s->config);
    json *out = json_new_object();
    struct buf text;
    bool ok;

    api_addresses(s->api, listen, admin);
    json_put_text(out, "listen", listen);
    json_put_text(out, "admin_listen", admin);
    json_put_u64(out, "pid", (uint64_t)getpid());
    buf_init(&text);
    json_write(out, &text);
    ok = file_write(path, text.data, text.len, 0600, err);
    print_json(out);
    fflush(stdout);
    log_event(LOG_NOTICE_LEVEL, "service_started", KV_TEXT("listen", listen), KV_TEXT("admin_listen", admin));
    buf_clear(&text);
    free(path);
    return ok;
}

static void forget_address(const struct service *s)
{
    char *path = admin_address_file(&s->config);

    if (unlink(path) != 0 && errno != ENOENT)
        log_event(LOG_WARN_LEVEL, "address_file_kept", KV_TEXT("error", strerror(errno)));
    free(path);
}

/* SIGHUP: settings that live in the store are always current; those of the file need a restart, so we only check it. */
static void reload(const struct service *s)
{
    struct config fresh;
    struct err err = { 0 };

    if (config_load(s->config.path, &fresh, &err)) {
        log_event(LOG_NOTICE_LEVEL, "configuration_checked", KV_TEXT("path", s->config.path));
        config_clear(&fresh);
    } else {
        log_event(LOG_ERROR_LEVEL, "configuration_refused", KV_TEXT("error", err.text));
    }
}

static void wait_for_end(const struct service *s, const sigset_t *signals)
{
    int signal_number = 0;

    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP)
        reload(s);
    log_event(LOG_NOTICE_LEVEL, "service_draining", KV_I64("signal", signal_number));
}

static bool serve_run(const struct args *args, struct err *err)
{
    struct service s = { 0 };
    sigset_t signals;
    bool ok;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    /* Blocked before any thread starts, so that only sigwait ever sees them. */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    ok = start(&s, args->config, err) && announce(&s, err);
    if (ok) {
        wait_for_end(&s, &signals);
        /* Nothing new is taken; who waits for a settlement is let go, so that the answers under way can end. */
        api_drain(s.api);
        runner_quit(s.runner);
        forget_address(&s);
    }
    stop(&s);
    return ok;
}

const struct command command_serve = {
    .name = "serve", .words = "", .words_max = 0,
    .summary = "the service: takes receipts, answers, finishes what is unsettled",
    .text = "Runs until SIGTERM (drains and ends).  SIGHUP checks the configuration file.  Prints\n"
            "{\"listen\",\"admin_listen\",\"pid\"} when ready; logs go to stderr, one logfmt line an event.\n"
            "It finishes what an earlier run left undistributed, but starts a settlement only when asked: by\n"
            "`quittance settle` from cron, or POST /admin/v1/settlements.",
    .run = serve_run,
};
