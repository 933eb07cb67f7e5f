#include "gateway/core/ledger.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_PROVIDER: return "provider";
    case ROLE_CREATOR:  return "creator";
    case ROLE_LINEAGE:  return "lineage";
    case ROLE_PROTOCOL: return "protocol";
    case ROLE_CONSUMER: return "consumer";
    case ROLE_TREASURY: return "treasury";
    case ROLE_POPULARITY: return "popularity";
    case ROLE_ADJUSTED_UP:   return "adjusted-up";
    case ROLE_ADJUSTED_DOWN: return "adjusted-down";
    }
    bug("role %d", (int)role);     /* a newer schema, or a damaged row */
}

bool role_is_credit(enum role role)
{
    return role != ROLE_CONSUMER && role != ROLE_TREASURY && role != ROLE_ADJUSTED_DOWN;
}

bool role_is_adjustment(enum role role)
{
    return role == ROLE_ADJUSTED_UP || role == ROLE_ADJUSTED_DOWN;
}

void shares_clear(struct shares *s)
{
    free(s->list);
    *s = (struct shares){ 0 };
}

static bool same_row(const struct share *a, const struct share *b)
{
    return a->role == b->role && address_eq(a->account, b->account) && hash_eq(a->model, b->model);
}

bool shares_add(struct shares *s, const struct share *share, struct err *err)
{
    for (size_t i = 0; i < s->count; i++)
        if (same_row(&s->list[i], share)) {
            if (!amount_add(s->list[i].amount, share->amount, &s->list[i].amount))
                return err_set(err, ERR_OVERFLOW, "a share over 256 bits");
            return true;
        }
    if (s->count == s->capacity) {
        s->capacity = s->capacity == 0 ? 8 : s->capacity * 2;
        s->list = mem_grow(s->list, s->capacity, sizeof *s->list);
    }
    s->list[s->count++] = *share;
    return true;
}

/* One receipt being split: what was given so far, and how many paths were walked. */
struct split {
    const struct catalog *catalog;
    uint64_t at_ms;
    struct shares *credits;
    struct amount given;
    unsigned paths;
    enum role own, ancestral;                 /* of the model's creator, of its ancestors' */
};

static bool give(struct split *s, struct address account, enum role role, struct hash model, struct amount amount, struct err *err)
{
    if (amount_is_zero(amount))
        return true;
    if (!amount_add(s->given, amount, &s->given))
        return err_set(err, ERR_OVERFLOW, "a receipt's shares over 256 bits");
    return shares_add(s->credits, &(struct share){ account, role, model, amount }, err);
}

/* pay(m, x) of design 5.  The bounds were checked at registration; an archive of somebody else's may break them. */
static bool pay_model(struct split *s, struct hash digest, struct amount amount, unsigned depth, struct err *err)
{
    const struct model *m = catalog_model(s->catalog, digest, s->at_ms);
    struct amount kept = amount;

    if (m == NULL)
        return err_set(err, ERR_BUG, "a lineage holds a model that is not verified");
    if (depth > MODEL_DEPTH_MAX || s->paths++ > MODEL_PATHS_MAX)
        return err_set(err, ERR_BUG, "a lineage of over %d steps or %d paths", MODEL_DEPTH_MAX, MODEL_PATHS_MAX);
    for (size_t i = 0; i < m->parent_count; i++) {
        struct amount part;

        if (!amount_share(amount, m->parents[i].share_bps, &part) || !amount_sub(kept, part, &kept))
            return err_set(err, ERR_BUG, "the parents of a model get more than there is");
        if (!amount_is_zero(part) && !pay_model(s, m->parents[i].model, part, depth + 1, err))
            return false;
    }
    return give(s, m->creator, depth == 0 ? s->own : s->ancestral, digest, kept, err);
}

bool ledger_split(const struct catalog *c, const struct receipt *r, const struct price_version *price, struct amount amount,
                  struct address protocol_account, uint64_t at_ms, struct shares *credits, struct err *err)
{
    const struct provider *provider = catalog_provider(c, r->provider, at_ms);
    struct split s = { c, at_ms, credits, AMOUNT_ZERO, 0, ROLE_CREATOR, ROLE_LINEAGE };
    struct amount to_creator, to_protocol, to_provider;

    if (provider == NULL)
        return err_set(err, ERR_BUG, "a receipt of a provider that was not admitted");
    /* Both floors fall to the provider, so nothing is created or lost. */
    if (!amount_share(amount, price->split_bps[SPLIT_CREATOR], &to_creator)
        || !amount_share(amount, price->split_bps[SPLIT_PROTOCOL], &to_protocol)
        || !amount_sub(amount, to_creator, &to_provider) || !amount_sub(to_provider, to_protocol, &to_provider))
        return err_set(err, ERR_BUG, "price version %llu splits more than there is", (unsigned long long)price->version);
    if (!give(&s, provider->payout, ROLE_PROVIDER, r->model, to_provider, err)
        || !pay_model(&s, r->model, to_creator, 0, err)
        || !give(&s, protocol_account, ROLE_PROTOCOL, r->model, to_protocol, err))
        return false;
    if (amount_cmp(s.given, amount) != 0)
        return err_set(err, ERR_BUG, "the shares of a receipt do not sum to its amount");
    return true;
}

bool ledger_pay_model(const struct catalog *c, struct hash model, struct amount amount, enum role own, enum role ancestral,
                      uint64_t at_ms, struct shares *credits, struct err *err)
{
    struct split s = { c, at_ms, credits, AMOUNT_ZERO, 0, own, ancestral };

    if (!pay_model(&s, model, amount, 0, err))
        return false;
    return amount_cmp(s.given, amount) == 0 || err_set(err, ERR_BUG, "the shares of a model do not sum to its part");
}

struct share ledger_charge(const struct catalog *c, const struct signed_receipt *r, struct amount amount, uint64_t at_ms)
{
    bool charged = r->has_consumer_signature && catalog_consumer(c, r->receipt.consumer, at_ms) != NULL;

    return (struct share){
        .account = charged ? r->receipt.consumer : (struct address){ { 0 } },
        .role = charged ? ROLE_CONSUMER : ROLE_TREASURY,
        .model = r->receipt.model,
        .amount = amount,
    };
}
