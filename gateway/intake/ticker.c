/* Ends windows where nothing else does: without it the price of a model that nobody uses would stand until the next receipt. */
#include "gateway/intake/inside.h"

#include <time.h>

#include "gateway/base/log.h"

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

static void tick(struct intake *intake)
{
    uint64_t now_ms = clock_now_ms(intake->clock);
    struct err err = { 0 };

    /* Busy or paused: the next tick. */
    if (atomic_load(&intake->market_due_ms) > now_ms || intake_change(intake, nothing, NULL, 1, false, &err)
        || err.code == ERR_AGAIN)
        return;
    atomic_store(&intake->market_due_ms, now_ms + AFTER_FAILURE_MS);       /* or with the next group, whoever brings it */
    log_event(LOG_WARN_LEVEL, "prices_not_moved", KV_TEXT("error", err.text));
}

static void *ticker_main(void *self)
{
    struct intake *intake = self;
    struct timespec until;

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

bool intake_tick_start(struct intake *intake, struct err *err)
{
    intake->ticks = pthread_create(&intake->ticker, NULL, ticker_main, intake) == 0;
    return intake->ticks || err_set(err, ERR_IO, "no thread to move prices");
}
