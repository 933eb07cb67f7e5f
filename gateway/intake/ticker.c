/* Ends windows where nothing else does: without it the price of a model that nobody uses would stand until the next receipt.  And
 * looks at what other gateways have changed, where there are any; what a commit group needs of that it reads by itself. */
#include "gateway/intake/inside.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/thread.h"
#include "store/market.h"

#define TICK_MS 500u                          /* or as soon as others say that they changed something */
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

static bool is_stopping(struct intake *intake)
{
    bool stopping;

    pthread_mutex_lock(&intake->lock);
    stopping = intake->stopping;
    pthread_mutex_unlock(&intake->lock);
    return stopping;
}

static void *ticker_main(void *self)
{
    struct intake *intake = self;

    thread_name("ticker");
    while (!is_stopping(intake)) {
        db_wait(intake->reader, intake->tick_stop, TICK_MS);
        tick(intake);
    }
    return NULL;
}

bool intake_tick_start(struct intake *intake, struct db *reader, struct err *err)
{
    intake->reader = reader;
    intake->tick_stop = eventfd(0, EFD_CLOEXEC);
    intake->ticks = intake->tick_stop >= 0 && pthread_create(&intake->ticker, NULL, ticker_main, intake) == 0;
    return intake->ticks || err_set(err, ERR_IO, "no thread to move prices");
}

void ticker_stop(struct intake *intake)
{
    if (intake->ticks) {
        (void)!eventfd_write(intake->tick_stop, 1);
        pthread_join(intake->ticker, NULL);
    }
    if (intake->tick_stop > 0)
        close(intake->tick_stop);
}
