/* Ends windows where nothing else does: without it the price of a model that nobody uses would stand until the next receipt.  And
 * looks at what other gateways have changed, where there are any; what a commit group needs of that it reads by itself. */
#include "gateway/intake/inside.h"

#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/thread.h"
#include "store/market.h"

#define TICK_NS 500000000L
#define AFTER_FAILURE_MS 60000u

/* All is done by the start of the group itself (gather.c). */
static bool nothing(void *self, struct intake *intake, struct group *group, struct err *err)
{
    (void)self;
    (void)intake;
    (void)group;
    (void)err;
    return true;
}

/* Settings, and when the next window ends, as others may have left them. */
static bool look_at_others(struct intake *intake, struct err *err)
{
    uint64_t due_ms;
    bool ok;

    if (!db_begin(intake->reader, err))
        return false;
    ok = snapshots_refresh(intake->snapshots, intake->reader, err) && store_markets_due_at(intake->reader, &due_ms, err);
    db_rollback(intake->reader);
    if (ok)
        atomic_store(&intake->market_due_ms, due_ms);
    return ok;
}

static void tick(struct intake *intake)
{
    uint64_t now_ms = clock_now_ms(intake->clock);
    struct err err = { 0 };

    /* A store that is away is told by whoever needs it. */
    if (db_is_shared(intake->reader))
        (void)!look_at_others(intake, &err);
    /* Busy or paused: the next tick. */
    if (now_ms < intake->not_before_ms || atomic_load(&intake->market_due_ms) > now_ms
        || intake_change(intake, nothing, NULL, 1, false, &err) || err.code == ERR_AGAIN)
        return;
    intake->not_before_ms = now_ms + AFTER_FAILURE_MS;       /* or with the next group, whoever brings it */
    log_event(LOG_WARN_LEVEL, "prices_not_moved", KV_TEXT("error", err.text));
}

static void *ticker_main(void *self)
{
    struct intake *intake = self;
    struct timespec until;

    thread_name("ticker");
    pthread_mutex_lock(&intake->lock);
    while (!intake->stopping) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&intake->tick_waits, &intake->lock, &until);
        pthread_mutex_unlock(&intake->lock);
        tick(intake);
        pthread_mutex_lock(&intake->lock);
    }
    pthread_mutex_unlock(&intake->lock);
    return NULL;
}

bool intake_tick_start(struct intake *intake, struct db *reader, struct err *err)
{
    intake->reader = reader;
    intake->ticks = pthread_create(&intake->ticker, NULL, ticker_main, intake) == 0;
    return intake->ticks || err_set(err, ERR_IO, "no thread to move prices");
}
