/* What a provider's wallet says by itself: where its pay goes, and which keys sign for it. */
#include "gateway/intake/admit.h"

#include "gateway/base/log.h"
#include "gateway/intake/inside.h"
#include "store/catalog.h"

#define WALLET "wallet"
#define AHEAD_MS (5 * MINUTE_MS)              /* how far a message may be ahead of our clock */
#define PAYOUT_BACK_MS DAY_MS                 /* and behind it: a person may stand between wallet and us */
#define REVOCATION_BACK_MS (5 * MINUTE_MS)

static bool is_recent(uint64_t at_ms, uint64_t now_ms, uint64_t back_ms, const char *name, struct err *err)
{
    return (at_ms <= now_ms + AHEAD_MS && at_ms + back_ms >= now_ms)
        || err_set(err, ERR_INVALID, "%s: must be now, at most %llu s ago: sign it again", name, (unsigned long long)(back_ms / 1000));
}

/* ---- payout ---- */

bool payout_agreed(const struct domain *domain, uint64_t now_ms, const struct provider *old, struct provider *p, struct err *err)
{
    const struct payout message = { p->address, p->payout, p->payout_word.at_ms };
    const struct payout_word before = old != NULL ? old->payout_word : (struct payout_word){ 0 };

    if (old != NULL && old->admitted && address_eq(old->payout, p->payout)) {
        p->payout_word = before;
        return true;
    }
    if ((old == NULL || !old->admitted) && address_eq(p->payout, p->address)) {
        p->payout_word = (struct payout_word){ 0 };
        return true;
    }
    if (!p->payout_word.given)
        return err_set(err, ERR_AUTH, "payoutSignature: where the pay of a provider goes, its wallet says: Payout(address provider,"
                       "address payout,uint64 at)");
    p->payout_word.contract = (struct address){ { 0 } };
    if (!is_recent(message.at_ms, now_ms, PAYOUT_BACK_MS, "payoutAt", err))
        return false;
    if (before.given && message.at_ms <= before.at_ms)
        return err_set(err, ERR_CONFLICT, "payoutAt: the wallet has said something later already");
    return payout_signed(&message, &p->payout_word.signature, domain, err) || err_prefix(err, "payout");
}

struct payout_change { const struct payout *payout; const struct signature *signature; struct provider *p; enum admit_result result; };

static bool put_payout(void *self, struct intake *intake, struct group *group, struct err *err)
{
    struct payout_change *c = self;
    struct provider old, now;
    json *detail;
    bool found;

    if (!store_provider_latest(group->db, c->payout->provider, &old, &found, err))
        return false;
    if (!found || !old.admitted)
        return err_set(err, ERR_NOT_FOUND, "this provider is not admitted");
    now = old;
    c->result = address_eq(old.payout, c->payout->payout) ? ADMIT_SAME : ADMIT_CHANGED;
    now.payout = c->payout->payout;
    now.payout_word = (struct payout_word){ .given = true, .at_ms = c->payout->at_ms, .signature = *c->signature };
    if (c->result == ADMIT_CHANGED) {
        now.since_ms = group->now_ms;
        if (!payout_agreed(&intake->config.domain, group->clock_ms, &old, &now, err))
            return false;
        detail = json_new_object();
        json_put_address(detail, "provider", now.address);
        json_put_address(detail, "payout", now.payout);
        if (!change_record(group, WALLET, "payout", detail, err) || !store_provider_add(group->db, &now, err))
            return false;
    }
    *c->p = c->result == ADMIT_SAME ? old : now;
    return true;
}

bool change_payout(struct intake *intake, const struct payout *payout, const struct signature *signature, struct provider *p,
                   enum admit_result *result, struct err *err)
{
    struct payout_change c = { .payout = payout, .signature = signature, .p = p };

    if (address_is_zero(payout->payout))
        return err_set(err, ERR_INVALID, "payout: zero is nobody");
    /* Also where nothing would change: nobody learns by asking. */
    if (!payout_signed(payout, signature, &intake->config.domain, err) || !intake_change(intake, put_payout, &c, 1, true, err))
        return false;
    if (c.result == ADMIT_CHANGED)
        log_event(LOG_NOTICE_LEVEL, "payout_changed", KV_ADDRESS("account", &payout->provider), KV_ADDRESS("payout", &payout->payout));
    *result = c.result;
    return true;
}

/* ---- keys ---- */

static json *pair_detail(struct address provider, struct address key)
{
    json *detail = json_new_object();

    json_put_address(detail, "provider", provider);
    json_put_address(detail, "key", key);
    return detail;
}

/* When this key was revoked last; 0: never. */
static uint64_t last_revocation(const struct keyring *k, struct address provider, struct address key)
{
    uint64_t last = 0;

    for (size_t i = 0; i < k->revocation_count; i++)
        if (address_eq(k->revocations[i].provider, provider) && address_eq(k->revocations[i].key, key))
            last = k->revocations[i].since_ms;
    return last;
}

static size_t keys_lent(const struct keyring *k, struct address provider, uint64_t now_ms)
{
    size_t count = 0;

    for (size_t i = 0; i < k->delegation_count; i++) {
        const struct delegation *d = &k->delegations[i];
        uint64_t revoked_ms = last_revocation(k, provider, d->key);

        if (address_eq(d->provider, provider) && d->valid_until_ms + DAY_MS >= now_ms
            && (revoked_ms <= d->since_ms || revoked_ms + DAY_MS >= now_ms))
            count++;
    }
    return count;
}

static bool may_delegate(struct group *group, const struct keyring *keys, const struct delegation *d, struct err *err)
{
    struct provider p;
    bool found;

    if (!store_provider_latest(group->db, d->provider, &p, &found, err))
        return false;
    if (!found || !p.admitted)
        return err_set(err, ERR_NOT_FOUND, "this provider is not admitted");
    if (d->valid_until_ms < group->clock_ms)
        return err_set(err, ERR_INVALID, "validUntil: is over already");
    /* So that nobody brings back what the wallet signed before it took the key away. */
    if (d->valid_from_ms < last_revocation(keys, d->provider, d->key))
        return err_set(err, ERR_CONFLICT, "this key was revoked: a new delegation of it begins after that");
    if (keys_lent(keys, d->provider, group->clock_ms) >= KEYS_MAX)
        return err_set(err, ERR_CONFLICT, "%u keys of this provider are in force, or were within a day: revoke some, or wait", KEYS_MAX);
    return true;
}

struct key_change { const char *who; struct delegation *d; struct revocation *r; enum admit_result result; };

static bool put_delegation(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct keyring *keys = catalog_keys(intake->gathered.snapshot->catalog);
    struct key_change *c = self;
    const struct delegation *same = keyring_delegation(keys, c->d);

    if (same != NULL) {
        if (last_revocation(keys, same->provider, same->key) > same->since_ms)
            return err_set(err, ERR_CONFLICT, "this delegation was revoked");
        *c->d = *same;
        c->result = ADMIT_SAME;
        return true;
    }
    if (!may_delegate(group, keys, c->d, err))
        return false;
    c->d->since_ms = group->now_ms;
    c->result = ADMIT_CREATED;
    return change_record(group, WALLET, "delegation", pair_detail(c->d->provider, c->d->key), err)
        && store_delegation_add(group->db, c->d, err);
}

bool delegate_key(struct intake *intake, struct delegation *d, enum admit_result *result, struct err *err)
{
    struct key_change c = { .d = d };

    if (!delegation_signed(d, &intake->config.domain, err) || !intake_change(intake, put_delegation, &c, 1, true, err))
        return false;
    if (c.result == ADMIT_CREATED)
        log_event(LOG_NOTICE_LEVEL, "key_delegated", KV_ADDRESS("account", &d->provider), KV_ADDRESS("key", &d->key));
    *result = c.result;
    return true;
}

static bool was_delegated(const struct keyring *k, const struct revocation *r, uint64_t *since_ms)
{
    bool any = false;

    for (size_t i = 0; i < k->delegation_count; i++) {
        const struct delegation *d = &k->delegations[i];

        if (!address_eq(d->provider, r->provider) || !address_eq(d->key, r->key))
            continue;
        *since_ms = any && *since_ms > d->since_ms ? *since_ms : d->since_ms;
        any = true;
    }
    return any;
}

static bool put_revocation(void *self, struct intake *intake, struct group *group, struct err *err)
{
    const struct keyring *keys = catalog_keys(intake->gathered.snapshot->catalog);
    struct key_change *c = self;
    struct revocation *r = c->r;
    uint64_t since_ms = 0, revoked_ms = last_revocation(keys, r->provider, r->key);

    if (!was_delegated(keys, r, &since_ms))
        return err_set(err, ERR_NOT_FOUND, "this provider delegated no such key");
    if (r->has_signature && !is_recent(r->at_ms, group->clock_ms, REVOCATION_BACK_MS, "at", err))
        return false;
    c->result = revoked_ms > since_ms ? ADMIT_SAME : ADMIT_CREATED;
    r->since_ms = c->result == ADMIT_SAME ? revoked_ms : group->now_ms;
    if (!r->has_signature)
        r->at_ms = r->since_ms;
    return c->result == ADMIT_SAME
        || (change_record(group, c->who, "revocation", pair_detail(r->provider, r->key), err) && store_revocation_add(group->db, r, err));
}

bool revoke_key(struct intake *intake, const char *who, struct revocation *r, enum admit_result *result, struct err *err)
{
    struct key_change c = { .who = who, .r = r };

    if ((r->has_signature && !revocation_signed(r, &intake->config.domain, err)) || !intake_change(intake, put_revocation, &c, 1, true, err))
        return false;
    if (c.result == ADMIT_CREATED)
        log_event(LOG_NOTICE_LEVEL, "key_revoked", KV_ADDRESS("account", &r->provider), KV_ADDRESS("key", &r->key), KV_TEXT("who", who));
    *result = c.result;
    return true;
}
