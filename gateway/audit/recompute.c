#include "gateway/audit/recompute.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/audit/differs.h"
#include "gateway/lib/address_text.h"

void receipt_name(const struct receipt *r, char text[RECEIPT_NAME])
{
    char job[JOB_ID_TEXT], provider[ADDRESS_TEXT];

    job_id_to_text(r->job_id, job);
    address_to_text(r->provider, provider);
    snprintf(text, RECEIPT_NAME, "receipt %s of %s", job, provider);
}

/* Made only when something differs: a name costs a hash, and nearly all receipts are true. */
static struct place place_of(const struct recompute *c, const struct archive_receipt *r, char name[RECEIPT_NAME])
{
    receipt_name(&r->receipt.receipt, name);
    return (struct place){ c->sequence, name };
}

static bool check_content(const struct recompute *c, const struct archive_receipt *r, struct err *err)
{
    struct faults faults = { 0 };
    char name[RECEIPT_NAME];
    bool ok;

    receipt_check(&r->receipt.receipt, r->accepted_at_ms, &faults);
    ok = faults.count == 0
      || differs(err, DIFFERS_RECEIPT, place_of(c, r, name), "a receipt that keeps the rules", faults.list[0].detail);
    faults_clear(&faults);
    return ok;
}

static bool signed_by(const struct recompute *c, const struct archive_receipt *r, const struct signature *sig, struct hash digest,
                      struct address signer, bool by_consumer, struct err *err)
{
    const struct receipt *receipt = &r->receipt.receipt;
    struct signature_check check = { *sig, digest, signer, receipt->provider, receipt->job_id, by_consumer };

    if (c->signatures == NULL)
        return signature_check_now(&check, c->sequence, err);
    signatures_add(c->signatures, &check);
    return true;
}

static bool check_signatures(const struct recompute *c, const struct archive_receipt *r, struct hash struct_hash, struct err *err)
{
    const struct receipt *receipt = &r->receipt.receipt;
    char name[RECEIPT_NAME], where[RECEIPT_NAME + 24];
    struct hash digest;

    if (r->has_bundle && !bundles_place(c->bundles, r, struct_hash, c->sequence, err))
        return false;
    if (r->has_bundle && !r->receipt.has_consumer_signature)
        return true;
    digest = typed_digest(c->domain, struct_hash);
    if (!r->has_bundle && !signed_by(c, r, &r->receipt.signature, digest, receipt->provider, false, err))
        return false;
    if (!r->receipt.has_consumer_signature)
        return true;
    if (address_is_zero(receipt->consumer)) {
        snprintf(where, sizeof where, "%s, by the consumer", place_of(c, r, name).where);
        return differs(err, DIFFERS_SIGNATURE, (struct place){ c->sequence, where }, "a consumer", "none");
    }
    return signed_by(c, r, &r->receipt.consumer_signature, digest, receipt->consumer, true, err);
}

/* Quotes are not issued yet, so none can fix a version: the list in force at acceptance alone decides. */
static bool check_price(const struct recompute *c, const struct archive_receipt *r, const struct price_version **price, struct err *err)
{
    const struct receipt *receipt = &r->receipt.receipt;
    const struct price_version *in_force = catalog_price(c->catalog, receipt->model, receipt->finished_at_ms, r->accepted_at_ms);
    char name[RECEIPT_NAME];
    struct amount amount;

    if (in_force == NULL)
        return differs(err, DIFFERS_PRICE, place_of(c, r, name), "a price in force", "none");
    if (in_force->version != r->price_version)
        return differs_u64(err, DIFFERS_PRICE, place_of(c, r, name), in_force->version, r->price_version);
    if (!price_receipt(in_force, receipt->count, &amount, err))
        return differs(err, DIFFERS_AMOUNT, place_of(c, r, name), "an amount", err->text);
    if (amount_cmp(amount, r->amount) != 0)
        return differs_amount(err, DIFFERS_AMOUNT, place_of(c, r, name), amount, r->amount);
    *price = in_force;
    return true;
}

static bool add_credits(const struct recompute *c, const struct archive_receipt *r, const struct price_version *price, struct err *err)
{
    struct shares credits = { 0 };
    char name[RECEIPT_NAME];
    bool ok = ledger_split(c->catalog, &r->receipt.receipt, price, r->amount, c->protocol_account, r->accepted_at_ms, &credits, err)
           || differs(err, DIFFERS_SPLIT, place_of(c, r, name), "a split among provider, creators and protocol", err->text);

    for (size_t i = 0; ok && i < credits.count; i++)
        ok = totals_add(c->credits, credits.list[i].account, credits.list[i].amount, err);
    shares_clear(&credits);
    return ok;
}

/* The treasury's part is what is left, and is nobody's debt. */
static bool add_charge(const struct recompute *c, const struct archive_receipt *r, struct err *err)
{
    struct share charge = ledger_charge(c->catalog, &r->receipt, r->amount, r->accepted_at_ms);

    return c->charges == NULL || charge.role != ROLE_CONSUMER || totals_add(c->charges, charge.account, charge.amount, err);
}

bool recompute_receipt(const struct recompute *c, const struct archive_receipt *r, struct hash *struct_hash, struct err *err)
{
    struct hash hash = receipt_struct_hash(&r->receipt.receipt);
    const struct price_version *price = NULL;

    if (!check_content(c, r, err) || !check_signatures(c, r, hash, err) || !check_price(c, r, &price, err)
        || !add_credits(c, r, price, err) || !add_charge(c, r, err))
        return false;
    *struct_hash = hash;
    return true;
}
