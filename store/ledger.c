#include "store/ledger.h"

#include <inttypes.h>

/* What the row of (batch, account, role, model) holds so far; zero without one. */
static bool posting_so_far(struct db *db, uint64_t batch, const struct share *share, struct amount *amount,
                           uint64_t *count, struct err *err)
{
    struct stmt st;
    bool row;

    *amount = AMOUNT_ZERO;
    *count = 0;
    if (!db_prepare(db, "SELECT amount, count FROM postings WHERE batch = ? AND account = ? AND role = ? AND model"
                        " = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &share->account);
    stmt_bind_int(&st, share->role);
    stmt_bind_hash(&st, &share->model);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row) {
        *amount = stmt_amount(&st);
        *count = stmt_u64(&st);
    }
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool set_posting(struct db *db, uint64_t batch, const struct share *share, struct amount amount, uint64_t count,
                        struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO postings (batch, account, role, model, amount, count) VALUES (?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (batch, account, role, model) DO UPDATE SET amount = excluded.amount, count ="
                        " excluded.count", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &share->account);
    stmt_bind_int(&st, share->role);
    stmt_bind_hash(&st, &share->model);
    stmt_bind_amount(&st, amount);
    stmt_bind_u64(&st, count);
    return stmt_exec_later(&st, 1, err);
}

bool store_posting_add(struct db *db, uint64_t batch, const struct share *share, uint64_t count, struct err *err)
{
    struct amount amount;
    uint64_t receipts;

    /* Added here: no database adds 256 bits. */
    if (!posting_so_far(db, batch, share, &amount, &receipts, err))
        return false;
    if (!amount_add(amount, share->amount, &amount))
        return err_set(err, ERR_OVERFLOW, "a posting over 256 bits");
    return set_posting(db, batch, share, amount, receipts + count, err);
}

static bool remove_posting(struct db *db, uint64_t batch, const struct share *share, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM postings WHERE batch = ? AND account = ? AND role = ? AND model = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &share->account);
    stmt_bind_int(&st, share->role);
    stmt_bind_hash(&st, &share->model);
    return stmt_exec_one(&st, err);
}

bool store_posting_take(struct db *db, uint64_t batch, const struct share *share, struct err *err)
{
    struct amount amount;
    uint64_t receipts;

    if (!posting_so_far(db, batch, share, &amount, &receipts, err))
        return false;
    if (receipts == 0 || !amount_sub(amount, share->amount, &amount) || (receipts == 1 && !amount_is_zero(amount)))
        return err_set(err, ERR_BUG, "a posting of batch %" PRIu64 " does not hold what is taken from it", batch);
    return receipts == 1 ? remove_posting(db, batch, share, err) : set_posting(db, batch, share, amount, receipts - 1, err);
}

bool store_postings_clear(struct db *db, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM postings WHERE batch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return stmt_exec(&st, NULL, err);
}

#define COLUMNS "batch, account, role, model, amount, count"

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_postings(struct stmt *st, posting_fn *visit, void *self, struct err *err)
{
    struct posting p;
    bool row;

    err->code = ERR_NONE;
    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        p.batch = stmt_u64(st);
        p.share.account = stmt_address(st);
        p.share.role = (enum role)stmt_enum(st, ROLE_PROVIDER, ROLES - 1);
        p.share.model = stmt_hash(st);
        p.share.amount = stmt_amount(st);
        p.count = stmt_u64(st);
        if (!stmt_ok(st, err) || !visit(self, &p, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_postings_of_batch(struct db *db, uint64_t batch, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE batch = ? ORDER BY account, role, model", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return visit_postings(&st, visit, self, err);
}

bool store_postings_of_account(struct db *db, struct address account, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE account = ? ORDER BY batch, role, model", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    return visit_postings(&st, visit, self, err);
}

bool store_accounts(struct db *db, struct address after, unsigned limit, account_fn *visit, void *self, struct err *err)
{
    struct address account;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT DISTINCT account FROM postings WHERE account > ? ORDER BY account LIMIT ?", &st, err))
        return false;
    stmt_bind_address(&st, &after);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        account = stmt_address(&st);
        if (!stmt_ok(&st, err) || !visit(self, account, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_postings_of_account_in(struct db *db, struct address account, uint64_t batch, posting_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM postings WHERE batch = ? AND account = ? ORDER BY role, model", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_address(&st, &account);
    return visit_postings(&st, visit, self, err);
}

bool store_account_batch_up_to(struct db *db, struct address account, uint64_t bound, uint64_t *batch, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT COALESCE(MAX(batch), 0) FROM postings WHERE account = ? AND batch <= ?", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_u64(&st, bound);
    if (!stmt_step(&st, &row, err))
        return false;
    *batch = row ? stmt_u64(&st) : 0;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_account_held(struct db *db, struct address provider, struct amount *held, struct err *err)
{
    struct amount sum = AMOUNT_ZERO;
    struct stmt st;
    bool row;

    /* The literal 2 (quarantined) lets SQLite use the partial index receipts_held. */
    if (!db_prepare(db, "SELECT amount FROM receipts WHERE state = 2 AND provider = ? AND amount IS NOT NULL", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    while (stmt_step(&st, &row, err)) {
        if (!row) {
            *held = sum;
            return true;
        }
        if (!amount_add(sum, stmt_amount(&st), &sum)) {
            stmt_end(&st);
            return err_set(err, ERR_OVERFLOW, "what is held is over 256 bits");
        }
    }
    return false;
}
