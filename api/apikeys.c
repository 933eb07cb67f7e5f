/* api/apikeys.c - see apikeys.h. */
#include "api/apikeys.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

struct key_task { const char *who; struct api_key row; };

static bool insert_key(void *self, struct group *group, struct err *err)
{
    struct key_task *t = self;
    char detail[160];

    t->row.created_at_ms = group->now_ms;
    snprintf(detail, sizeof detail, "{\"id\":\"%s\",\"role\":\"%s\"}", t->row.id, t->row.role);
    return store_key_add(group->db, &t->row, err)
        && store_audit_add(group->db, group->now_ms, t->who, "key-add", detail, err);
}

bool apikey_role_is_known(const char *role)
{
    return strcmp(role, "viewer") == 0 || strcmp(role, "operator") == 0 || strcmp(role, "admin") == 0;
}

static void key_digits(struct new_api_key *key, const uint8_t bytes[32])
{
    memcpy(key->text, "qk_", 3);
    hex_encode_bare(bytes, 32, key->text + 3);
}

void apikey_random(struct new_api_key *key)
{
    uint8_t random[32 + 8];

    crypt_random(random, sizeof random);
    key_digits(key, random);
    hex_encode_bare(random + 32, 8, key->id);
    mem_wipe(random, sizeof random);
}

void apikey_derive(struct new_api_key *key, const uint8_t secret[32], const char *again)
{
    struct buf message;
    struct hash bytes;

    buf_init(&message);
    buf_printf(&message, "api key %s %s", key->id, again);
    bytes = hmac_sha256(secret, 32, message.data, message.len);
    key_digits(key, bytes.b);
    mem_wipe(&bytes, sizeof bytes);
    buf_clear(&message);
}

bool apikey_add(struct writer *writer, const char *who, const char *role, const char *name,
                const struct new_api_key *key, struct err *err)
{
    struct key_task task = { .who = who };

    if (!apikey_role_is_known(role))
        return err_set(err, ERR_INVALID, "role: must be viewer, operator or admin");
    if (strlen(name) >= sizeof task.row.name)
        return err_set(err, ERR_INVALID, "name: must have at most %d characters", KEY_NAME_MAX - 1);
    task.row.digest = sha256(key->text, strlen(key->text));
    snprintf(task.row.id, sizeof task.row.id, "%s", key->id);
    snprintf(task.row.role, sizeof task.row.role, "%s", role);
    snprintf(task.row.name, sizeof task.row.name, "%s", name);
    return writer_do(writer, insert_key, &task, err);
}

bool apikey_new(struct writer *writer, const char *who, const char *role, const char *name,
                struct new_api_key *key, struct err *err)
{
    struct new_api_key made;
    bool ok;

    apikey_random(&made);
    ok = apikey_add(writer, who, role, name, &made, err);
    if (ok)
        *key = made;
    mem_wipe(&made, sizeof made);
    return ok;
}
