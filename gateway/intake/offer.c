#include "gateway/intake/offer.h"

#include <inttypes.h>

#include "gateway/intake/inside.h"
#include "gateway/lib/secp.h"
#include "store/market.h"
#include "store/quotes.h"

/* -- capacity -- */

struct announcing { struct announcement *a; enum admit_result result; };

static bool is_same(const struct announcement *a, const struct announcement *b)
{
    return !a->withdrawn && !b->withdrawn && hash_eq(capacity_struct_hash(&a->capacity), capacity_struct_hash(&b->capacity));
}

static bool put_capacity(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct catalog *catalog = intake->gathered.snapshot->catalog;
    struct announcing *announcing = self;
    struct announcement *a = announcing->a, last;
    const struct capacity *c = &a->capacity;
    uint64_t wait_ms = 0;
    bool found;

    if (catalog_provider(catalog, c->provider, group->now_ms) == NULL)
        return err_set(err, ERR_INVALID, "provider: this provider is not admitted");
    if (!catalog_model_claimed(catalog, c->model))
        return err_set(err, ERR_INVALID, "model: nobody registered this model");
    if (!store_capacity_last(group->db, c->provider, c->model, group->now_ms - 2 * CAPACITY_REACH_MS, &last, &found, err))
        return false;
    if (found && is_same(&last, a)) {
        a->recorded_at_ms = last.recorded_at_ms;
        announcing->result = ADMIT_SAME;
        return true;
    }
    if (!capacity_check(c, group->now_ms, err))      /* recordedAt, by which an audit asks again */
        return false;
    if (found && c->valid_from_ms <= last.capacity.valid_from_ms)
        return err_set(err, ERR_CONFLICT, "validFrom: not after %" PRIu64 ", that of the last announcement for this model",
                       last.capacity.valid_from_ms);
    if (!buckets_take(intake->announcements, c->provider, group->clock_ms, &wait_ms))
        return err_set(err, ERR_LIMIT, "more than %u announcements at once", CAPACITY_BURST);
    a->recorded_at_ms = group->now_ms;
    announcing->result = ADMIT_CREATED;
    return store_capacity_add(group->db, a, err);
}

bool announce_capacity(struct intake *intake, struct announcement *a, enum admit_result *result, struct err *err)
{
    struct announcing announcing = { .a = a };
    struct address signer;
    struct err why = { 0 };

    a->withdrawn = false;
    if (!secp_recover(&a->signature, typed_digest(&intake->config.domain, capacity_struct_hash(&a->capacity)), &signer, &why)
        || !address_eq(signer, a->capacity.provider))
        return err_set(err, ERR_AUTH, "signature: does not recover to the provider");
    if (!intake_change(intake, put_capacity, &announcing, 1, false, err))
        return false;
    *result = announcing.result;
    return true;
}

/* -- quotes -- */

struct issuing { struct quoting *q; quote_also_fn *also; void *self; };

static bool put_quote(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct catalog *catalog = intake->gathered.snapshot->catalog;
    struct issuing *issuing = self;
    struct quoting *q = issuing->q;
    struct issued_quote *quote = &q->quote;
    const struct price_version *price = catalog_price(catalog, quote->quote.model, group->now_ms, group->now_ms);
    uint64_t wait_ms = 0;

    if (!catalog_model_claimed(catalog, quote->quote.model))
        return err_set(err, ERR_NOT_FOUND, "model: nobody registered this model");
    if (price == NULL)
        return err_set(err, ERR_CONFLICT, "model: no price is in force for it");
    if (!buckets_take(intake->quoted, q->sender, group->clock_ms, &wait_ms))
        return err_set(err, ERR_LIMIT, "more than %u quotes at once", QUOTE_BURST);
    quote->quote.price_version = price->version;
    quote->quote.valid_until_ms = group->clock_ms + intake->config.quote_max_ms;
    quote->issued_at_ms = group->now_ms;
    quote->signer = signer_address(intake->signer);
    q->price = *price;
    return signer_sign_digest(intake->signer, typed_digest(&intake->config.domain, quote_struct_hash(&quote->quote)),
                              &quote->signature, err)
        && store_quote_add(group->db, quote, err)
        && (issuing->also == NULL || issuing->also(issuing->self, group, q, err));
}

bool issue_quote(struct intake *intake, struct quoting *q, quote_also_fn *also, void *self, struct err *err)
{
    return intake_change(intake, put_quote, &(struct issuing){ q, also, self }, 1, false, err);
}
