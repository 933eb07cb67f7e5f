/* API keys: made here once, kept as SHA-256 only.
 *
 * With an Idempotency-Key the answer must be the same for 24 hours, yet the key may not lie in the store.  So the kept
 * answer has no key, and apikey_derive makes it again. */
#include <stdio.h>

#include "api/apikeys.h"
#include "api/context.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/list.h"
#include "api/page.h"
#include "api/problem.h"
#include "gateway/base/mem.h"

#define KEY_NAME_CHARACTERS 64

struct wanted { char role[4 * KEY_ROLE_MAX + 1], name[4 * KEY_NAME_CHARACTERS + 1]; };

static json *key_to_json(const char *id, const char *role)
{
    json *object = json_new_object();

    json_put_text(object, "id", id);
    json_put_text(object, "role", role);
    return object;
}

/* Puts the secret into an answer that was kept, or will be, without it. */
static void put_derived(const struct request *req, struct reply *reply)
{
    struct err ignored = { 0 };
    struct new_api_key key;
    const char *id;
    size_t len;
    json *object;

    if (reply->status != 201 || !json_read(buf_text(&reply->body), reply->body.len, &object, &ignored))
        return;
    if (json_get_text(json_member(object, "id"), &id, &len) && len < sizeof key.id) {
        memcpy(key.id, id, len + 1);
        apikey_derive(&key, req->api->config->secret, req->header.idempotency_key);
        json_put_text(object, "key", key.text);
        mem_wipe(&key, sizeof key);
    }
    reply_json(reply, 201, object);
}

static void make_key(struct request *req, const struct wanted *wanted, struct reply *reply)
{
    bool again = req->header.idempotency_key != NULL;
    struct new_api_key key;
    struct err err = { 0 };
    json *object;

    apikey_random(&key);
    if (again)
        apikey_derive(&key, req->api->config->secret, req->header.idempotency_key);
    if (apikey_add(req->api->writer, req->who, wanted->role, wanted->name, &key, &err)) {
        object = key_to_json(key.id, wanted->role);
        if (!again)
            json_put_text(object, "key", key.text);
        reply_json(reply, 201, object);
    } else {
        problem_from_err(reply, &err);
    }
    mem_wipe(&key, sizeof key);
}

void key_post(struct request *req, struct reply *reply)
{
    static const char *const names[] = { "role", "name" };
    struct idempotent run;
    struct wanted wanted;
    struct err err = { 0 };
    json *object;
    bool ok;

    if (!idempotency_begin(req, &run, reply)) {
        put_derived(req, reply);
        return;
    }
    if (request_object(req, names, ARRAY_LEN(names), &object, reply)) {
        ok = field_text(object, "role", REQUIRED, KEY_ROLE_MAX, wanted.role, &err)
          && field_text(object, "name", REQUIRED, KEY_NAME_CHARACTERS, wanted.name, &err);
        json_free(object);
        if (ok)
            make_key(req, &wanted, reply);
        else
            problem(reply, 422, "malformed", "%s", err.text);
    }
    idempotency_end(req, &run, reply);
    if (run.has_key)
        put_derived(req, reply);
}

static bool add_row(void *self, const struct api_key *key, struct err *err)
{
    json *object = key_to_json(key->id, key->role);

    (void)err;
    json_put_text(object, "name", key->name);
    json_put_u64(object, "createdAt", key->created_at_ms);
    return page_add(self, key->id, object);
}

static bool walk(struct db *db, struct page *page, struct err *err)
{
    char after[KEY_ID_MAX] = "";

    if (page->has_after)
        memcpy(after, page->after, sizeof after - 1);
    return store_keys(db, after, page->limit + 1, add_row, page, err);
}

void keys_get(struct request *req, struct reply *reply)
{
    list_reply(req, KEY_ID_MAX, walk, reply);
}

struct old_key { const char *who, *id; bool found; };

static bool delete_key(void *self, struct group *group, struct err *err)
{
    struct old_key *o = self;
    char detail[64];

    if (!store_key_delete(group->db, o->id, &o->found, err))
        return false;
    snprintf(detail, sizeof detail, "{\"id\":\"%s\"}", o->id);
    return !o->found || store_audit_add(group->db, group->now_ms, o->who, "key-delete", detail, err);
}

void key_delete(struct request *req, struct reply *reply)
{
    struct old_key o = { .who = req->who, .id = req->param[0] };
    struct err err = { 0 };

    if (strlen(o.id) >= KEY_ID_MAX || strspn(o.id, "0123456789abcdefghijklmnopqrstuvwxyz_-") != strlen(o.id))
        problem(reply, 404, "not-found", "There is no key of this id.");
    else if (!writer_do(req->api->writer, delete_key, &o, &err))
        problem_from_err(reply, &err);
    else if (o.found)
        reply_empty(reply, 204);
    else
        problem(reply, 404, "not-found", "There is no key of this id.");
}
