#include "api/statement_reason.h"

/* One path under way, and how many were found. */
struct walk {
    const struct catalog *catalog;
    uint64_t at_ms;
    struct hash to;
    uint16_t bps[MODEL_DEPTH_MAX + 1];
    unsigned found, visited;
    struct buf *out;
};

static void add_path(struct walk *w, unsigned depth)
{
    if (++w->found > REASON_PATHS)
        return;
    buf_add_text(w->out, w->found == 1 ? ", by " : " and ");
    for (unsigned i = 0; i < depth; i++)
        buf_printf(w->out, "%s%u", i == 0 ? "" : " x ", w->bps[i]);
    buf_add_text(w->out, " bps");
}

static void walk_from(struct walk *w, struct hash digest, unsigned depth)
{
    const struct model *m = catalog_model(w->catalog, digest, w->at_ms);

    if (m == NULL || depth > MODEL_DEPTH_MAX || w->visited++ > MODEL_PATHS_MAX)
        return;
    if (depth > 0 && hash_eq(digest, w->to))
        add_path(w, depth);
    for (size_t i = 0; i < m->parent_count && depth < MODEL_DEPTH_MAX; i++) {
        w->bps[depth] = m->parents[i].share_bps;
        walk_from(w, m->parents[i].model, depth + 1);
    }
}

static void add_parents(const struct catalog *c, struct hash model, uint64_t at_ms, struct buf *out)
{
    const struct model *m = catalog_model(c, model, at_ms);
    unsigned sum = 0;

    for (size_t i = 0; m != NULL && i < m->parent_count; i++)
        sum += m->parents[i].share_bps;
    if (sum > 0)
        buf_printf(out, ", less %u bps of it to its parents", sum);
}

void statement_lineage(const struct catalog *c, struct hash model, struct hash paid, uint64_t at_ms, struct buf *out)
{
    struct walk w = { .catalog = c, .at_ms = at_ms, .to = paid, .out = out };

    walk_from(&w, model, 0);                  /* no path leads from a model to itself */
    if (w.found > REASON_PATHS)
        buf_printf(out, " and %u more", w.found - REASON_PATHS);
    add_parents(c, paid, at_ms, out);
}

void statement_reason(const struct catalog *c, const struct receipt *r, const struct price_version *price, const struct share *share,
                      uint64_t at_ms, struct buf *out)
{
    if (share->role == ROLE_PROVIDER) {
        buf_printf(out, "gross less %u bps to the creator and %u bps to the protocol", price->split_bps[SPLIT_CREATOR],
                   price->split_bps[SPLIT_PROTOCOL]);
    } else if (share->role == ROLE_PROTOCOL) {
        buf_printf(out, "%u bps of gross", price->split_bps[SPLIT_PROTOCOL]);
    } else if (share->role == ROLE_CONSUMER) {
        buf_add_text(out, "countersigned while enrolled");
    } else {
        buf_printf(out, "%u bps of gross", price->split_bps[SPLIT_CREATOR]);
        statement_lineage(c, r->model, share->model, at_ms, out);
    }
}
