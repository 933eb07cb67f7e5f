/* Answers kept for Idempotency-Key: part of keys.h. */
#include "store/keys.h"

#define KEEP_MS (UINT64_C(24) * 60 * 60 * 1000)

bool store_answer_find(struct db *db, const char *key, const char *scope, uint64_t not_before_ms,
                       struct kept_answer *a, bool *found, struct err *err)
{
    struct kept_answer got = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT body, status, answer FROM idempotency WHERE key = ? AND scope = ? AND recorded_at"
                        " >= ?", &st, err))
        return false;
    stmt_bind_text(&st, key);
    stmt_bind_text(&st, scope);
    stmt_bind_u64(&st, not_before_ms);
    if (!stmt_step(&st, &row, err))
        return false;
    buf_init(&got.answer);
    if (row) {
        got.body = stmt_hash(&st);
        got.status = stmt_int(&st);
        stmt_buf(&st, &got.answer);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err)) {
        buf_clear(&got.answer);
        return false;
    }
    if (row)
        *a = got;
    *found = row;
    return true;
}

/* The table would grow for ever; what is older than a day may be asked for by nobody. */
static bool forget_old(struct db *db, uint64_t now_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM idempotency WHERE recorded_at < ?", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms > KEEP_MS ? now_ms - KEEP_MS : 0);
    return stmt_exec(&st, NULL, err);
}

bool store_answer_add(struct db *db, const char *key, const char *scope, uint64_t now_ms, const struct kept_answer *a,
                      struct err *err)
{
    struct stmt st;

    if (!forget_old(db, now_ms, err)
        || !db_prepare(db, "INSERT INTO idempotency (key, scope, body, status, answer, recorded_at) VALUES (?, ?,"
                           " ?, ?, ?, ?)"
                           " ON CONFLICT (key, scope) DO UPDATE SET body = excluded.body, status = excluded.status,"
                           " answer = excluded.answer, recorded_at = excluded.recorded_at", &st, err))
        return false;
    stmt_bind_text(&st, key);
    stmt_bind_text(&st, scope);
    stmt_bind_hash(&st, &a->body);
    stmt_bind_int(&st, a->status);
    stmt_bind_text(&st, buf_text(&a->answer));
    stmt_bind_u64(&st, now_ms);
    return stmt_exec_one(&st, err);
}
