/* What a provider's wallet says by itself: keys that sign for it, and where its pay goes. */
#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/core/members.h"
#include "gateway/intake/admit.h"

void delegation_post(struct request *req, struct reply *reply)
{
    enum admit_result result;
    struct delegation d;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_json(req, &object, reply))
        return;
    ok = delegation_from_json(object, &d, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (delegate_key(req->api->intake, &d, &result, &err))
        reply_json(reply, result == ADMIT_CREATED ? 201 : 200, delegation_to_json(&d));
    else
        problem_from_err(reply, &err);
}

static void revoke(struct request *req, const char *who, struct revocation *r, struct reply *reply)
{
    enum admit_result result;
    struct err err = { 0 };

    if (revoke_key(req->api->intake, who, r, &result, &err))
        reply_json(reply, result == ADMIT_CREATED ? 201 : 200, revocation_to_json(r));
    else
        problem_from_err(reply, &err);
}

static bool read_message(const json *object, const char *second, struct address *provider, struct address *other, uint64_t *at_ms,
                         struct signature *signature, struct err *err)
{
    const char *const names[] = { "provider", second, "at", "signature" };

    return members_known(object, names, ARRAY_LEN(names), err)
        && field_address(object, "provider", REQUIRED, provider, err)
        && field_address(object, second, REQUIRED, other, err)
        && ((json_get_u64(json_member(object, "at"), at_ms) && *at_ms <= TIME_MAX_MS)
            || err_set(err, ERR_INVALID, "at: must be an integer of Unix milliseconds below 2^53"))
        && (json_get_signature(json_member(object, "signature"), signature)
            || err_set(err, ERR_INVALID, "signature: must be a string of 0x and 130 hex digits"));
}

void revocation_post(struct request *req, struct reply *reply)
{
    struct revocation r = { .has_signature = true };
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_json(req, &object, reply))
        return;
    ok = read_message(object, "key", &r.provider, &r.key, &r.at_ms, &r.signature, &err);
    json_free(object);
    if (ok)
        revoke(req, "wallet", &r, reply);
    else
        problem(reply, 422, "malformed", "%s", err.text);
}

void delegation_delete(struct request *req, struct reply *reply)
{
    struct revocation r = { 0 };

    if (request_address(req, 0, &r.provider, reply) && request_address(req, 1, &r.key, reply))
        revoke(req, req->who, &r, reply);
}

void payout_post(struct request *req, struct reply *reply)
{
    enum admit_result result;
    struct signature signature;
    struct payout payout;
    struct provider p;
    struct err err = { 0 };
    json *object, *answer;
    bool ok;

    if (!request_json(req, &object, reply))
        return;
    ok = read_message(object, "payout", &payout.provider, &payout.payout, &payout.at_ms, &signature, &err);
    json_free(object);
    if (!ok) {
        problem(reply, 422, "malformed", "%s", err.text);
        return;
    }
    if (!change_payout(req->api->intake, &payout, &signature, &p, &result, &err)) {
        problem_from_err(reply, &err);
        return;
    }
    answer = json_new_object();
    json_put_address(answer, "provider", p.address);
    json_put_address(answer, "payout", p.payout);
    json_put_u64(answer, "since", p.since_ms);
    reply_json(reply, result == ADMIT_CHANGED ? 201 : 200, answer);
}

static json *keys_of(const struct keyring *keys, struct address provider)
{
    json *object = json_new_object(), *delegations = json_new_array(), *revocations = json_new_array();

    for (size_t i = 0; i < keys->delegation_count; i++)
        if (address_eq(keys->delegations[i].provider, provider))
            json_add(delegations, delegation_to_json(&keys->delegations[i]));
    for (size_t i = 0; i < keys->revocation_count; i++)
        if (address_eq(keys->revocations[i].provider, provider))
            json_add(revocations, revocation_to_json(&keys->revocations[i]));
    json_put(object, "delegations", delegations);
    json_put(object, "revocations", revocations);
    return object;
}

void delegations_get(struct request *req, struct reply *reply)
{
    const struct snapshot *snapshot;
    struct address provider;
    struct db *db;

    if (!request_address(req, 0, &provider, reply) || !api_begin(req->api, &db, reply))
        return;
    if (api_catalog(req->api, db, &snapshot, reply)) {
        reply_json(reply, 200, keys_of(catalog_keys(snapshot->catalog), provider));
        snapshot_release(snapshot);
    }
    api_end(req->api, db);
}
