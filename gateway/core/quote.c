#include "gateway/core/quote.h"

#include <inttypes.h>

json *quote_to_json(const struct issued_quote *q)
{
    json *object = json_new_object();

    json_put_hash(object, "model", q->quote.model);
    json_put_address(object, "provider", q->quote.provider);
    json_put_address(object, "consumer", q->quote.consumer);
    json_put_u64(object, "priceVersion", q->quote.price_version);
    json_put_u64(object, "validUntil", q->quote.valid_until_ms);
    json_put_u64(object, "issuedAt", q->issued_at_ms);
    json_put_signature(object, "signature", &q->signature);
    json_put_address(object, "signer", q->signer);
    return object;
}

static bool missing(const char *name, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s: missing or of another form", name);
}

bool quote_from_json(const json *object, struct issued_quote *q, struct err *err)
{
    struct issued_quote read;

    if (!json_get_hash(json_member(object, "model"), &read.quote.model))
        return missing("model", err);
    if (!json_get_address(json_member(object, "provider"), &read.quote.provider))
        return missing("provider", err);
    if (!json_get_address(json_member(object, "consumer"), &read.quote.consumer))
        return missing("consumer", err);
    if (!json_get_u64(json_member(object, "priceVersion"), &read.quote.price_version))
        return missing("priceVersion", err);
    if (!json_get_u64(json_member(object, "validUntil"), &read.quote.valid_until_ms))
        return missing("validUntil", err);
    if (!json_get_u64(json_member(object, "issuedAt"), &read.issued_at_ms))
        return missing("issuedAt", err);
    if (!json_get_signature(json_member(object, "signature"), &read.signature))
        return missing("signature", err);
    if (!json_get_address(json_member(object, "signer"), &read.signer))
        return missing("signer", err);
    *q = read;
    return true;
}

/* NULL: it binds. */
static const char *mismatch(const struct quote *q, const struct receipt *r)
{
    if (!hash_eq(q->model, r->model))
        return "is for another model";
    if (!address_is_zero(q->provider) && !address_eq(q->provider, r->provider))
        return "is for another provider";
    if (!address_is_zero(q->consumer) && !address_eq(q->consumer, r->consumer))
        return "is for another consumer";
    return r->started_at_ms > q->valid_until_ms ? "had run out" : NULL;
}

bool quote_matches(const struct quote *q, const struct receipt *r)
{
    return mismatch(q, r) == NULL;
}

void quote_fault(const struct quote *q, const struct receipt *r, struct faults *faults)
{
    if (q == NULL)
        faults_add(faults, CODE_QUOTE_MISMATCH, "/quote", "this gateway issued no such quote");
    else
        faults_add(faults, CODE_QUOTE_MISMATCH, "/quote", "the quote %s: it was valid until %" PRIu64 ", startedAt is %" PRIu64,
                   mismatch(q, r), q->valid_until_ms, r->started_at_ms);
}
