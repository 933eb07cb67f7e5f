#include "store/meta.h"

bool store_meta_get(struct db *db, const char *key, uint64_t *value, struct err *err)
{
    uint64_t got = 0;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT value FROM meta WHERE key = ?", &st, err))
        return false;
    stmt_bind_text(&st, key);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        got = stmt_u64(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *value = got;
    return true;
}

bool store_meta_set(struct db *db, const char *key, uint64_t value, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO meta (key, value) VALUES (?, ?)"
                        " ON CONFLICT (key) DO UPDATE SET value = excluded.value", &st, err))
        return false;
    stmt_bind_text(&st, key);
    stmt_bind_u64(&st, value);
    return stmt_exec_later(&st, 1, err);
}

bool store_settings_changed(struct db *db, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "INSERT INTO meta (key, value) VALUES ('settings', 1)"
                          " ON CONFLICT (key) DO UPDATE SET value = meta.value + 1", &st, err)
        && stmt_exec_later(&st, 1, err) && db_tell_others(db, err);
}

bool store_meta_group(struct db *db, struct last_group *last, struct err *err)
{
    uint64_t got[4] = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT (SELECT value FROM meta WHERE key = 'group'), (SELECT value FROM meta WHERE key = 'group_ms'),"
                        " (SELECT value FROM meta WHERE key = 'clock_ms'), (SELECT value FROM meta WHERE key = 'writers_since')", &st, err)
        || !stmt_step(&st, &row, err))
        return false;
    for (size_t i = 0; row && i < ARRAY_LEN(got); i++)
        got[i] = stmt_u64(&st);
    stmt_end(&st);
    *last = (struct last_group){ got[0], got[1], got[2], got[3] };
    return stmt_ok(&st, err);
}

bool store_meta_set_group(struct db *db, uint64_t number, uint64_t now_ms, uint64_t clock_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO meta (key, value) VALUES ('group', ?), ('group_ms', ?), ('clock_ms', ?)"
                        " ON CONFLICT (key) DO UPDATE SET value = excluded.value", &st, err))
        return false;
    stmt_bind_u64(&st, number);
    stmt_bind_u64(&st, now_ms);
    stmt_bind_u64(&st, clock_ms);
    return stmt_exec_later(&st, 3, err);
}
