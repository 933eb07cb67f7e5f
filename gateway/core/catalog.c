#include "gateway/core/catalog.h"

#include "gateway/core/timeline.h"
#include "gateway/base/mem.h"

#include <stdlib.h>

/* Rows in the order they were added; each question has a timeline of its own over them. */
struct catalog {
    struct provider *providers;
    struct consumer *consumers;
    struct model *models;
    struct price_version *prices;
    size_t provider_count, consumer_count, model_count, price_count;
    struct timeline by_provider, by_consumer;       /* since */
    struct timeline by_claim;                       /* in order of registration: `at` is the row */
    struct timeline by_verified;                    /* verified_at */
    struct timeline by_price_model, by_price_any;   /* effective_from; rows are sorted by version */
    struct timeline by_version;                     /* one key; `at` is the version */
    bool sealed;
};

static const struct hash no_key;                    /* for timelines of one key */

struct catalog *catalog_new(void)
{
    return mem_new(sizeof (struct catalog));
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    free(catalog->providers);
    free(catalog->consumers);
    free(catalog->models);
    free(catalog->prices);
    timeline_clear(&catalog->by_provider);
    timeline_clear(&catalog->by_consumer);
    timeline_clear(&catalog->by_claim);
    timeline_clear(&catalog->by_verified);
    timeline_clear(&catalog->by_price_model);
    timeline_clear(&catalog->by_price_any);
    timeline_clear(&catalog->by_version);
    free(catalog);
}

/* Room for one more row: a list grows each time its count is a power of two. */
static void *grow(void *owned, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? mem_grow(owned, count == 0 ? 1 : count * 2, size) : owned;
}

void catalog_add_provider(struct catalog *c, const struct provider *p)
{
    c->sealed = false;
    c->providers = grow(c->providers, c->provider_count, sizeof *p);
    c->providers[c->provider_count] = *p;
    timeline_add(&c->by_provider, timeline_address_key(p->address), p->since_ms, c->provider_count++);
}

void catalog_add_consumer(struct catalog *c, const struct consumer *p)
{
    c->sealed = false;
    c->consumers = grow(c->consumers, c->consumer_count, sizeof *p);
    c->consumers[c->consumer_count] = *p;
    timeline_add(&c->by_consumer, timeline_address_key(p->address), p->since_ms, c->consumer_count++);
}

void catalog_add_model(struct catalog *c, const struct model *m)
{
    c->sealed = false;
    c->models = grow(c->models, c->model_count, sizeof *m);
    c->models[c->model_count] = *m;
    timeline_add(&c->by_claim, m->model, c->model_count, c->model_count);
    if (m->verified_at_ms != 0)
        timeline_add(&c->by_verified, m->model, m->verified_at_ms, c->model_count);
    c->model_count++;
}

void catalog_add_price(struct catalog *c, const struct price_version *p)
{
    c->sealed = false;
    c->prices = grow(c->prices, c->price_count, sizeof *p);
    c->prices[c->price_count++] = *p;
}

static int compare_versions(const void *left, const void *right)
{
    const struct price_version *a = left, *b = right;

    return a->version < b->version ? -1 : a->version > b->version;
}

void catalog_seal(struct catalog *c)
{
    c->by_price_model.count = c->by_price_any.count = c->by_version.count = 0;
    /* Sorted first: at one effectiveFrom the higher row wins, which must be the higher version. */
    if (c->price_count > 1)
        qsort(c->prices, c->price_count, sizeof *c->prices, compare_versions);
    for (size_t i = 0; i < c->price_count; i++) {
        const struct price_version *p = &c->prices[i];

        timeline_add(p->any_model ? &c->by_price_any : &c->by_price_model, p->model, p->effective_from_ms, i);
        timeline_add(&c->by_version, no_key, p->version, i);
    }
    timeline_sort(&c->by_provider);
    timeline_sort(&c->by_consumer);
    timeline_sort(&c->by_claim);
    timeline_sort(&c->by_verified);
    timeline_sort(&c->by_price_model);
    timeline_sort(&c->by_price_any);
    timeline_sort(&c->by_version);
    c->sealed = true;
}

static void must_be_sealed(const struct catalog *c)
{
    if (!c->sealed)
        bug("a catalog was asked before it was sealed");
}

const struct provider *catalog_provider(const struct catalog *c, struct address provider, uint64_t at_ms)
{
    const struct timeline_entry *e;

    must_be_sealed(c);
    e = timeline_at(&c->by_provider, timeline_address_key(provider), at_ms);
    return e != NULL && c->providers[e->row].admitted ? &c->providers[e->row] : NULL;
}

const struct consumer *catalog_consumer_revision(const struct catalog *c, struct address consumer, uint64_t at_ms)
{
    const struct timeline_entry *e;

    must_be_sealed(c);
    e = timeline_at(&c->by_consumer, timeline_address_key(consumer), at_ms);
    return e != NULL ? &c->consumers[e->row] : NULL;
}

const struct consumer *catalog_consumer(const struct catalog *c, struct address consumer, uint64_t at_ms)
{
    const struct consumer *in_force = catalog_consumer_revision(c, consumer, at_ms);

    return in_force != NULL && in_force->enrolled ? in_force : NULL;
}

const struct model *catalog_model(const struct catalog *c, struct hash model, uint64_t at_ms)
{
    const struct timeline_entry *e;

    must_be_sealed(c);
    e = timeline_at(&c->by_verified, model, at_ms);
    return e != NULL ? &c->models[e->row] : NULL;
}

bool catalog_model_claimed(const struct catalog *c, struct hash model)
{
    must_be_sealed(c);
    return timeline_first(&c->by_claim, model) != NULL;
}

static const struct price_version *price_among(const struct catalog *c, const struct timeline *t, struct hash key,
                                               uint64_t finished_at_ms, uint64_t accepted_at_ms)
{
    const struct timeline_entry *e = timeline_at(t, key, finished_at_ms);

    while (e != NULL && c->prices[e->row].recorded_at_ms > accepted_at_ms)
        e = timeline_before(t, e);
    return e != NULL ? &c->prices[e->row] : NULL;
}

const struct price_version *catalog_price(const struct catalog *c, struct hash model, uint64_t finished_at_ms, uint64_t accepted_at_ms)
{
    const struct price_version *own;

    must_be_sealed(c);
    own = price_among(c, &c->by_price_model, model, finished_at_ms, accepted_at_ms);
    return own != NULL ? own : price_among(c, &c->by_price_any, no_key, finished_at_ms, accepted_at_ms);
}

const struct price_version *catalog_price_version(const struct catalog *c, uint64_t version)
{
    const struct timeline_entry *e;

    must_be_sealed(c);
    e = timeline_at(&c->by_version, no_key, version);
    return e != NULL && e->at == version ? &c->prices[e->row] : NULL;
}

/* The verified claim, else the first. */
static const struct model *claim_of(const struct catalog *c, struct hash model)
{
    const struct timeline_entry *e = timeline_at(&c->by_verified, model, UINT64_MAX);

    if (e == NULL)
        e = timeline_first(&c->by_claim, model);
    return e != NULL ? &c->models[e->row] : NULL;
}

/* Visits each path to an ancestor; stops at the first bound that is passed, which also ends any cycle. */
static bool walk_lineage(const struct catalog *c, const struct model *m, unsigned depth, unsigned *paths, struct err *err)
{
    for (size_t i = 0; i < m->parent_count; i++) {
        const struct model *parent = claim_of(c, m->parents[i].model);

        if (depth == MODEL_DEPTH_MAX)
            return err_set(err, ERR_INVALID, "parents: more than %d steps to the farthest ancestor", MODEL_DEPTH_MAX);
        if (++*paths > MODEL_PATHS_MAX)
            return err_set(err, ERR_INVALID, "parents: more than %d paths to ancestors", MODEL_PATHS_MAX);
        if (parent == NULL && depth == 0)
            return err_set(err, ERR_INVALID, "parents/%zu/parent: this model is not registered", i);
        if (parent != NULL && !walk_lineage(c, parent, depth + 1, paths, err))
            return false;
    }
    return true;
}

bool catalog_check_lineage(const struct catalog *c, const struct model *m, struct err *err)
{
    unsigned paths = 0;

    must_be_sealed(c);
    return walk_lineage(c, m, 0, &paths, err);
}

bool quote_matches(const struct quote *q, const struct receipt *r)
{
    return hash_eq(q->model, r->model)
        && (address_is_zero(q->provider) || address_eq(q->provider, r->provider))
        && (address_is_zero(q->consumer) || address_eq(q->consumer, r->consumer))
        && r->started_at_ms <= q->valid_until_ms;
}
