#include "store/figures.h"

#include "gateway/core/state.h"

/* The one number of a statement that is bound; 0 where there is no row.  Ends st. */
static bool read_number(struct stmt *st, uint64_t *number, struct err *err)
{
    uint64_t got = 0;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row)
        got = stmt_u64(st);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    *number = got;
    return true;
}

static bool oldest_uncommitted(struct db *db, uint64_t *number, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT number FROM batches WHERE receipts > 0 AND state IN (?, ?, ?, ?) ORDER BY number LIMIT 1", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_OPEN);
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_int(&st, BATCH_PREPARED);
    stmt_bind_int(&st, BATCH_CANCELLED);
    return read_number(&st, number, err);
}

static bool oldest_page(struct db *db, uint64_t batch, uint64_t *accepted_at_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT accepted_at FROM receipt_pages WHERE batch = ? ORDER BY id LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return read_number(&st, accepted_at_ms, err);
}

static bool oldest_row(struct db *db, uint64_t batch, uint64_t *accepted_at_ms, struct err *err)
{
    struct stmt st;

    /* Jobs are kept by their time, and a job is never accepted much before it: the first ones hold the oldest. */
    if (!db_prepare(db, "SELECT MIN(accepted_at) FROM (SELECT accepted_at FROM receipts WHERE batch = ?"
                        " ORDER BY job_id, provider LIMIT 1000) AS oldest", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return read_number(&st, accepted_at_ms, err);
}

bool store_unsettled_since(struct db *db, uint64_t *accepted_at_ms, struct err *err)
{
    uint64_t number = 0, row_ms = 0, page_ms = 0;

    if (!oldest_uncommitted(db, &number, err) || !oldest_row(db, number, &row_ms, err) || !oldest_page(db, number, &page_ms, err))
        return false;
    *accepted_at_ms = page_ms != 0 && (row_ms == 0 || page_ms < row_ms) ? page_ms : row_ms;
    return true;
}

bool store_cancelled_batch(struct db *db, uint64_t *number, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT number FROM batches WHERE state = ? ORDER BY number LIMIT 1", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_CANCELLED);
    return read_number(&st, number, err);
}

static bool add_batch(struct stmt *st, uint64_t since_ms, struct growth *g, struct err *err)
{
    int state = stmt_enum(st, BATCH_OPEN, BATCH_STATES - 1);
    uint64_t opened_at_ms = stmt_u64(st);
    bool is_recent = stmt_null(st);               /* not closed yet */
    struct amount amount;

    is_recent = stmt_u64(st) >= since_ms || is_recent;
    amount = stmt_amount(st);
    if (is_recent && (g->from_ms == 0 || opened_at_ms < g->from_ms))
        g->from_ms = opened_at_ms;
    return ((!is_recent || amount_add(g->recent, amount, &g->recent))
            && ((state != BATCH_OPEN && state != BATCH_CLOSED && state != BATCH_CANCELLED)
                || amount_add(g->uncommitted, amount, &g->uncommitted)))
        || err_set(err, ERR_OVERFLOW, "what batches accrued is over 256 bits");
}

bool store_growth(struct db *db, uint64_t since_ms, struct growth *growth, struct err *err)
{
    struct growth g = { 0 };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT state, opened_at, closed_at, amount FROM batches WHERE closed_at IS NULL OR closed_at >= ?"
                        " OR state IN (?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, since_ms);
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_int(&st, BATCH_CANCELLED);
    for (;;) {
        if (!stmt_step(&st, &row, err))
            return false;
        if (!row)
            break;
        if (!add_batch(&st, since_ms, &g, err)) {
            stmt_end(&st);
            return false;
        }
    }
    if (!stmt_ok(&st, err))
        return false;
    *growth = g;
    return true;
}

bool store_gas_of_run(struct db *db, unsigned runs, uint64_t *gas, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT MAX(gas) FROM (SELECT SUM(gas_used) AS gas FROM transactions WHERE sequence IS NOT NULL"
                        " AND gas_used IS NOT NULL GROUP BY sequence ORDER BY sequence DESC LIMIT ?) AS runs", &st, err))
        return false;
    stmt_bind_u64(&st, runs);
    return read_number(&st, gas, err);
}

bool store_has_rewards_root(struct db *db, struct hash root, bool *has, struct err *err)
{
    uint64_t sequence = 0;
    struct stmt st;

    /* Newest first: the root that is asked for is nearly always the last. */
    if (!db_prepare(db, "SELECT sequence FROM settlements WHERE rewards_root = ? ORDER BY sequence DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_hash(&st, &root);
    if (!read_number(&st, &sequence, err))
        return false;
    *has = sequence != 0;
    return true;
}
