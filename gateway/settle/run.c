/* One run for cron: close, then steps until the goal or the time-out. */
#include "gateway/settle/parts.h"

#include <inttypes.h>

#define PAUSE_MS 250u
#define PAUSE_HELD_MS 2000u    /* fees are waited for: they change with each block */
#define TRIES 3u               /* a node that stumbles once ends no run; one that is away does soon */

struct run {
    struct settle *settle;
    bool wait_all;
    uint64_t timeout_ms, started_ms;      /* 0: none */
    bool busy;                            /* something was closed or worked on */
    struct settle_report report;          /* of the last thing that was worked on */
    unsigned failures;
};

static bool over(const struct run *r)
{
    return r->timeout_ms != 0 && clock_monotonic_ms() - r->started_ms >= r->timeout_ms;
}

/* The contract's delay ends after we would: others may wait, cron comes again. */
static bool waits_too_long(const struct run *r)
{
    uint64_t now_s = clock_now_ms(r->settle->clock) / 1000, left_ms;

    if (r->report.waits != WAITS_FOR_ACTIVATION)
        return false;
    if (!r->wait_all || over(r))
        return true;
    left_ms = r->timeout_ms == 0 ? UINT64_MAX : r->timeout_ms - (clock_monotonic_ms() - r->started_ms);
    return r->report.active_at_s > now_s && r->report.active_at_s - now_s > left_ms / 1000;
}

/* Whether the batch that is worked on is as far as this run must bring it. */
static bool is_far_enough(const struct run *r, bool closed)
{
    switch (r->report.state) {
    case BATCH_COMMITTED:
    case BATCH_ACTIVE:
    case BATCH_DISTRIBUTED:
        return !r->wait_all && closed;      /* older work is always brought to its end */
    case BATCH_OPEN:
    case BATCH_CLOSED:
    case BATCH_PREPARED:
    case BATCH_FINAL:
    case BATCH_CANCELLED:
        return false;
    }
    bug("batch state %d", (int)r->report.state);
}

/* One round; *done when nothing is left that this run must do. */
static bool round_once(struct run *r, bool *closed, bool *moved, bool *done, struct err *err)
{
    struct settle_report report;
    bool closed_now = false;

    if (!*closed && !settle_close(r->settle, &closed_now, err))
        return false;
    *closed = *closed || closed_now;
    if (!settle_step(r->settle, moved, &report, err))
        return false;
    *moved = *moved || closed_now;
    if (!report.nothing || !r->busy)
        r->report = report;
    r->busy = r->busy || !report.nothing || closed_now;
    /* After older work is finished the open batch is looked at once more; then nothing is left. */
    *done = (report.nothing && !*moved) || (!*moved && (is_far_enough(r, *closed) || waits_too_long(r)));
    return true;
}

static bool give_up(struct run *r, const struct err *why, struct err *err)
{
    if ((why->code != ERR_AGAIN && why->code != ERR_UNKNOWN) || ++r->failures >= TRIES || over(r)) {
        *err = *why;
        return true;
    }
    clock_sleep_ms(PAUSE_MS);
    return false;
}

static bool time_is_over(const struct run *r, struct err *err)
{
    const char *detail = r->report.waits_detail;

    return err_set(err, ERR_AGAIN, "settlement %" PRIu64 " is %s when the time was over%s%s", r->report.sequence,
                   batch_state_name(r->report.state), detail[0] != '\0' ? ": " : "", detail);
}

bool settle_run(struct settle *s, bool wait_all, uint64_t timeout_ms, struct settle_report *report, struct err *err)
{
    struct run r = { .settle = s, .wait_all = wait_all, .timeout_ms = timeout_ms, .started_ms = clock_monotonic_ms() };
    bool closed = false, moved, done = false;
    struct err why;

    while (!done) {
        moved = false;
        why = (struct err){ 0 };
        if (!round_once(&r, &closed, &moved, &done, &why)) {
            if (give_up(&r, &why, err))
                return false;
            continue;
        }
        r.failures = 0;
        if (!done && over(&r)) {
            *report = r.report;
            return time_is_over(&r, err);
        }
        if (!done && !moved)
            clock_sleep_ms(r.report.waits_detail[0] != '\0' ? PAUSE_HELD_MS : PAUSE_MS);
    }
    r.report.nothing = !r.busy;
    *report = r.report;
    return true;
}
