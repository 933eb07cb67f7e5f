/* Delegations and revocations as messages: their JSON, and who signed them. */
#include "gateway/core/keyring.h"

#include "gateway/core/members.h"
#include "gateway/lib/secp.h"

static bool is_pair(const json *object, struct address *provider, struct address *key, struct err *err)
{
    if (!json_get_address(json_member(object, "provider"), provider) || address_is_zero(*provider))
        return err_set(err, ERR_INVALID, "provider: a string of 0x and 40 hex digits, not zero");
    if (!json_get_address(json_member(object, "key"), key) || address_is_zero(*key) || address_eq(*key, *provider))
        return err_set(err, ERR_INVALID, "key: a string of 0x and 40 hex digits, not zero and not the provider");
    return true;
}

bool delegation_from_json(const json *object, struct delegation *d, struct err *err)
{
    static const char *const names[] = { "provider", "key", "validFrom", "validUntil", "signature" };
    struct delegation read = { 0 };

    if (!members_known(object, names, ARRAY_LEN(names), err) || !is_pair(object, &read.provider, &read.key, err))
        return false;
    if (!json_get_u64(json_member(object, "validFrom"), &read.valid_from_ms) || read.valid_from_ms > TIME_MAX_MS)
        return err_set(err, ERR_INVALID, "validFrom: an integer of Unix milliseconds below 2^53");
    if (!json_get_u64(json_member(object, "validUntil"), &read.valid_until_ms) || read.valid_until_ms > TIME_MAX_MS
        || read.valid_until_ms < read.valid_from_ms)
        return err_set(err, ERR_INVALID, "validUntil: an integer of Unix milliseconds below 2^53, not before validFrom");
    if (!json_get_signature(json_member(object, "signature"), &read.signature))
        return err_set(err, ERR_INVALID, "signature: a string of 0x and 130 hex digits");
    *d = read;
    return true;
}

json *delegation_to_json(const struct delegation *d)
{
    json *object = json_new_object();

    json_put_address(object, "provider", d->provider);
    json_put_address(object, "key", d->key);
    json_put_u64(object, "validFrom", d->valid_from_ms);
    json_put_u64(object, "validUntil", d->valid_until_ms);
    json_put_signature(object, "signature", &d->signature);
    json_put_u64(object, "since", d->since_ms);
    return object;
}

json *revocation_to_json(const struct revocation *r)
{
    json *object = json_new_object();

    json_put_address(object, "provider", r->provider);
    json_put_address(object, "key", r->key);
    json_put_u64(object, "at", r->at_ms);
    if (r->has_signature)
        json_put_signature(object, "signature", &r->signature);
    json_put_u64(object, "since", r->since_ms);
    return object;
}

static bool by_wallet(const struct signature *signature, const struct domain *domain, struct hash message, struct address wallet, struct err *err)
{
    struct address signer;
    struct err why = { 0 };

    return (secp_recover(signature, typed_digest(domain, message), &signer, &why) && address_eq(signer, wallet))
        || err_set(err, ERR_AUTH, "signature: does not recover to the provider");
}

bool delegation_signed(const struct delegation *d, const struct domain *domain, struct err *err)
{
    return by_wallet(&d->signature, domain, delegation_struct_hash(d->provider, d->key, d->valid_from_ms, d->valid_until_ms), d->provider, err);
}

bool revocation_signed(const struct revocation *r, const struct domain *domain, struct err *err)
{
    return by_wallet(&r->signature, domain, revocation_struct_hash(r->provider, r->key, r->at_ms), r->provider, err);
}

bool payout_signed(const struct payout *p, const struct signature *signature, const struct domain *domain, struct err *err)
{
    return by_wallet(signature, domain, payout_struct_hash(p), p->provider, err);
}
