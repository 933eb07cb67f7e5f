/* Prices that follow use: at the start of each commit group every market is moved over the windows that have ended, before
 * anything of the group is priced.  All that a step is made of is in the store, so a restart changes nothing. */
#include "gateway/intake/inside.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "store/market.h"

/* The announcements that may cover a window. */
struct announced { struct announcement *list; size_t count, capacity; };

static bool keep(void *self, const struct announcement *a, struct err *err)
{
    struct announced *all = self;

    (void)err;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 64 : all->capacity * 2;
        all->list = mem_grow(all->list, all->capacity, sizeof *all->list);
    }
    all->list[all->count++] = *a;
    return true;
}

static bool load_announced(struct db *db, struct hash model, uint64_t from_ms, struct announced *all, struct err *err)
{
    all->count = 0;
    return store_capacities(db, model, from_ms > CAPACITY_REACH_MS ? from_ms - CAPACITY_REACH_MS : 0, from_ms, keep, all, err);
}

/* Where nothing is announced nothing moves: goes on at the first window that an announcement can cover, or where the time is. */
static bool skip_idle(struct db *db, const struct price_version *base, uint64_t now_ms, uint64_t *next_ms, struct err *err)
{
    uint64_t recorded_ms, to_ms = market_window_of(&base->market, now_ms);
    bool found;

    if (!store_capacity_next(db, base->model, *next_ms, &recorded_ms, &found, err))
        return false;
    if (found && recorded_ms < to_ms)
        to_ms = market_first_window(&base->market, recorded_ms, 0);
    *next_ms = to_ms;
    return true;
}

struct stepping {
    struct group *group;
    const struct catalog *catalog;
    struct market_row market;
    struct announced announced;
    bool stepped;
};

static bool add_version(struct stepping *s, const struct price_version *base, const struct market_step *step, struct err *err)
{
    struct price_version p;

    price_after_step(base, step, &p);
    p.recorded_at_ms = s->group->now_ms;
    if (!store_price_add(s->group->db, &p, err))
        return false;
    s->stepped = true;
    s->market.multiplier = step->multiplier;
    log_event(LOG_DEBUG_LEVEL, "price_stepped", KV_U64("version", p.version), KV_U64("base", step->base));
    return true;
}

/* One window.  A base that an operator replaced by its end has moved for the last time. */
static bool judge_window(struct stepping *s, bool *ended, struct err *err)
{
    struct db *db = s->group->db;
    struct market_row *m = &s->market;
    uint64_t end_ms = m->next_ms + m->window_s * 1000;
    const struct price_version *base = catalog_market(s->catalog, m->model, end_ms);
    struct market_step step = { .base = m->base, .from_ms = m->next_ms };

    *ended = base == NULL || base->version != m->base;
    if (*ended)
        return store_market_end(db, m->base, err);
    if (!load_announced(db, m->model, m->next_ms, &s->announced, err))
        return false;
    if (s->announced.count == 0)
        return skip_idle(db, base, s->group->now_ms, &m->next_ms, err);
    if (!store_demand(db, m->base, m->next_ms, &step.demand, err))
        return false;
    step.capacity = market_capacity(&base->market, m->next_ms, s->announced.list, s->announced.count);
    step.multiplier = market_next(&base->market, m->multiplier, step.demand, step.capacity);
    m->next_ms = end_ms;
    return u256_cmp(step.multiplier, m->multiplier) == 0 || add_version(s, base, &step, err);
}

static bool run_one(struct stepping *s, struct err *err)
{
    bool ended = false;

    while (!ended && s->market.next_ms + s->market.window_s * 1000 <= s->group->now_ms)
        if (!judge_window(s, &ended, err))
            return false;
    return ended || store_market_move(s->group->db, s->market.base, s->market.next_ms, err);
}

static bool run_due(struct stepping *s, struct err *err)
{
    struct market_row due[MARKETS_MAX];
    size_t count;

    if (!store_markets_due(s->group->db, s->group->now_ms, due, MARKETS_MAX, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        s->market = due[i];
        if (!run_one(s, err))
            return false;
    }
    return true;
}

bool market_run(struct intake *intake, struct group *group, const struct catalog *catalog, bool *stepped, struct err *err)
{
    struct stepping s = { .group = group, .catalog = catalog };
    uint64_t due_ms;
    bool ok;

    *stepped = false;
    if (!store_markets_due_at(group->db, &due_ms, err))
        return false;
    if (due_ms <= group->now_ms) {
        if (!in_turn(group, "prices move", err))
            return false;
        ok = run_due(&s, err) && store_markets_due_at(group->db, &due_ms, err);
        free(s.announced.list);
        if (!ok)
            return false;
    }
    atomic_store(&intake->market_due_ms, due_ms);
    intake->gathered.market_due_ms = s.stepped ? 0 : due_ms;
    *stepped = s.stepped;
    return true;
}

bool market_count(struct intake *intake, const struct price_version *price, const struct receipt *r, struct err *err)
{
    uint64_t base = price->market.window_s != 0 ? price->version : price->step.base;

    return base == 0
        || tally_add(&intake->gathered.demand, &(struct tally_key){ .number = base }, amount_from_u64(market_units(r->count)), err);
}

bool market_flush(const struct intake *intake, struct group *group, struct err *err)
{
    const struct gathered *g = &intake->gathered;

    for (size_t i = 0; i < g->demand.count; i++) {
        const struct tally_row *d = &g->demand.list[i];
        const struct price_version *base = catalog_price_version(g->snapshot->catalog, d->key.number);

        if (base == NULL)
            return err_set(err, ERR_BUG, "the base of a market is not in the catalog");
        if (d->count != 0
            && !store_demand_add(group->db, base->version, market_window_of(&base->market, g->now_ms), d->amount, err))
            return false;
    }
    return true;
}
