#include "gateway/chain_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/audit/chain_view.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#define CAP_PARTS 4u
#define FIRST_WAIT_MS 1000u
#define PAUSE_MS 60000u
#define LAST_BATCH_S 7200u         /* for the last settlement before a retirement: cron may start it once an hour */
#define REORG_BLOCKS 64u
#define PAUSE_FAILED_MS 1000u      /* doubled with every failure, up to PAUSE_MS */

struct chain_watch {
    struct chain_watch_config config;
    struct intake *intake;
    struct api *api;
    struct rpc *rpc;
    bool described;
    struct amount cap;             /* the last that was seen */
    uint64_t from_block;           /* retirements before it were seen */
    struct retired_event retirement;           /* the latest; effective_at_s 0: none */
    char said[400];                /* the error that was logged last */
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

    return settlement_retired(log, w->config.contract, &w->retirement)
        || err_set(err, ERR_CHAIN, "a Retired event in block %llu cannot be read", (unsigned long long)log->block);
}

static bool look_for_retirement(struct chain_watch *w, struct err *err)
{
    struct hash topic = settlement_retired_topic();
    const struct hash *topics[] = { &topic };
    uint64_t at_s = w->retirement.effective_at_s;
    struct block block;

    if (!rpc_block(w->rpc, BLOCK_LATEST, &block, err)
        || !chain_logs(w->rpc, w->config.contract, topics, 1, w->from_block, block.number, take_retirement, w, err))
        return false;
    if (block.number > w->from_block + REORG_BLOCKS)
        w->from_block = block.number - REORG_BLOCKS;
    if (w->retirement.effective_at_s != at_s)
        log_event(LOG_NOTICE_LEVEL, "retirement_known", KV_ADDRESS("contract", &w->config.contract),
                  KV_U64("at", w->retirement.effective_at_s));
    at_s = w->retirement.effective_at_s;
    intake_close(w->intake, at_s != 0 && block.timestamp_s + LAST_BATCH_S >= at_s);
    api_set_retired(w->api, at_s != 0 && block.timestamp_s >= at_s);
    return true;
}

static bool look(struct chain_watch *w, struct err *err)
{
    struct settlement_view view;
    char symbol[33];
    uint8_t decimals;

    if (!settlement_read(w->rpc, w->config.contract, &view, err))
        return false;
    take_cap(w, view.cap);
    if (w->config.is_predecessor && !look_for_retirement(w, err))
        return false;
    if (w->described)
        return true;
    if (!token_describe(w->rpc, w->config.token, symbol, &decimals, err))
        return false;
    api_set_token(w->api, symbol, decimals);
    w->described = true;
    return true;
}

/* Looks once; what to wait until the next time. */
static uint64_t look_and_tell(struct chain_watch *w, uint64_t pause_ms)
{
    struct err err = { 0 };

    if (look(w, &err)) {
        w->said[0] = '\0';
        return PAUSE_MS;
    }
    if (!atomic_load(&w->stop) && strcmp(w->said, err.text) != 0) {
        log_event(LOG_WARN_LEVEL, "chain_not_seen", KV_TEXT("error", err.text));
        memcpy(w->said, err.text, sizeof w->said);
    }
    return pause_ms == PAUSE_MS ? PAUSE_FAILED_MS : 2 * pause_ms < PAUSE_MS ? 2 * pause_ms : PAUSE_MS;
}

static struct timespec deadline(uint64_t ms)
{
    uint64_t at_ms = clock_monotonic_ms() + ms;

    return (struct timespec){ (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };
}

static void *run(void *self)
{
    struct chain_watch *w = self;
    uint64_t pause_ms = PAUSE_MS;

    while (!atomic_load(&w->stop)) {
        struct timespec until;

        pause_ms = look_and_tell(w, pause_ms);
        until = deadline(pause_ms);
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
                       struct chain_watch **watch, struct err *err)
{
    struct chain_watch *w = mem_new(sizeof *w);
    pthread_condattr_t attributes;

    w->config = *config;
    w->from_block = config->deploy_block;
    w->intake = intake;
    w->api = api;
    if (!rpc_open(&config->rpc, &w->rpc, err)) {
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
    rpc_free(w->rpc);
    free(w);
}
