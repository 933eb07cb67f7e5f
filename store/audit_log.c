/* Who did what: part of keys.h. */
#include "store/keys.h"

bool store_audit_add(struct db *db, uint64_t now_ms, const char *who, const char *action, const char *detail_json,
                     struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO audit_log (at, who, action, detail) VALUES (?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    stmt_bind_text(&st, who);
    stmt_bind_text(&st, action);
    stmt_bind_text(&st, detail_json);
    return stmt_exec_one(&st, err);
}

bool store_audit_list(struct db *db, uint64_t below_id, unsigned limit, audit_fn *visit, void *self, struct err *err)
{
    struct audit_entry e;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT id, at, who, action, detail FROM audit_log WHERE id < ? ORDER BY id DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, below_id != 0 ? below_id : INT64_MAX);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        e.id = stmt_u64(&st);
        e.at_ms = stmt_u64(&st);
        stmt_text(&st, e.who, sizeof e.who);
        stmt_text(&st, e.action, sizeof e.action);
        stmt_text(&st, e.detail, sizeof e.detail);
        if (!stmt_ok(&st, err) || !visit(self, &e, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}
