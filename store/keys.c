#include "store/keys.h"

bool store_key_add(struct db *db, const struct api_key *key, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO api_keys (id, digest, role, name, created_at) VALUES (?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_text(&st, key->id);
    stmt_bind_hash(&st, &key->digest);
    stmt_bind_text(&st, key->role);
    stmt_bind_text(&st, key->name);
    stmt_bind_u64(&st, key->created_at_ms);
    return stmt_exec_one(&st, err);
}

bool store_key_delete(struct db *db, const char *id, bool *found, struct err *err)
{
    uint64_t changed = 0;
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM api_keys WHERE id = ?", &st, err))
        return false;
    stmt_bind_text(&st, id);
    if (!stmt_exec(&st, &changed, err))
        return false;
    *found = changed != 0;
    return true;
}

static void read_key(struct stmt *st, struct api_key *key)
{
    stmt_text(st, key->id, sizeof key->id);
    key->digest = stmt_hash(st);
    stmt_text(st, key->role, sizeof key->role);
    stmt_text(st, key->name, sizeof key->name);
    key->created_at_ms = stmt_u64(st);
}

bool store_key_find(struct db *db, struct hash digest, struct api_key *key, bool *found, struct err *err)
{
    struct api_key got;
    struct stmt st;
    bool row;

    /* A handful of keys, so no index; comparing digests in the database leaks nothing that leads to a key. */
    if (!db_prepare(db, "SELECT id, digest, role, name, created_at FROM api_keys WHERE digest = ?", &st, err))
        return false;
    stmt_bind_hash(&st, &digest);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        read_key(&st, &got);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *key = got;
    *found = row;
    return true;
}

bool store_keys(struct db *db, const char *after_id, unsigned limit, key_fn *visit, void *self, struct err *err)
{
    struct api_key key;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT id, digest, role, name, created_at FROM api_keys WHERE id > ? ORDER BY id LIMIT ?", &st, err))
        return false;
    stmt_bind_text(&st, after_id);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_key(&st, &key);
        if (!stmt_ok(&st, err) || !visit(self, &key, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}
