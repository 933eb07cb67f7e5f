#include "store/batches.h"

#include <assert.h>
#include <inttypes.h>

#include "store/meta.h"
#include "store/sums.h"

#define COLUMNS "number, state, opened_at, closed_at, receipts, amount, protocol_account, sequence"

/* Ends st. */
static bool read_one(struct stmt *st, struct batch_row *batch, bool *found, struct err *err)
{
    struct batch_row got;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row) {
        got.number = stmt_u64(st);
        got.state = (enum batch_state)stmt_enum(st, BATCH_OPEN, BATCH_STATES - 1);
        got.opened_at_ms = stmt_u64(st);
        got.closed_at_ms = stmt_u64(st);
        got.receipts = stmt_u64(st);
        got.amount = stmt_amount(st);
        got.protocol_account = stmt_address(st);
        got.sequence = stmt_u64(st);
    }
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    if (row)
        *batch = got;
    *found = row;
    return true;
}

bool store_batch_find(struct db *db, uint64_t number, struct batch_row *batch, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM batches WHERE number = ?", &st, err))
        return false;
    stmt_bind_u64(&st, number);
    return read_one(&st, batch, found, err);
}

bool store_batch_open(struct db *db, struct batch_row *batch, struct err *err)
{
    struct batch_row got = { 0 };
    uint64_t number = 0;
    bool found = false;

    if (!store_meta_get(db, "open_batch", &number, err) || !store_batch_find(db, number, &got, &found, err))
        return false;
    if (!found || got.state != BATCH_OPEN)
        return err_set(err, ERR_BUG, "batch %" PRIu64 " should be open and is not", number);
    *batch = got;
    return true;
}

bool store_batch_add(struct db *db, uint64_t number, uint64_t receipts, struct amount amount, struct err *err)
{
    struct batch_row batch = { 0 };
    bool found = false;

    if (!store_batch_find(db, number, &batch, &found, err))
        return false;
    return found ? store_batch_add_to(db, &batch, receipts, amount, err) : err_set(err, ERR_BUG, "there is no batch %" PRIu64, number);
}

bool store_batch_add_to(struct db *db, struct batch_row *batch, uint64_t receipts, struct amount amount, struct err *err)
{
    struct amount before = batch->amount;
    struct stmt st;

    if (!amount_add(before, amount, &batch->amount))
        return err_set(err, ERR_OVERFLOW, "batch %" PRIu64 " over 256 bits", batch->number);
    if (!db_prepare(db, "UPDATE batches SET receipts = ?, amount = ? WHERE number = ? AND state = ? AND receipts = ? AND amount = ?",
                    &st, err))
        return false;
    stmt_bind_u64(&st, batch->receipts + receipts);
    stmt_bind_amount(&st, batch->amount);
    stmt_bind_u64(&st, batch->number);
    stmt_bind_int(&st, BATCH_OPEN);
    stmt_bind_u64(&st, batch->receipts);
    stmt_bind_amount(&st, before);
    batch->receipts += receipts;
    return stmt_exec_later(&st, 1, err);
}

bool store_batch_restate(struct db *db, uint64_t number, struct address protocol_account, uint64_t receipts,
                         struct amount amount, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE batches SET protocol_account = ?, receipts = ?, amount = ? WHERE number = ?"
                        " AND state IN (?, ?, ?)", &st, err))
        return false;
    stmt_bind_address(&st, &protocol_account);
    stmt_bind_u64(&st, receipts);
    stmt_bind_amount(&st, amount);
    stmt_bind_u64(&st, number);
    stmt_bind_int(&st, BATCH_OPEN);
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_int(&st, BATCH_CANCELLED);
    return stmt_exec_one(&st, err);
}

static bool insert_open(struct db *db, uint64_t number, uint64_t now_ms, struct address protocol_account,
                        struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO batches (number, state, opened_at, receipts, amount, protocol_account) VALUES"
                        " (?, ?, ?, 0, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, number);
    stmt_bind_int(&st, BATCH_OPEN);
    stmt_bind_u64(&st, now_ms);
    stmt_bind_amount(&st, AMOUNT_ZERO);
    stmt_bind_address(&st, &protocol_account);
    return stmt_exec_one(&st, err);
}

/* What groups beside others left is folded in as each turn begins (sums.h); here it would be too late afterwards. */
static bool nothing_waits(struct db *db, struct err *err)
{
    bool waiting;

    return store_sums_wait(db, &waiting, err) && (!waiting || err_set(err, ERR_BUG, "a batch is to be closed and sums are not in it yet"));
}

bool store_batch_close(struct db *db, uint64_t now_ms, struct address next_protocol_account, struct err *err)
{
    struct batch_row open;
    struct stmt st;

    if (!store_batch_open(db, &open, err) || !nothing_waits(db, err))
        return false;
    if (!db_prepare(db, "UPDATE batches SET state = ?, closed_at = ? WHERE number = ? AND state = ?", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_u64(&st, now_ms);
    stmt_bind_u64(&st, open.number);
    stmt_bind_int(&st, BATCH_OPEN);
    return stmt_exec_one(&st, err)
        && insert_open(db, open.number + 1, now_ms, next_protocol_account, err)
        && store_meta_set(db, "open_batch", open.number + 1, err);
}

bool store_batch_set_protocol_account(struct db *db, struct address account, struct err *err)
{
    struct batch_row open;
    struct stmt st;

    if (!store_batch_open(db, &open, err))
        return false;
    if (address_eq(open.protocol_account, account))
        return true;
    if (open.receipts != 0)
        return err_set(err, ERR_CONFLICT, "batch %" PRIu64 " holds receipts: its protocol account is fixed", open.number);
    if (!db_prepare(db, "UPDATE batches SET protocol_account = ? WHERE number = ? AND state = ? AND receipts = 0", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_u64(&st, open.number);
    stmt_bind_int(&st, BATCH_OPEN);
    return stmt_exec_one(&st, err);
}

bool store_batch_unfinished(struct db *db, struct batch_row *batch, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM batches WHERE state BETWEEN ? AND ? ORDER BY number LIMIT 1", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_int(&st, BATCH_DISTRIBUTED);
    return read_one(&st, batch, found, err);
}

static bool move_settlement(struct db *db, uint64_t batch, enum batch_state from, enum batch_state to, struct err *err)
{
    uint64_t changed = 0;
    struct stmt st;

    /* Prepared settlements are inserted in that state, before or after the move of their batch. */
    if (!db_prepare(db, "UPDATE settlements SET state = ? WHERE state = ?"
                        " AND sequence = (SELECT sequence FROM batches WHERE number = ?)", &st, err))
        return false;
    stmt_bind_int(&st, to);
    stmt_bind_int(&st, from);
    stmt_bind_u64(&st, batch);
    if (!stmt_exec(&st, &changed, err))
        return false;
    return changed == 1 || to == BATCH_CLOSED || to == BATCH_PREPARED
        || err_set(err, ERR_BUG, "batch %" PRIu64 " has no settlement that is %s", batch, batch_state_name(from));
}

bool store_batch_move(struct db *db, uint64_t number, enum batch_state from, enum batch_state to, struct err *err)
{
    struct stmt st;

    assert(batch_may_become(from, to));
    if (!move_settlement(db, number, from, to, err))
        return false;
    /* A cancelled settlement keeps its number; the batch is in none until it is carried into another. */
    if (!db_prepare(db, "UPDATE batches SET state = ?, sequence = CASE WHEN ? = 1 THEN NULL ELSE sequence END"
                        " WHERE number = ? AND state = ?", &st, err))
        return false;
    stmt_bind_int(&st, to);
    stmt_bind_int(&st, to == BATCH_CANCELLED);
    stmt_bind_u64(&st, number);
    stmt_bind_int(&st, from);
    return stmt_exec_one(&st, err);
}

bool store_batch_carry(struct db *db, uint64_t sequence, struct err *err)
{
    struct settlement_row s;
    uint64_t changed = 0;
    bool found = false;
    struct stmt st;

    if (!store_settlement_find(db, sequence, &s, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "there is no settlement %" PRIu64, sequence);
    /* Only by the latest settlement of a batch: an older one was carried before. */
    if (!db_prepare(db, "UPDATE batches SET state = ? WHERE state = ? AND number = ?"
                        " AND ? = (SELECT MAX(sequence) FROM settlements WHERE batch = batches.number AND state ="
                        " ?)", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_CLOSED);
    stmt_bind_int(&st, BATCH_CANCELLED);
    stmt_bind_u64(&st, s.batch);
    stmt_bind_u64(&st, sequence);
    stmt_bind_int(&st, BATCH_CANCELLED);
    if (!stmt_exec(&st, &changed, err))
        return false;
    return changed == 1 || err_set(err, ERR_CONFLICT, "settlement %" PRIu64 " is %s: nothing to carry", sequence,
                                   s.state == BATCH_CANCELLED ? "carried already" : batch_state_name(s.state));
}
