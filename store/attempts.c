/* The signed attempts of a transaction, first and replacements: part of transactions.h. */
#include "store/transactions.h"
#include "store/wei.h"

void attempt_clear(struct attempt_row *a)
{
    buf_clear(&a->raw);
}

bool store_attempt_insert(struct db *db, const struct attempt_row *a, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO attempts (hash, tx, seq, raw, gas, max_fee, max_priority_fee, data_fee,"
                        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_hash(&st, &a->hash.h);
    stmt_bind_u64(&st, a->tx);
    stmt_bind_u64(&st, a->seq);
    stmt_bind_blob(&st, a->raw.data, a->raw.len);
    stmt_bind_u64(&st, a->gas);
    stmt_bind_wei(&st, a->max_fee);
    stmt_bind_wei(&st, a->max_priority_fee);
    stmt_bind_wei(&st, a->data_fee);
    stmt_bind_u64(&st, a->created_at_ms);
    return stmt_exec_one(&st, err);
}

bool store_attempt_sent(struct db *db, struct tx_hash hash, uint64_t now_ms, const char *answer, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE attempts SET sent_at = ?, answer = ? WHERE hash = ?", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    stmt_bind_text(&st, answer);
    stmt_bind_hash(&st, &hash.h);
    return stmt_exec_one(&st, err);
}

static void read_attempt(struct stmt *st, struct attempt_row *a)
{
    a->hash.h = stmt_hash(st);
    a->tx = stmt_u64(st);
    a->seq = stmt_u64(st);
    buf_reset(&a->raw);
    stmt_buf(st, &a->raw);
    a->gas = stmt_u64(st);
    a->max_fee = stmt_wei(st);
    a->max_priority_fee = stmt_wei(st);
    a->data_fee = stmt_wei(st);
    a->created_at_ms = stmt_u64(st);
    a->sent_at_ms = stmt_u64(st);
    stmt_text(st, a->answer, sizeof a->answer);
}

bool store_attempts(struct db *db, uint64_t tx, attempt_fn *visit, void *self, struct err *err)
{
    struct attempt_row a = { 0 };
    bool row = true, ok = true;
    struct stmt st;

    if (!db_prepare(db, "SELECT hash, tx, seq, raw, gas, max_fee, max_priority_fee, data_fee, created_at, sent_at,"
                        " answer"
                        " FROM attempts WHERE tx = ? ORDER BY seq", &st, err))
        return false;
    stmt_bind_u64(&st, tx);
    buf_init(&a.raw);
    err->code = ERR_NONE;
    while ((ok = stmt_step(&st, &row, err)) && row) {
        read_attempt(&st, &a);
        if (!stmt_ok(&st, err) || !visit(self, &a, err)) {      /* visit borrows the raw bytes */
            stmt_end(&st);
            ok = err->code == ERR_NONE;
            break;
        }
    }
    attempt_clear(&a);
    return ok;
}

bool store_tx_unmined_cost(struct db *db, struct address account, uint64_t *count, struct wei *cost, struct err *err)
{
    struct wei sum = { U256_ZERO }, most, data_fee;
    uint64_t rows = 0, gas;
    struct stmt st;
    bool row, ok;

    if (!db_prepare(db, "SELECT a.gas, a.max_fee, a.data_fee FROM transactions t JOIN attempts a ON a.tx = t.id"
                        " WHERE t.account = ? AND t.state BETWEEN ? AND ?"
                        " AND a.seq = (SELECT MAX(seq) FROM attempts WHERE tx = t.id)", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_int(&st, TX_PREPARED);
    stmt_bind_int(&st, TX_SENT);
    while ((ok = stmt_step(&st, &row, err)) && row) {
        gas = stmt_u64(&st);
        most = stmt_wei(&st);
        data_fee = stmt_wei(&st);
        rows++;
        ok = stmt_ok(&st, err);
        if (ok && (!u256_mul_u64(most.v, gas, &most.v) || !u256_add(most.v, data_fee.v, &most.v) || !u256_add(sum.v, most.v, &sum.v)))
            ok = err_set(err, ERR_OVERFLOW, "gas money over 256 bits");
        if (!ok) {
            stmt_end(&st);
            return false;
        }
    }
    if (!ok)
        return false;
    *count = rows;
    *cost = sum;
    return true;
}
