#include "gateway/chain_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/alarm.h"
#include "gateway/audit/chain_view.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"

#define CAP_PARTS 4u
#define FIRST_WAIT_MS 1000u
#define LAST_BATCH_S 7200u         /* for the last settlement before a retirement: cron may start it once an hour */
#define REORG_BLOCKS 64u
#define PAUSE_FAILED_MS 1000u      /* doubled with every failure, up to the interval */
#define PAUSE_STORE_MS 5000u       /* what needs no chain is looked at this often */

struct chain_watch {
    struct chain_watch_config config;
    struct intake *intake;
    struct api *api;
    struct runner *runner;
    struct watchdog *watchdog;
    struct rpc *rpc;
    struct db *db;
    struct facts facts;
    uint64_t pause_ms, next_ask_ms;   /* of the chain, on the monotonic clock */
    uint64_t settled_ms;           /* when the run ended well that was told of last */
    bool described;
    struct amount cap;             /* the last that was seen */
    uint64_t from_block;           /* retirements before it were seen */
    struct retired_event retirement;           /* the latest; effective_at_s 0: none */
    char said_of_chain[400], said_of_store[400];      /* the errors that were logged last */
    atomic_bool stop;              /* ends what the rpc waits for */
    pthread_t thread;
    pthread_mutex_t lock;          /* for looked, and stop where it is waited for */
    pthread_cond_t changed;
    bool looked;                   /* at least once, well or not */
};

struct amount chain_watch_batch_max(struct amount cap)
{
    return (struct amount){ u256_div_u64(cap.base_units, CAP_PARTS, NULL) };
}

static void take_cap(struct chain_watch *w, struct amount cap)
{
    struct amount max = chain_watch_batch_max(cap);

    if (amount_cmp(cap, w->cap) == 0)
        return;
    w->cap = cap;
    log_event(LOG_NOTICE_LEVEL, "cap_known", KV_AMOUNT("cap", &cap));
    /* Zero would mean no bound; a contract with such a cap pays nothing, whatever a batch holds. */
    if (!amount_is_zero(max))
        intake_set_batch_amount_max(w->intake, max);
}

static bool take_retirement(void *self, const struct log_entry *log, struct err *err)
{
    struct chain_watch *w = self;

    return settlement_retired(log, w->config.question.contract, &w->retirement)
        || err_set(err, ERR_CHAIN, "a Retired event in block %llu cannot be read", (unsigned long long)log->block);
}

static bool look_for_retirement(struct chain_watch *w, struct err *err)
{
    struct hash topic = settlement_retired_topic();
    const struct hash *topics[] = { &topic };
    uint64_t at_s = w->retirement.effective_at_s;
    struct block block;

    if (!rpc_block(w->rpc, BLOCK_LATEST, &block, err)
        || !chain_logs(w->rpc, w->config.question.contract, topics, 1, w->from_block, block.number, take_retirement, w, err))
        return false;
    if (block.number > w->from_block + REORG_BLOCKS)
        w->from_block = block.number - REORG_BLOCKS;
    if (w->retirement.effective_at_s != at_s)
        log_event(LOG_NOTICE_LEVEL, "retirement_known", KV_ADDRESS("contract", &w->config.question.contract),
                  KV_U64("at", w->retirement.effective_at_s));
    at_s = w->retirement.effective_at_s;
    intake_close(w->intake, at_s != 0 && block.timestamp_s + LAST_BATCH_S >= at_s);
    api_set_retired(w->api, at_s != 0 && block.timestamp_s >= at_s);
    return true;
}

static bool ask_chain(struct chain_watch *w, struct err *err)
{
    struct settlement_view view;
    char symbol[33];
    uint8_t decimals;

    if (!settlement_read(w->rpc, w->config.question.contract, &view, err))
        return false;
    take_cap(w, view.cap);
    if (w->config.is_predecessor && !look_for_retirement(w, err))
        return false;
    if (!w->described) {
        if (!token_describe(w->rpc, w->config.question.token, symbol, &decimals, err))
            return false;
        api_set_token(w->api, symbol, decimals);
        w->described = true;
    }
    return facts_of_chain(w->rpc, w->db, &w->config.question, &view, clock_now_ms(&clock_system), &w->facts.chain, err);
}

static void tell_once(const struct chain_watch *w, const char *event, const struct err *err, char said[400])
{
    if (atomic_load(&w->stop) || strcmp(said, err->text) == 0)
        return;
    log_event(LOG_WARN_LEVEL, event, KV_TEXT("error", err->text));
    memcpy(said, err->text, sizeof err->text);
}

/* Also how long to wait until the chain is asked again. */
static void ask_and_tell(struct chain_watch *w)
{
    uint64_t interval_ms = w->config.interval_s * 1000;
    struct err err = { 0 };

    if (ask_chain(w, &err)) {
        w->said_of_chain[0] = '\0';
        w->pause_ms = interval_ms;
    } else if (!atomic_load(&w->stop)) {         /* else it was let go of: no news */
        facts_of_no_chain(clock_now_ms(&clock_system), &err, &w->facts.chain);
        tell_once(w, "chain_not_seen", &err, w->said_of_chain);
        w->pause_ms = w->pause_ms == interval_ms ? PAUSE_FAILED_MS : 2 * w->pause_ms;
    }
    facts_of_endpoints(w->rpc, &w->facts.chain);
    if (w->pause_ms > interval_ms)
        w->pause_ms = interval_ms;
    w->next_ask_ms = clock_monotonic_ms() + w->pause_ms;
}

/* The operator's own command, if there is one. */
static void run_alarm(void *self, enum finding_code code, enum finding_level level, const char *text)
{
    struct chain_watch *w = self;
    char message[600];
    struct err err = { 0 };

    if (w->config.alarm[0] == '\0' || atomic_load(&w->stop))
        return;
    if (level == LEVEL_NONE)
        snprintf(message, sizeof message, "cleared %s", finding_name(code));
    else
        snprintf(message, sizeof message, "%s %s: %s", finding_level_name(level), finding_name(code), text);
    if (!alarm_run(w->config.alarm, message, &err))
        log_event(LOG_ERROR_LEVEL, "alarm_failed", KV_TEXT("error", err.text));
}

/* Store, runner and what the chain said last. */
static void look(struct chain_watch *w)
{
    struct run_report report;
    struct err err = { 0 };

    if (!facts_of_store(w->db, clock_now_ms(&clock_system), &w->facts, &err)) {
        tell_once(w, "watchdog_not_fed", &err, w->said_of_store);
        return;
    }
    w->said_of_store[0] = '\0';
    runner_report(w->runner, &report);
    facts_of_runner(&report, &w->facts);
    if (report.last_success_ms != w->settled_ms) {
        w->settled_ms = report.last_success_ms;
        w->next_ask_ms = 0;                      /* a run changes what the chain says: asked before the next look */
    }
    watchdog_publish(w->watchdog, &w->facts, run_alarm, w);
}

static struct timespec deadline(uint64_t ms)
{
    uint64_t at_ms = clock_monotonic_ms() + ms;

    return (struct timespec){ (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };
}

static void *run(void *self)
{
    struct chain_watch *w = self;

    thread_name("chain-watch");
    while (!atomic_load(&w->stop)) {
        struct timespec until;

        if (clock_monotonic_ms() >= w->next_ask_ms)
            ask_and_tell(w);
        look(w);
        until = deadline(w->pause_ms < PAUSE_STORE_MS ? w->pause_ms : PAUSE_STORE_MS);
        pthread_mutex_lock(&w->lock);
        w->looked = true;
        pthread_cond_broadcast(&w->changed);
        while (!atomic_load(&w->stop) && pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static void wait_for_first(struct chain_watch *w)
{
    struct timespec until = deadline(FIRST_WAIT_MS);

    pthread_mutex_lock(&w->lock);
    while (!w->looked && pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&w->lock);
}

bool chain_watch_start(const struct chain_watch_config *config, struct intake *intake, struct api *api,
                       struct runner *runner, struct watchdog *watchdog, struct chain_watch **watch, struct err *err)
{
    struct chain_watch *w = mem_new(sizeof *w);
    pthread_condattr_t attributes;

    w->config = *config;
    w->from_block = config->deploy_block;
    w->intake = intake;
    w->api = api;
    w->runner = runner;
    w->watchdog = watchdog;
    w->pause_ms = config->interval_s * 1000;
    if (!rpc_open(&config->rpc, &w->rpc, err) || !db_open(config->store_url, DB_READ, &w->db, err)) {
        rpc_free(w->rpc);
        free(w);
        return false;
    }
    atomic_init(&w->stop, false);
    rpc_expect_chain(w->rpc, config->chain_id);
    rpc_set_stop(w->rpc, &w->stop);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        db_close(w->db);
        rpc_free(w->rpc);
        free(w);
        return err_set(err, ERR_IO, "no thread to watch the chain");
    }
    wait_for_first(w);
    *watch = w;
    return true;
}

void chain_watch_stop(struct chain_watch *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stop, true);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    db_close(w->db);
    rpc_free(w->rpc);
    free(w);
}
