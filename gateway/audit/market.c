#include "gateway/audit/market.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/market_inputs.h"
#include "gateway/base/mem.h"

#define NAME 96
#define ENDED UINT64_MAX

/* One base and its steps. */
struct chain {
    uint64_t base, checked;                   /* checked: the last version that was judged */
    uint64_t next_ms;                         /* the windows before are judged; ENDED: all that there will be */
    uint64_t until_ms;                        /* the last acceptedAt of a receipt that it priced */
    struct u256 multiplier;
};
struct market_audit {
    struct market_inputs inputs;
    struct price_version *steps;              /* owned; told and not yet judged */
    size_t step_count, step_capacity;
    struct chain *chains;                     /* owned */
    size_t chain_count;
};

struct market_audit *market_audit_new(const struct domain *domain)
{
    struct market_audit *m = mem_new(sizeof *m);

    m->inputs.domain = domain;
    return m;
}

void market_audit_free(struct market_audit *m)
{
    if (m == NULL)
        return;
    market_inputs_clear(&m->inputs);
    free(m->steps);
    free(m->chains);
    free(m);
}

void market_audit_price(struct market_audit *m, const struct price_version *p)
{
    if (p->step.base == 0)
        return;
    if (m->step_count == m->step_capacity) {
        m->step_capacity = m->step_capacity == 0 ? 64 : m->step_capacity * 2;
        m->steps = mem_grow(m->steps, m->step_capacity, sizeof *m->steps);
    }
    m->steps[m->step_count++] = *p;
}

bool market_audit_capacity(struct market_audit *m, const struct announcement *a, uint64_t sequence, struct err *err)
{
    return market_inputs_capacity(&m->inputs, a, sequence, err);
}

static struct chain *chain_of(struct market_audit *m, const struct price_version *base)
{
    struct chain *c;

    for (size_t i = 0; i < m->chain_count; i++)
        if (m->chains[i].base == base->version)
            return &m->chains[i];
    m->chains = mem_grow(m->chains, m->chain_count + 1, sizeof *m->chains);
    c = &m->chains[m->chain_count++];
    *c = (struct chain){ .base = base->version, .multiplier = u256_from_u64(MARKET_ONE),
                         .next_ms = market_first_window(&base->market, base->effective_from_ms, base->recorded_at_ms) };
    return c;
}

bool market_audit_receipt(struct market_audit *m, const struct catalog *catalog, const struct archive_receipt *r, struct err *err)
{
    const struct price_version *price = catalog_price_version(catalog, r->price_version), *base;
    struct chain *c;

    if (price == NULL || (price->market.window_s == 0 && price->step.base == 0))
        return true;
    base = price->step.base == 0 ? price : catalog_price_version(catalog, price->step.base);
    if (base == NULL || base->market.window_s == 0)
        return true;                          /* told with the step itself */
    c = chain_of(m, base);
    if (c->until_ms < r->accepted_at_ms)
        c->until_ms = r->accepted_at_ms;
    return market_inputs_demand(&m->inputs, base->version, market_window_of(&base->market, r->accepted_at_ms),
                                market_units(r->receipt.receipt.count), err);
}

/* -- judging -- */

struct judging {
    struct market_audit *m;
    const struct catalog *catalog;
    enum market_trust trust;
    uint64_t sequence;
};

static struct place place_of(const struct judging *j, uint64_t version, const char *what, char name[NAME])
{
    snprintf(name, NAME, "price version %" PRIu64 ", %s", version, what);
    return (struct place){ j->sequence, name };
}

static bool differs_u256(struct err *err, struct place at, struct u256 expected, struct u256 found)
{
    return differs_amount(err, DIFFERS_MARKET, at, (struct amount){ expected }, (struct amount){ found });
}

/* All that the version holds beside its step follows from base and step. */
static bool check_version(const struct judging *j, const struct price_version *base, const struct price_version *p, struct err *err)
{
    char name[NAME];
    struct price_version made;

    price_after_step(base, &p->step, &made);
    for (size_t i = 0; i < METER_COUNT; i++)
        if (amount_cmp(made.per_million[i], p->per_million[i]) != 0)
            return differs_amount(err, DIFFERS_MARKET, place_of(j, p->version, meter_names[i], name), made.per_million[i], p->per_million[i]);
    if (made.effective_from_ms != p->effective_from_ms)
        return differs_u64(err, DIFFERS_MARKET, place_of(j, p->version, "effectiveFrom", name), made.effective_from_ms, p->effective_from_ms);
    if (p->recorded_at_ms < p->effective_from_ms)
        return differs_u64(err, DIFFERS_MARKET, place_of(j, p->version, "recordedAt", name), p->effective_from_ms, p->recorded_at_ms);
    if (p->any_model || !hash_eq(made.model, p->model))
        return differs_hash(err, DIFFERS_MARKET, place_of(j, p->version, "model", name), made.model, p->model);
    if (memcmp(made.split_bps, p->split_bps, sizeof made.split_bps) != 0 || strcmp(made.unit, p->unit) != 0)
        return differs(err, DIFFERS_MARKET, place_of(j, p->version, "split and unit", name), "those of its base", "others");
    return true;
}

static bool check_step(const struct judging *j, const struct chain *c, const struct price_version *base, const struct price_version *p,
                       struct u256 capacity, struct u256 demand, struct err *err)
{
    bool exact = j->trust == MARKET_EXACT;
    struct u256 next;
    char name[NAME];

    if (u256_cmp(p->step.capacity, capacity) != 0)
        return differs_u256(err, place_of(j, p->version, "capacity", name), capacity, p->step.capacity);
    if (exact ? u256_cmp(p->step.demand, demand) != 0 : u256_cmp(p->step.demand, demand) < 0)
        return differs_u256(err, place_of(j, p->version, "demand", name), demand, p->step.demand);
    next = market_next(&base->market, c->multiplier, p->step.demand, capacity);
    if (u256_cmp(next, p->step.multiplier) != 0)
        return differs_u256(err, place_of(j, p->version, "multiplier", name), next, p->step.multiplier);
    if (u256_cmp(next, c->multiplier) == 0)
        return differs(err, DIFFERS_MARKET, place_of(j, p->version, "window", name), "no step, as nothing moved", "one");
    return check_version(j, base, p, err);
}

/* The chain's next window; p: the step that is told for it, NULL: none is. */
static bool judge_window(const struct judging *j, struct chain *c, const struct price_version *base, const struct price_version *p,
                         struct err *err)
{
    struct market_inputs *in = &j->m->inputs;
    struct u256 capacity = market_inputs_capacity_of(in, base, c->next_ms), demand = market_inputs_demand_of(in, c->base, c->next_ms);
    char name[NAME];

    if (p != NULL) {
        if (!check_step(j, c, base, p, capacity, demand, err))
            return false;
        c->multiplier = p->step.multiplier;
        c->checked = p->version;
    } else if (j->trust == MARKET_EXACT
               && u256_cmp(market_next(&base->market, c->multiplier, demand, capacity), c->multiplier) != 0) {
        snprintf(name, sizeof name, "market of price version %" PRIu64 ", window from %" PRIu64, c->base, c->next_ms);
        return differs(err, DIFFERS_MARKET, (struct place){ j->sequence, name }, "a step", "none");
    }
    c->next_ms += base->market.window_s * UINT64_C(1000);
    return true;
}

/* Windows up to that time, none of which has a step. */
static bool judge_idle(const struct judging *j, struct chain *c, const struct price_version *base, uint64_t end_ms, struct err *err)
{
    uint64_t window_ms = base->market.window_s * UINT64_C(1000), busy_ms;

    if (j->trust != MARKET_EXACT) {
        if (c->next_ms < end_ms)
            c->next_ms = end_ms;
        return true;
    }
    while (c->next_ms != ENDED && c->next_ms + window_ms <= end_ms) {
        const struct price_version *in_force = catalog_market(j->catalog, base->model, c->next_ms + window_ms);

        if (in_force == NULL || in_force->version != c->base) {
            c->next_ms = ENDED;               /* an operator's version took its place: it has moved for the last time */
            return true;
        }
        busy_ms = market_inputs_busy(&j->m->inputs, base, c->next_ms);
        if (busy_ms > c->next_ms) {
            c->next_ms = busy_ms < end_ms ? busy_ms : market_window_of(&base->market, end_ms);
            continue;
        }
        if (!judge_window(j, c, base, NULL, err))
            return false;
    }
    return true;
}

static bool judge_step(const struct judging *j, const struct price_version *p, struct err *err)
{
    const struct price_version *base = catalog_price_version(j->catalog, p->step.base), *in_force;
    struct chain *c;
    char name[NAME];

    if (base == NULL || base->market.window_s == 0)
        return differs(err, DIFFERS_MARKET, place_of(j, p->version, "base", name), "a version with a market", "none");
    c = chain_of(j->m, base);
    if (p->version <= c->checked)
        return true;                          /* told again */
    if (j->trust == MARKET_KNOWN) {
        c->multiplier = p->step.multiplier;
        c->next_ms = p->effective_from_ms;
        c->checked = p->version;
        return true;
    }
    if (market_window_of(&base->market, p->step.from_ms) != p->step.from_ms || p->step.from_ms < c->next_ms)
        return differs_u64(err, DIFFERS_MARKET, place_of(j, p->version, "from", name), c->next_ms, p->step.from_ms);
    if (!judge_idle(j, c, base, p->step.from_ms, err))
        return false;
    in_force = catalog_market(j->catalog, base->model, p->step.from_ms + base->market.window_s * UINT64_C(1000));
    if (in_force == NULL || in_force->version != base->version)
        return differs_u64(err, DIFFERS_MARKET, place_of(j, p->version, "base", name), in_force == NULL ? 0 : in_force->version, base->version);
    return judge_window(j, c, base, p, err);
}

static int by_version(const void *a, const void *b)
{
    const struct price_version *x = a, *y = b;

    return (x->version > y->version) - (x->version < y->version);
}

/* All windows that had ended when the market last priced a receipt. */
static bool judge_rest(const struct judging *j, struct chain *c, struct err *err)
{
    const struct price_version *base = catalog_price_version(j->catalog, c->base);
    char name[NAME];

    /* It was told by a cancelled settlement, and is another now. */
    if (base == NULL || base->market.window_s == 0)
        return differs(err, DIFFERS_MARKET, place_of(j, c->base, "market", name), "the one that priced receipts before", "none");
    return c->until_ms == 0 || judge_idle(j, c, base, market_window_of(&base->market, c->until_ms), err);
}

bool market_audit_settle(struct market_audit *m, const struct catalog *catalog, enum market_trust trust, uint64_t sequence,
                         struct err *err)
{
    struct judging j = { m, catalog, trust, sequence };

    if (!market_inputs_settle(&m->inputs, catalog, sequence, err))
        return false;
    if (m->step_count > 1)
        qsort(m->steps, m->step_count, sizeof *m->steps, by_version);
    for (size_t i = 0; i < m->step_count; i++)
        if (!judge_step(&j, &m->steps[i], err))
            return false;
    m->step_count = 0;
    for (size_t i = 0; i < m->chain_count; i++)
        if (!judge_rest(&j, &m->chains[i], err))
            return false;
    return true;
}
