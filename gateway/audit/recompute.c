#include "gateway/audit/recompute.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/audit/differs.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/secp.h"

void receipt_name(const struct receipt *r, char text[RECEIPT_NAME])
{
    char job[JOB_ID_TEXT], provider[ADDRESS_TEXT];

    job_id_to_text(r->job_id, job);
    address_to_text(r->provider, provider);
    snprintf(text, RECEIPT_NAME, "receipt %s of %s", job, provider);
}

static bool check_content(const struct archive_receipt *r, struct place at, struct err *err)
{
    struct faults faults = { 0 };
    bool ok;

    receipt_check(&r->receipt.receipt, r->accepted_at_ms, &faults);
    ok = faults.count == 0
      || differs(err, DIFFERS_RECEIPT, at, "a receipt that keeps the rules", faults.list[0].detail);
    faults_clear(&faults);
    return ok;
}

static bool signed_by(const struct signature *sig, struct hash digest, struct address signer, struct place at, struct err *err)
{
    struct address found;

    if (!secp_recover(sig, digest, &found, err))
        return differs(err, DIFFERS_SIGNATURE, at, "a signature", err->text);
    return address_eq(found, signer) || differs_address(err, DIFFERS_SIGNATURE, at, signer, found);
}

static bool check_signatures(const struct recompute *c, const struct archive_receipt *r, struct hash struct_hash, struct place at,
                             struct err *err)
{
    struct hash digest = typed_digest(c->domain, struct_hash);
    char where[RECEIPT_NAME + 24];

    if (r->has_bundle ? !bundles_place(c->bundles, r, struct_hash, at.sequence, at.where, err)
                      : !signed_by(&r->receipt.signature, digest, r->receipt.receipt.provider, at, err))
        return false;
    if (!r->receipt.has_consumer_signature)
        return true;
    snprintf(where, sizeof where, "%s, by the consumer", at.where);
    at.where = where;
    if (address_is_zero(r->receipt.receipt.consumer))
        return differs(err, DIFFERS_SIGNATURE, at, "a consumer", "none");
    return signed_by(&r->receipt.consumer_signature, digest, r->receipt.receipt.consumer, at, err);
}

/* Quotes are not issued yet, so none can fix a version: the list in force at acceptance alone decides. */
static bool check_price(const struct recompute *c, const struct archive_receipt *r, struct place at,
                        const struct price_version **price, struct err *err)
{
    const struct receipt *receipt = &r->receipt.receipt;
    const struct price_version *in_force = catalog_price(c->catalog, receipt->model, receipt->finished_at_ms, r->accepted_at_ms);
    struct amount amount;

    if (in_force == NULL)
        return differs(err, DIFFERS_PRICE, at, "a price in force", "none");
    if (in_force->version != r->price_version)
        return differs_u64(err, DIFFERS_PRICE, at, in_force->version, r->price_version);
    if (!price_receipt(in_force, receipt->count, &amount, err))
        return differs(err, DIFFERS_AMOUNT, at, "an amount", err->text);
    if (amount_cmp(amount, r->amount) != 0)
        return differs_amount(err, DIFFERS_AMOUNT, at, amount, r->amount);
    *price = in_force;
    return true;
}

static bool add_credits(const struct recompute *c, const struct archive_receipt *r, const struct price_version *price,
                        struct place at, struct err *err)
{
    struct shares credits = { 0 };
    bool ok = ledger_split(c->catalog, &r->receipt.receipt, price, r->amount, c->protocol_account, r->accepted_at_ms, &credits, err)
           || differs(err, DIFFERS_SPLIT, at, "a split among provider, creators and protocol", err->text);

    for (size_t i = 0; ok && i < credits.count; i++)
        ok = totals_add(c->credits, credits.list[i].account, credits.list[i].amount, err);
    shares_clear(&credits);
    return ok;
}

bool recompute_receipt(const struct recompute *c, const struct archive_receipt *r, struct hash *struct_hash, struct err *err)
{
    struct hash hash = receipt_struct_hash(&r->receipt.receipt);
    const struct price_version *price = NULL;
    char name[RECEIPT_NAME];
    struct place at = { c->sequence, name };

    receipt_name(&r->receipt.receipt, name);
    if (!check_content(r, at, err) || !check_signatures(c, r, hash, at, err) || !check_price(c, r, at, &price, err)
        || !add_credits(c, r, price, at, err))
        return false;
    *struct_hash = hash;
    return true;
}
