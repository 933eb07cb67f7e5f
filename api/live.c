#include "api/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/context.h"
#include "api/samples.h"
#include "api/settlement_shapes.h"
#include "api/watched.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "store/ledger.h"

#define LOOK_MS 1000u
#define BEATS_S 15u                           /* who is gone is noticed within this */
#define ACCOUNT_BEATS_S 5u                    /* the same, where few may listen: pages come and go */
#define SETTLEMENTS_LOOKED 8u                 /* the newest: older ones do not move any more */
#define PAYMENTS_A_LOOK 500u
#define RATE_SECONDS 10u
#define STORED_MS (UINT64_C(5) * 60 * 1000)
#define KEPT_MS (8 * DAY_MS)

struct seen { uint64_t sequence; enum batch_state state; };

struct live {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;                     /* for samples, accepted and stop */
    pthread_cond_t changed;
    bool stop;
    struct samples samples;
    uint64_t accepted[RATE_SECONDS + 1], looks;      /* counts of the latest looks; how many there were */
    struct figures last, stored;              /* of the last look; when the last row was stored, or the first look */
    struct seen seen[SETTLEMENTS_LOOKED];     /* by sequence % SETTLEMENTS_LOOKED */
    struct payment payment;                   /* the last that was told */
    struct watched watched;
    bool first;                               /* nothing was looked at yet: what stands already is no news */
    char said[400];                           /* the error that was logged last */
};

static void tell_receipts(struct live *l, const struct figures *now)
{
    const struct figures *was = &l->last;
    json *data;

    if (now->accepted + now->duplicate + now->quarantined + now->rejected
        == was->accepted + was->duplicate + was->quarantined + was->rejected)
        return;
    data = json_new_object();
    json_put_u64(data, "at", now->at_ms);
    json_put_u64(data, "accepted", now->accepted - was->accepted);
    json_put_u64(data, "duplicate", now->duplicate - was->duplicate);
    json_put_u64(data, "quarantined", now->quarantined - was->quarantined);
    json_put_u64(data, "rejected", now->rejected - was->rejected);
    events_add(l->api->events, now->at_ms, "receipt", data);
}

static bool tell_settlement(void *self, const struct settlement_row *s, struct err *err)
{
    struct live *l = self;
    struct seen *seen = &l->seen[s->sequence % SETTLEMENTS_LOOKED];
    bool news = seen->sequence != s->sequence || seen->state != s->state;
    json *data;

    (void)err;
    *seen = (struct seen){ s->sequence, s->state };
    if (!news || l->first)
        return true;
    watched_settled(&l->watched);
    data = json_new_object();
    json_put_u64(data, "sequence", s->sequence);
    json_put_text(data, "state", batch_state_name(s->state));
    json_put_amount(data, "total", s->content.total);
    json_put_u64(data, "receipts", s->content.receipts);
    events_add(l->api->events, clock_now_ms(l->api->clock), "settlement", data);
    return true;
}

static bool tell_payment(void *self, const struct payment *p, struct err *err)
{
    struct live *l = self;
    json *data = json_new_object();

    (void)err;
    l->payment = *p;
    watched_paid(&l->watched, p->account);
    json_put_address(data, "account", p->account);
    json_put_amount(data, "amount", p->amount);
    json_put_u64(data, "block", p->block);
    json_put_hash(data, "transaction", p->tx.h);
    events_add(l->api->events, clock_now_ms(l->api->clock), "payment", data);
    return true;
}

static bool look_at_store(struct live *l, struct db *db, struct figures *now, struct err *err)
{
    if (!held_count(l->api->held, db, &now->held, err)
        || !store_settlements(db, 0, SETTLEMENTS_LOOKED, tell_settlement, l, err))
        return false;
    if (l->first)
        return store_payment_last(db, &l->payment, err);
    return store_payments_after(db, l->payment.block, l->payment.log_index, PAYMENTS_A_LOOK, tell_payment, l, err)
        && watched_look(&l->watched, l->api->account_events, db, clock_now_ms(l->api->clock), err);
}

static void look_at_watchdog(const struct api *api, struct figures *now)
{
    struct findings findings;
    struct facts facts;

    if (!watchdog_read(api->config->watchdog, &facts, &findings))
        return;
    now->unsettled_since_ms = facts.unsettled_since_ms;
    now->has_gas = facts.chain.seen;
    now->gas = facts.chain.gas_balance;
    now->gas_runs = facts.chain.gas_runs_left;
}

static void keep(struct live *l, const struct figures *now)
{
    pthread_mutex_lock(&l->lock);
    if (l->first)
        samples_begin(&l->samples, now);
    else
        samples_add(&l->samples, now);
    l->accepted[l->looks++ % ARRAY_LEN(l->accepted)] = now->accepted;
    pthread_mutex_unlock(&l->lock);
}

static bool store_row(void *self, struct group *group, struct err *err)
{
    const struct figures *row = self;

    return store_sample_add(group->db, row, err) && store_samples_drop(group->db, row->at_ms - KEPT_MS, err);
}

static bool store_figures(struct live *l, const struct figures *now, struct err *err)
{
    struct figures row = *now;

    if (l->first)
        l->stored = *now;
    if (now->at_ms < l->stored.at_ms + STORED_MS)
        return true;
    row.accepted -= l->stored.accepted;
    row.duplicate -= l->stored.duplicate;
    row.quarantined -= l->stored.quarantined;
    row.rejected -= l->stored.rejected;
    if (!writer_do(l->api->writer, store_row, &row, err))
        return false;
    l->stored = *now;
    return true;
}

static bool restore_row(void *self, const struct figures *row, struct err *err)
{
    (void)err;
    samples_restore(&((struct live *)self)->samples, row);
    return true;
}

static void tell_once(struct live *l, const struct err *err)
{
    if (strcmp(err->text, l->said) == 0)
        return;
    log_event(LOG_WARN_LEVEL, "events_not_fed", KV_TEXT("error", err->text));
    memcpy(l->said, err->text, sizeof l->said);
}

/* Plots are no reason not to start. */
static void restore(struct live *l)
{
    struct err err = { 0 };
    struct db *db;

    if (!db_pool_take(l->api->pool, &db, &err)) {
        tell_once(l, &err);
        return;
    }
    if (!store_samples(db, clock_now_ms(l->api->clock) - KEPT_MS, restore_row, l, &err))
        tell_once(l, &err);
    db_pool_give(l->api->pool, db);
}

static void look(struct live *l)
{
    struct intake_counters counters;
    struct figures now = { .at_ms = clock_now_ms(l->api->clock), .held = l->last.held };
    struct err err = { 0 };
    struct db *db;
    bool ok;

    intake_count(l->api->intake, &counters);
    now.accepted = counters.accepted;
    now.duplicate = counters.duplicate;
    now.quarantined = counters.quarantined;
    now.rejected = counters.rejected;
    watched_begin(&l->watched, l->api->account_events);
    ok = db_pool_take(l->api->pool, &db, &err);
    if (ok) {
        ok = look_at_store(l, db, &now, &err);
        db_pool_give(l->api->pool, db);
    }
    look_at_watchdog(l->api, &now);
    ok = ok && store_figures(l, &now, &err);
    if (!ok)
        tell_once(l, &err);
    if (!l->first)
        tell_receipts(l, &now);
    keep(l, &now);
    l->last = now;
    l->first = l->first && !ok;
    if (l->looks % BEATS_S == 0)
        events_beat(l->api->events);
    if (l->looks % ACCOUNT_BEATS_S == 0)
        events_beat(l->api->account_events);
}

static void *run(void *self)
{
    struct live *l = self;
    bool stop = false;

    thread_name("live");
    restore(l);
    while (!stop) {
        uint64_t at_ms = clock_monotonic_ms() + LOOK_MS;
        struct timespec until = { (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };

        look(l);
        pthread_mutex_lock(&l->lock);
        while (!l->stop && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
            continue;
        stop = l->stop;
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

bool live_start(struct api *api, struct live **live, struct err *err)
{
    struct live *l = mem_new(sizeof *l);
    pthread_condattr_t attributes;

    l->api = api;
    l->first = true;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&l->thread, NULL, run, l) != 0) {
        free(l);
        return err_set(err, ERR_IO, "no thread for events");
    }
    *live = l;
    return true;
}

void live_stop(struct live *live)
{
    if (live == NULL)
        return;
    pthread_mutex_lock(&live->lock);
    live->stop = true;
    pthread_cond_broadcast(&live->changed);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->thread, NULL);
    pthread_cond_destroy(&live->changed);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

json *live_samples(struct live *live, enum live_range range)
{
    json *object;

    pthread_mutex_lock(&live->lock);
    object = samples_to_json(&live->samples, range);
    pthread_mutex_unlock(&live->lock);
    return object;
}

uint64_t live_rate(struct live *live)
{
    uint64_t seconds, rate = 0;

    pthread_mutex_lock(&live->lock);
    seconds = live->looks > RATE_SECONDS ? RATE_SECONDS : live->looks > 0 ? live->looks - 1 : 0;
    if (seconds > 0) {
        size_t of = ARRAY_LEN(live->accepted), newest = (live->looks - 1) % of;

        rate = (live->accepted[newest] - live->accepted[(live->looks - 1 - seconds) % of]) / seconds;
    }
    pthread_mutex_unlock(&live->lock);
    return rate;
}
