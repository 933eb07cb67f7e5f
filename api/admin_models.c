#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/model_shape.h"
#include "api/problem.h"
#include "gateway/intake/admit.h"

void model_verify(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "creator" };
    struct address creator;
    struct hash digest;
    struct model verified;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!request_hash(req, 0, &digest, reply) || !request_object(req, names, ARRAY_LEN(names), &object, reply))
        return;
    ok = field_address(object, "creator", REQUIRED, &creator, &err);
    json_free(object);
    if (!ok)
        problem(reply, 422, "malformed", "%s", err.text);
    else if (verify_model(req->api->intake, req->who, digest, creator, &verified, &err))
        model_reply(req->api, digest, creator, 200, reply);
    else
        problem_from_err(reply, &err);
}
