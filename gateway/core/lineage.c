#include "gateway/core/lineage.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

const char *lineage_relation_name(enum lineage_relation relation)
{
    switch (relation) {
    case LINEAGE_SELF:       return "self";
    case LINEAGE_ANCESTOR:   return "ancestor";
    case LINEAGE_DESCENDANT: return "descendant";
    }
    bug("lineage relation %d", (int)relation);
}

void lineage_clear(struct lineage *l)
{
    free(l->nodes);
    free(l->edges);
    *l = (struct lineage){ 0 };
}

static struct lineage_node *node_of(const struct lineage *l, struct hash model)
{
    for (size_t i = 0; i < l->node_count; i++)
        if (hash_eq(l->nodes[i].model, model))
            return &l->nodes[i];
    return NULL;
}

static void add_node(struct lineage *l, const struct lineage_node *node)
{
    if (l->node_count == l->node_capacity) {
        l->node_capacity = l->node_capacity == 0 ? 16 : l->node_capacity * 2;
        l->nodes = mem_grow(l->nodes, l->node_capacity, sizeof *l->nodes);
    }
    l->nodes[l->node_count++] = *node;
}

static void add_edge(struct lineage *l, const struct model *m, const struct lineage_parent *parent)
{
    if (l->edge_count == l->edge_capacity) {
        l->edge_capacity = l->edge_capacity == 0 ? 16 : l->edge_capacity * 2;
        l->edges = mem_grow(l->edges, l->edge_capacity, sizeof *l->edges);
    }
    l->edges[l->edge_count++] = (struct lineage_edge){ m->model, parent->model, parent->share_bps };
}

/* Breadth first: each digest once, with the shortest way to it, and its edges once. */
static void add_ancestors(const struct catalog *c, struct lineage *l)
{
    for (size_t at = 0; at < l->node_count; at++) {
        const struct model *m = l->nodes[at].claim;
        unsigned steps = l->nodes[at].steps + 1;

        for (size_t i = 0; m != NULL && steps <= MODEL_DEPTH_MAX && i < m->parent_count; i++) {
            struct hash parent = m->parents[i].model;

            add_edge(l, m, &m->parents[i]);
            if (node_of(l, parent) == NULL)
                add_node(l, &(struct lineage_node){ .model = parent, .claim = catalog_claim(c, parent), .relation = LINEAGE_ANCESTOR,
                                                    .steps = steps });
        }
    }
}

static const struct lineage_parent *parent_among(const struct model *m, struct hash model)
{
    for (size_t i = 0; i < m->parent_count; i++)
        if (hash_eq(m->parents[i].model, model))
            return &m->parents[i];
    return NULL;
}

/* Of each digest the claim that stands: others may be made by anybody, as often as they like. */
static void add_descendants(const struct catalog *c, struct lineage *l, struct hash model, bool verified)
{
    const struct model *m;
    size_t cursor = 0, count = 0;

    for (size_t i = 0; i < l->node_count; i++)
        count += l->nodes[i].relation == LINEAGE_DESCENDANT;
    while ((m = catalog_next_model(c, &cursor)) != NULL) {
        const struct lineage_parent *parent = parent_among(m, model);

        if (parent == NULL || (m->verified_at_ms > 0) != verified || catalog_claim(c, m->model) != m || node_of(l, m->model) != NULL)
            continue;
        if (count++ >= LINEAGE_DESCENDANTS_MAX) {
            l->more_descendants = true;
            return;
        }
        add_node(l, &(struct lineage_node){ .model = m->model, .claim = m, .relation = LINEAGE_DESCENDANT, .steps = 1 });
        add_edge(l, m, parent);
    }
}

/* By the very code that pays. */
static bool add_parts(const struct catalog *c, const struct model *m, struct lineage *l, struct err *err)
{
    struct shares parts = { 0 };
    struct amount whole;
    bool ok;

    if (!amount_from_units("1", 1, LINEAGE_DECIMALS, &whole))
        bug("the whole of a lineage is over 256 bits");
    ok = ledger_pay_model(c, m->model, whole, ROLE_CREATOR, ROLE_LINEAGE, UINT64_MAX, &parts, err);
    for (size_t i = 0; ok && i < l->node_count; i++)
        l->nodes[i].has_part = l->nodes[i].relation != LINEAGE_DESCENDANT;
    for (size_t i = 0; ok && i < parts.count; i++) {
        struct lineage_node *node = node_of(l, parts.list[i].model);

        if (node == NULL)
            bug("a model is paid that is not among the ancestors");
        node->part = parts.list[i].amount;
    }
    shares_clear(&parts);
    return ok;
}

bool lineage_of(const struct catalog *c, const struct model *m, struct lineage *l, struct err *err)
{
    *l = (struct lineage){ 0 };
    add_node(l, &(struct lineage_node){ .model = m->model, .claim = m, .relation = LINEAGE_SELF });
    add_ancestors(c, l);
    add_descendants(c, l, m->model, true);
    add_descendants(c, l, m->model, false);
    if (m->verified_at_ms == 0 || add_parts(c, m, l, err))
        return true;
    lineage_clear(l);
    return false;
}
