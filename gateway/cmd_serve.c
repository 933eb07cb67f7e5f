/* gateway/cmd_serve.c - the service: opens everything from the bottom up, waits for a signal, closes top down. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/admin_client.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/book.h"
#include "gateway/commands.h"
#include "gateway/limits.h"
#include "gateway/open.h"
#include "gateway/succession.h"

/* The books of the contract we are for and, while it takes over, of the one before. */
struct service {
    struct book book, predecessor;
    bool has_predecessor;
    struct writer_turns turns;
};

/* Nothing is opened before both configurations are known to fit. */
static bool load(struct service *s, const char *path, struct err *err)
{
    const struct config *c = &s->book.config;

    if (!config_load(path, &s->book.config, err) || !config_need_contract(c, err))
        return false;
    if (c->chain.predecessor[0] == '\0')
        return true;
    s->has_predecessor = s->predecessor.is_predecessor = succession_load(c, c->chain.predecessor, &s->predecessor.config, err);
    return s->has_predecessor;
}

static bool start_alone(struct service *s, struct err *err)
{
    struct book *b = &s->book;

    return book_open(b, NULL, err)
        && succession_alone(b->reader, b->config.receipts.max_age_s * 1000, clock_now_ms(&clock_system), err)
        && book_start(b, err) && book_watch(b, err) && api_serve(b->api, NULL, err);
}

static bool start_pair(struct service *s, struct err *err)
{
    struct book *b = &s->book, *old = &s->predecessor;

    if (!book_open(old, &s->turns, err) || !book_open(b, &s->turns, err)
        || !writer_turns_share(&s->turns, old->writer, old->config.store.url, err) || !book_succeed(b, old, err)
        || !book_start(old, err) || !book_start(b, err))
        return false;
    book_pair(b, old);
    return book_watch(old, err) && book_watch(b, err) && api_serve(b->api, old->api, err);
}

static bool start(struct service *s, const char *config, struct err *err)
{
    return load(s, config, err) && limits_raise(s->book.config.api.max_connections, &s->book.connections_max, err)
        && (s->has_predecessor ? start_pair(s, err) : start_alone(s, err));
}

static void stop(struct service *s)
{
    book_stop_answering(&s->book);
    book_stop_answering(&s->predecessor);
    book_stop_intake(&s->book);
    book_stop_intake(&s->predecessor);
    book_close(&s->book);
    book_close(&s->predecessor);
}

/* {"listen","admin_listen","pid"}: printed, and kept beside each store for the other commands. */
static bool announce(struct service *s, struct err *err)
{
    char listen[64], admin[64];
    json *out = json_new_object();
    struct buf text;
    bool ok;

    api_addresses(s->book.api, listen, admin);
    json_put_text(out, "listen", listen);
    json_put_text(out, "admin_listen", admin);
    json_put_u64(out, "pid", (uint64_t)getpid());
    buf_init(&text);
    json_write(out, &text);
    ok = admin_address_keep(&s->book.config, &text, err)
      && (!s->has_predecessor || admin_address_keep(&s->predecessor.config, &text, err));
    print_json(out);
    fflush(stdout);
    log_event(LOG_NOTICE_LEVEL, "service_started", KV_TEXT("listen", listen), KV_TEXT("admin_listen", admin));
    buf_clear(&text);
    return ok;
}

/* SIGHUP: settings that live in the store are always current; those of the file need a restart, so we only check it. */
static void reload(const struct service *s)
{
    struct config fresh;
    struct err err = { 0 };

    if (config_load(s->book.config.path, &fresh, &err)) {
        log_event(LOG_NOTICE_LEVEL, "configuration_checked", KV_TEXT("path", s->book.config.path));
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
    writer_turns_init(&s.turns);
    ok = start(&s, args->config, err) && announce(&s, err);
    if (ok) {
        wait_for_end(&s, &signals);
        /* Nothing new is taken; who waits for a settlement is let go, so that the answers under way can end. */
        api_drain(s.book.api);
        runner_quit(s.book.runner);
        runner_quit(s.predecessor.runner);
        admin_address_forget(&s.book.config);
        if (s.has_predecessor)
            admin_address_forget(&s.predecessor.config);
    }
    stop(&s);
    writer_turns_clear(&s.turns);
    return ok;
}

const struct command command_serve = {
    .name = "serve", .words = "", .words_max = 0,
    .summary = "the service: takes receipts, answers, finishes what is unsettled",
    .text = "Runs until SIGTERM (drains and ends).  SIGHUP checks the configuration file.  Prints\n"
            "{\"listen\",\"admin_listen\",\"pid\"} when ready; logs go to stderr, one logfmt line an event.\n"
            "It finishes what an earlier run left undistributed, but starts a settlement only when asked: by\n"
            "`quittance settle` from cron, or POST /admin/v1/settlements.  With [chain] predecessor it serves two contracts:\n"
            "gateway/MIGRATION.md.",
    .run = serve_run,
};
