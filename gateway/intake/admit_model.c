/* Models claimed by their creators and verified by an operator, and what things cost. */
#include "gateway/intake/admit.h"


#include "gateway/base/log.h"
#include "gateway/intake/inside.h"
#include "gateway/lib/secp.h"
#include "store/catalog.h"
#include "store/market.h"

#include <inttypes.h>

#define PRICE_BACK_MS 60000u                  /* how far back a model's later versions may reach */
#define PRICES_PAGE 1000u

struct registration { const struct model *m; enum admit_result result; };

static bool put_claim(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct registration *r = self;
    struct model old;
    bool found;

    if (!store_model_find(group->db, r->m->model, r->m->creator, &old, &found, err))
        return false;
    if (found && !model_same(&old, r->m))
        return err_set(err, ERR_CONFLICT, "this creator registered the model with other content");
    r->result = found ? ADMIT_SAME : ADMIT_CREATED;
    return found
        || (catalog_check_lineage(intake->gathered.snapshot->catalog, r->m, err)
            && store_model_add(group->db, r->m, group->now_ms, err));
}

/* Releases nothing: a claim alone settles no question, and anybody may make one. */
bool register_model(struct intake *intake, const struct model *m, enum admit_result *result, struct err *err)
{
    struct registration r = { .m = m };
    struct address signer;
    struct err why = { 0 };

    if (!secp_recover(&m->signature, typed_digest(&intake->config.domain, model_struct_hash(m)), &signer, &why)
        || !address_eq(signer, m->creator))
        return err_set(err, ERR_AUTH, "signature: does not recover to the creator");
    if (!intake_change(intake, put_claim, &r, 1, true, err))
        return false;
    if (r.result == ADMIT_CREATED)
        log_event(LOG_NOTICE_LEVEL, "model_registered", KV_HASH("model", &m->model), KV_ADDRESS("account", &m->creator));
    *result = r.result;
    return true;
}

struct verification { const char *who; struct hash model; struct address creator; struct model verified; };

static bool parents_are_verified(struct group *group, const struct model *m, struct err *err)
{
    struct model parent;
    bool found;

    for (size_t i = 0; i < m->parent_count; i++) {
        if (!store_model_verified(group->db, m->parents[i].model, &parent, &found, err))
            return false;
        if (!found)
            return err_set(err, ERR_INVALID, "parents: %zu is not verified yet", i);
    }
    return true;
}

static json *verification_detail(const struct verification *v)
{
    json *detail = json_new_object();

    json_put_hash(detail, "model", v->model);
    json_put_address(detail, "creator", v->creator);
    return detail;
}

static bool verify_claim(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct verification *v = self;
    struct model claim, other;
    bool found, taken;

    if (!store_model_find(group->db, v->model, v->creator, &claim, &found, err)
        || !store_model_verified(group->db, v->model, &other, &taken, err))
        return false;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "this creator did not register this model");
    if (taken && !address_eq(other.creator, v->creator))
        return err_set(err, ERR_CONFLICT, "another creator's claim to this model is verified");
    if (taken) {
        v->verified = other;
        return true;
    }
    /* The lineage is asked again: which claims its ancestors go by is certain only now. */
    if (!parents_are_verified(group, &claim, err) || !catalog_check_lineage(intake->gathered.snapshot->catalog, &claim, err)
        || !store_model_set_verified(group->db, v->model, v->creator, group->now_ms, err)
        || !change_record(group, v->who, "model-verify", verification_detail(v), err))
        return false;
    claim.verified_at_ms = group->now_ms;
    v->verified = claim;
    return true;
}

bool verify_model(struct intake *intake, const char *who, struct hash model, struct address creator, struct model *verified, struct err *err)
{
    struct verification v = { .who = who, .model = model, .creator = creator };
    uint64_t released;

    if (!intake_change(intake, verify_claim, &v, 1, true, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "model_verified", KV_HASH("model", &model), KV_ADDRESS("account", &creator), KV_TEXT("who", who));
    if (!release_waiting(intake, &released, err))
        return false;
    *verified = v.verified;
    return true;
}

struct pricing { const char *who; struct price_version *p; price_also_fn *also; void *self; };

/* Walks the versions until one for the same model (or for any) is found. */
struct price_search { const struct price_version *like; uint64_t last; size_t seen; bool found; };

static bool is_alike(void *self, const struct price_version *p)
{
    struct price_search *s = self;

    s->seen++;
    s->last = p->version;
    s->found = p->any_model == s->like->any_model && (p->any_model || hash_eq(p->model, s->like->model));
    return !s->found;
}

static bool has_price(struct db *db, const struct price_version *p, bool *found, struct err *err)
{
    struct price_search s = { .like = p };

    do {
        s.seen = 0;
        if (!store_prices(db, s.last, PRICES_PAGE, is_alike, &s, err))
            return false;
    } while (!s.found && s.seen == PRICES_PAGE);
    *found = s.found;
    return true;
}

/* A step that is made takes effect with its window's end: an operator's version from before it would never count. */
static bool fits_market(const struct catalog *catalog, const struct price_version *p, struct group *group, struct err *err)
{
    struct market_row running[MARKETS_MAX];
    size_t count;

    if (!p->any_model && p->effective_from_ms < group->now_ms && catalog_market(catalog, p->model, group->now_ms) != NULL)
        return err_set(err, ERR_INVALID, "effectiveFrom: not in the past while a market moves this model's price (now is %" PRIu64
                       ")", group->now_ms);
    if (p->market.window_s == 0)
        return true;
    return store_markets_due(group->db, UINT64_MAX, running, MARKETS_MAX, &count, err)
        && (count < MARKETS_MAX || err_set(err, ERR_LIMIT, "market: %u run already", MARKETS_MAX));
}

static bool put_price(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct pricing *pricing = self;
    struct price_version *p = pricing->p;
    bool later;

    if (!has_price(group->db, p, &later, err))
        return false;
    if (later && p->effective_from_ms + PRICE_BACK_MS < group->clock_ms)
        return err_set(err, ERR_INVALID, "effectiveFrom: over %u s in the past", PRICE_BACK_MS / 1000);
    if (!fits_market(intake->gathered.snapshot->catalog, p, group, err))
        return false;
    p->recorded_at_ms = group->now_ms;
    atomic_store(&intake->market_due_ms, 0);
    return store_price_add(group->db, p, err) && change_record(group, pricing->who, "price-add", price_to_json(p), err)
        && (pricing->also == NULL || pricing->also(pricing->self, group, p, err));
}

bool add_price(struct intake *intake, const char *who, struct price_version *p, struct err *err)
{
    return add_price_and(intake, who, p, NULL, NULL, err);
}

bool add_price_and(struct intake *intake, const char *who, struct price_version *p, price_also_fn *also, void *self, struct err *err)
{
    uint64_t released;

    if (!intake_change(intake, put_price, &(struct pricing){ who, p, also, self }, 1, true, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "price_added", KV_U64("version", p->version), KV_TEXT("who", who));
    return release_waiting(intake, &released, err);
}
