/* Epochs of the popularity pool that are over are booked when nothing is being settled: then the batches with their jobs are
 * active. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/pool/pool.h"

static bool book_due(void *self, struct group *group, struct err *err)
{
    return pool_book(group->db, group->now_ms, self, err);
}

static bool book_all(struct settle *s, struct err *err)
{
    size_t booked = POOL_BOOKED_AT_ONCE;
    bool due;

    while (booked == POOL_BOOKED_AT_ONCE) {
        if (!pool_is_due(s->db, clock_now_ms(s->clock), &due, err) || (due && !settle_do(s, book_due, &booked, err)))
            return false;
        if (!due || booked == 0)
            return true;
        log_event(LOG_NOTICE_LEVEL, "popularity_booked", KV_U64("count", booked));
        settle_crash_point("popularity-booked");
    }
    return true;
}

void popularity_book(struct settle *s)
{
    struct err err = { 0 };

    /* A pool that cannot be booked waits; it holds up nobody's pay.  Told once. */
    if (!book_all(s, &err) && strcmp(err.text, s->unbooked.text) != 0)
        log_event(LOG_ERROR_LEVEL, "popularity_not_booked", KV_TEXT("error", err.text));
    s->unbooked = err;
}
