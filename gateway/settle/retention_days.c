/* Days of receipts (store/receipt_days.h): made before they come, dropped when all of their batches have left. */
#include "gateway/settle/retention_parts.h"

#include "gateway/base/log.h"
#include "gateway/settle/crash.h"
#include "store/receipt_days.h"

#define REFUSED_MS 3600000u                   /* until one of which too much must stay is looked at again */
#define AHEAD_LEAST 1u                        /* days that are there behind today: if not, */
#define AHEAD_MADE 3u                         /* so many are made; each partition costs who looks for a key a little */

struct ending { struct day_survey survey; bool dropped; };

static bool make(void *self, struct group *group, struct err *err)
{
    return store_day_make(group->db, *(const uint64_t *)self, err);
}

static bool make_ahead(struct retention_days *d, const struct retention_config *config, uint64_t generation, uint64_t now_ms, struct err *err)
{
    uint64_t today = now_ms / DAY_MS, last;

    if (!store_day_last(d->db, &last, err))
        return false;
    if (last >= today + AHEAD_LEAST)
        return true;
    for (uint64_t day = last < today ? today : last + 1; day <= today + AHEAD_MADE; day++)
        if (!lease_do(config->lease, generation, d->writer, make, &day, err))
            return false;
    return true;
}

static bool watch(void *self, struct group *group, struct err *err)
{
    return store_day_watch(group->db, *(const uint64_t *)self, err);
}

static bool drop(void *self, struct group *group, struct err *err)
{
    struct ending *e = self;

    return store_day_drop(group->db, &e->survey, &e->dropped, err);
}

static bool end_day(struct retention_days *d, const struct retention_config *config, uint64_t generation, struct ending *e, uint64_t now_ms,
                    struct err *err)
{
    if (!lease_do(config->lease, generation, d->writer, watch, &e->survey.day, err) || !store_day_survey(d->db, &e->survey, err))
        return false;
    if (e->survey.stays > DAY_STAYS_MAX) {
        log_event(LOG_WARN_LEVEL, "receipts_day_stays", KV_U64("day", e->survey.day), KV_U64("over", DAY_STAYS_MAX));
        d->after = e->survey.day;
        d->refused_until_ms = now_ms + REFUSED_MS;
        return true;
    }
    if (!lease_do(config->lease, generation, d->writer, drop, e, err))
        return false;
    if (e->dropped)
        log_event(LOG_NOTICE_LEVEL, "receipts_day_dropped", KV_U64("day", e->survey.day), KV_U64("stay", e->survey.stays));
    settle_crash_point("retention_day");
    return true;
}

bool retention_days_step(struct retention_days *d, const struct retention_config *config, uint64_t generation, uint64_t now_ms, bool *dropped,
                         struct err *err)
{
    struct ending e = { 0 };
    bool found = false, ok;

    *dropped = false;
    if (!db_has_days(d->db))
        return true;
    if (now_ms >= d->refused_until_ms)
        d->after = 0;
    if (!make_ahead(d, config, generation, now_ms, err) || !store_day_due(d->db, d->after, now_ms - config->keep_ms, &e.survey.day, &found, err))
        return false;
    if (!found)
        return true;
    buf_init(&e.survey.keys);
    ok = end_day(d, config, generation, &e, now_ms, err);
    buf_clear(&e.survey.keys);
    *dropped = ok && e.dropped;
    return ok;
}
