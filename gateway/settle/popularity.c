/* Epochs of the popularity pool that are over are booked when nothing is being settled: then the batches with their jobs are
 * active. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/pool/pool.h"

struct booking { struct amount room; size_t booked; };

static bool book_due(void *self, struct group *group, struct err *err)
{
    struct booking *b = self;

    return pool_book(group->db, group->now_ms, b->room, &b->booked, err);
}

/* What a batch may hold with an epoch in it: a quarter of the cap stays for corrections (intake bounds them). */
static bool find_room(struct settle *s, struct amount *room, struct err *err)
{
    struct settlement_view view;
    struct u256 quarter;

    if (!settlement_read(s->rpc, s->config.contract, &view, err))
        return false;
    quarter = u256_div_u64(view.cap.base_units, 4, NULL);
    if (!u256_sub(view.cap.base_units, quarter, &room->base_units))
        bug("a quarter of the cap is more than the cap");
    return true;
}

static bool book_all(struct settle *s, struct err *err)
{
    struct booking b = { .booked = POOL_BOOKED_AT_ONCE };
    bool due;

    while (b.booked == POOL_BOOKED_AT_ONCE) {
        if (!pool_is_due(s->db, clock_now_ms(s->clock), &due, err))
            return false;
        if (!due)
            return true;
        if (!find_room(s, &b.room, err) || !settle_do(s, book_due, &b, err))
            return false;
        if (b.booked == 0)
            return true;
        log_event(LOG_NOTICE_LEVEL, "popularity_booked", KV_U64("count", b.booked));
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
