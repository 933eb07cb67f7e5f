/* Who receipts are about, remembered for the group: its catalog stays the same, and one item after the other has the same provider
 * and one of a few models. */
#include "gateway/intake/inside.h"

void parties_forget(struct parties *p)
{
    *p = (struct parties){ 0 };
}

const struct provider *parties_provider(struct gathered *g, struct address provider)
{
    struct parties *p = &g->parties;

    if (!p->asked || !address_eq(p->address, provider)) {
        p->asked = true;
        p->address = provider;
        p->provider = catalog_provider(g->snapshot->catalog, provider, g->now_ms);
    }
    return p->provider;
}

/* A digest's first bits choose its place: a model that takes another's is looked up anew each time, no worse than all were. */
struct rule_model parties_model(struct gathered *g, struct hash model)
{
    struct party_model *m = &g->parties.models[model.b[0] % PARTY_MODELS];

    if (!m->asked || !hash_eq(m->digest, model))
        *m = (struct party_model){ true, model, rules_model(g->snapshot->catalog, model, g->now_ms) };
    return m->standing;
}
