#include "store/promise_signers.h"

static bool is_current(struct db *db, struct address address, bool *same, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT address FROM promise_signers WHERE until IS NULL", &st, err) || !stmt_step(&st, &row, err))
        return false;
    *same = row && address_eq(stmt_address(&st), address);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool end_current(struct db *db, uint64_t now_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE promise_signers SET until = ? WHERE until IS NULL", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    return stmt_exec(&st, NULL, err);
}

bool store_promise_signer_set(struct db *db, struct address address, uint64_t now_ms, struct err *err)
{
    struct stmt st;
    bool same;

    if (!is_current(db, address, &same, err))
        return false;
    if (same)
        return true;
    if (!end_current(db, now_ms, err)
        || !db_prepare(db, "INSERT INTO promise_signers (since, until, address) VALUES (?, NULL, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    stmt_bind_address(&st, &address);
    return stmt_exec_one(&st, err);
}

bool store_promise_signers(struct db *db, promise_signer_fn *visit, void *self, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT address, since, until FROM promise_signers ORDER BY since", &st, err))
        return false;
    while (stmt_step(&st, &row, err)) {
        struct promise_signer s;

        if (!row)
            return true;
        s.address = stmt_address(&st);
        s.from_ms = stmt_u64(&st);
        s.until_ms = stmt_u64(&st);           /* NULL reads as 0 */
        if (!stmt_ok(&st, err) || !visit(self, &s, err)) {
            stmt_end(&st);
            return false;
        }
    }
    return false;
}
