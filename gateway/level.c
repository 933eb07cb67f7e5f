#include "gateway/level.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/intake/admit.h"
#include "gateway/settle/behind.h"

#define FIRST_WAIT_MS 1000u
#define PAUSE_MIN_MS 1000u         /* doubled with every try, up to PAUSE_MAX_MS */
#define PAUSE_MAX_MS 60000u

struct level {
    struct level_config config;
    struct writer *writer;
    struct intake *intake;
    struct rpc *rpc;
    struct db *db;
    bool behind;                   /* intake is paused */
    char said[400];                /* the error that was logged last */
    atomic_bool stop;              /* ends what the rpc waits for */
    pthread_t thread;
    pthread_mutex_t lock;          /* for looked and first, and stop where it is waited for */
    pthread_cond_t changed;
    bool looked;                   /* the chain was asked at least once */
    struct err first;              /* what came of it */
};

bool level_tell(void *self, uint64_t sequence, uint64_t last, const struct err *lost)
{
    (void)self;
    if (lost == NULL)
        fprintf(stderr, "settlement %" PRIu64 " of %" PRIu64 " is written\n", sequence, last);
    else
        fprintf(stderr, "settlement %" PRIu64 " of %" PRIu64 " was cancelled and its archive cannot be used, so its receipts are"
                " not restored: %s\n", sequence, last, lost->text);
    return true;
}

static bool log_settlement(void *self, uint64_t sequence, uint64_t last, const struct err *lost)
{
    const struct level *l = self;

    log_event(lost == NULL ? LOG_NOTICE_LEVEL : LOG_WARN_LEVEL, "settlement_caught_up", KV_U64("sequence", sequence),
              KV_U64("to", last), KV_TEXT("error", lost == NULL ? "" : lost->text));
    return !atomic_load(&l->stop) && lease_is_held(l->config.settle->lease);
}

/* Once a change: a file that is missing for a day is one line. */
static void say(struct level *l, const struct err *err)
{
    if (atomic_load(&l->stop) || strcmp(l->said, err->text) == 0)
        return;
    log_event(err->code == ERR_AGAIN ? LOG_WARN_LEVEL : LOG_ERROR_LEVEL, "store_not_level", KV_TEXT("error", err->text));
    snprintf(l->said, sizeof l->said, "%s", err->text);
}

static void pause_intake(struct level *l, const struct behind *b)
{
    char why[200];

    if (l->behind)
        return;
    l->behind = true;
    snprintf(why, sizeof why, "The gateway was restored from a backup and is catching up with settlements %" PRIu64 " to %" PRIu64
             "; post again once it has.", b->known + 1, b->used);
    intake_pause(l->intake, why);
    log_event(LOG_WARN_LEVEL, "store_behind", KV_U64("from", b->known + 1), KV_U64("to", b->used));
}

/* What was held may be released by what the archives tell of providers, models and prices. */
static bool go_on(struct level *l, struct err *err)
{
    uint64_t released;

    if (!l->behind)
        return true;
    if (!intake_resume(l->intake, err) || !release_waiting(l->intake, &released, err))
        return false;
    l->behind = false;
    log_event(LOG_NOTICE_LEVEL, "store_level", KV_U64("count", released));
    return true;
}

static void note_first(struct level *l, bool ok, const struct err *err)
{
    pthread_mutex_lock(&l->lock);
    if (!l->looked && !ok)
        l->first = *err;
    l->looked = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

/* True: the store knows all that the chain does. */
static bool make_level(struct level *l, struct err *err)
{
    struct catch_up_report report;
    struct behind behind;
    bool ok = behind_look(l->config.settle, l->rpc, l->db, &behind, err);

    if (ok && behind.is_behind)
        pause_intake(l, &behind);              /* before anybody is let in */
    note_first(l, ok, err);
    if (!ok)
        return false;
    if (behind.is_behind && !lease_is_held(l->config.settle->lease))
        return err_set(err, ERR_AGAIN, "the gateway that settles catches up for all");
    if (behind.is_behind
        && !catch_up(l->config.settle, l->writer, l->db, l->rpc, NULL, log_settlement, l, &report, err))
        return false;
    return go_on(l, err);
}

static struct timespec deadline(uint64_t ms)
{
    uint64_t at_ms = clock_monotonic_ms() + ms;

    return (struct timespec){ (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };
}

static void *run(void *self)
{
    struct level *l = self;
    uint64_t pause_ms = PAUSE_MIN_MS;
    struct err err = { 0 };

    thread_name("level");
    while (!atomic_load(&l->stop) && !make_level(l, &err)) {
        struct timespec until = deadline(pause_ms);

        say(l, &err);
        pthread_mutex_lock(&l->lock);
        while (!atomic_load(&l->stop) && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&l->lock);
        pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
    }
    return NULL;
}

/* ERR_NONE too where the chain is away: receipts are taken meanwhile, and what turns out to be settled is merged later. */
static enum err_code wait_for_first(struct level *l)
{
    struct timespec until = deadline(FIRST_WAIT_MS);
    enum err_code code;

    pthread_mutex_lock(&l->lock);
    while (!l->looked && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
        continue;
    code = l->first.code;
    pthread_mutex_unlock(&l->lock);
    return code == ERR_HALT ? code : ERR_NONE;
}

static bool start_thread(struct level *l, struct err *err)
{
    pthread_condattr_t attributes;

    atomic_init(&l->stop, false);
    rpc_expect_chain(l->rpc, l->config.settle->chain_id);
    rpc_set_stop(l->rpc, &l->stop);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return pthread_create(&l->thread, NULL, run, l) == 0 || err_set(err, ERR_IO, "no thread to catch up with the chain");
}

static void level_free(struct level *l)
{
    db_close(l->db);
    if (l->rpc != NULL)
        rpc_free(l->rpc);
    free(l);
}

bool level_start(const struct level_config *config, struct writer *writer, struct intake *intake, struct level **level,
                 struct err *err)
{
    struct level *l = mem_new(sizeof *l);

    *l = (struct level){ .config = *config, .writer = writer, .intake = intake };
    if (!rpc_open(&config->settle->rpc, &l->rpc, err) || !db_open(config->store_url, DB_READ, &l->db, err)) {
        level_free(l);
        return false;
    }
    db_use_archives(l->db, config->settle->archive_dir, config->settle->secret);
    if (!start_thread(l, err)) {
        level_free(l);
        return false;
    }
    if (wait_for_first(l) == ERR_HALT) {
        *err = l->first;
        level_stop(l);
        return false;
    }
    *level = l;
    return true;
}

void level_stop(struct level *l)
{
    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    atomic_store(&l->stop, true);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    level_free(l);
}
