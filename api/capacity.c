#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "gateway/intake/offer.h"

#define TIME_MAX ((UINT64_C(1) << 53) - 1)

static const char *const members[] = { "provider", "model", "unitsPerSecond", "validFrom", "validUntil", "signature" };

static bool read_announcement(const json *object, struct announcement *a, struct err *err)
{
    struct capacity *c = &a->capacity;

    if (!json_get_hash(json_member(object, "model"), &c->model))
        return err_set(err, ERR_INVALID, "model: a string of 0x and 64 hex digits");
    if (!json_get_signature(json_member(object, "signature"), &a->signature))
        return err_set(err, ERR_INVALID, "signature: a string of 0x and 130 hex digits");
    return field_address(object, "provider", REQUIRED, &c->provider, err)
        && field_number(object, "unitsPerSecond", 0, CAPACITY_UNITS_MAX, &c->units_per_second, err)
        && field_number(object, "validFrom", 1, TIME_MAX, &c->valid_from_ms, err)
        && field_number(object, "validUntil", 1, TIME_MAX, &c->valid_until_ms, err);
}

static json *to_json(const struct announcement *a)
{
    const struct capacity *c = &a->capacity;
    json *object = json_new_object();

    json_put_address(object, "provider", c->provider);
    json_put_hash(object, "model", c->model);
    json_put_u64(object, "unitsPerSecond", c->units_per_second);
    json_put_u64(object, "validFrom", c->valid_from_ms);
    json_put_u64(object, "validUntil", c->valid_until_ms);
    json_put_signature(object, "signature", &a->signature);
    json_put_u64(object, "recordedAt", a->recorded_at_ms);
    return object;
}

void capacity_post(struct request *req, struct reply *reply)
{
    struct announcement a = { 0 };
    enum admit_result result;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_object(req, members, ARRAY_LEN(members), &object, reply))
        return;
    ok = read_announcement(object, &a, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (announce_capacity(req->api->intake, &a, &result, &err))
        reply_json(reply, result == ADMIT_SAME ? 200 : 201, to_json(&a));
    else
        problem_from_err(reply, &err);
}
