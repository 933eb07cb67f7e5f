#include "store/transactions.h"

#include <assert.h>
#include <inttypes.h>

#include "store/leaves.h"
#include "store/wei.h"

bool store_tx_next_nonce(struct db *db, struct address account, uint64_t chain_nonce, uint64_t *nonce, struct err *err)
{
    uint64_t highest = 0;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT MAX(nonce) FROM transactions WHERE account = ?", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    if (!stmt_step(&st, &row, err))
        return false;
    row = !stmt_null(&st);                     /* MAX of no rows is NULL */
    if (row)
        highest = stmt_u64(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *nonce = row && highest + 1 > chain_nonce ? highest + 1 : chain_nonce;
    return true;
}

static bool insert_transaction(struct db *db, const struct transaction_row *t, uint64_t *id, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO transactions (account, nonce, kind, sequence, state, created_at)"
                        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id", &st, err))
        return false;
    stmt_bind_address(&st, &t->account);
    stmt_bind_u64(&st, t->nonce);
    stmt_bind_text(&st, t->kind);
    if (t->sequence != 0)
        stmt_bind_u64(&st, t->sequence);
    else
        stmt_bind_null(&st);
    stmt_bind_int(&st, TX_PREPARED);
    stmt_bind_u64(&st, t->created_at_ms);
    if (stmt_exec_id(&st, id, err))
        return true;
    if (err->code == ERR_CONFLICT)
        (void)err_set(err, ERR_CONFLICT, "nonce %" PRIu64 " has a transaction already", t->nonce);
    return false;
}

static bool insert_set_account(struct db *db, uint64_t tx, const struct reward_leaf *leaf, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO set_accounts (tx, account, claimable) VALUES (?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, tx);
    stmt_bind_address(&st, &leaf->account);
    stmt_bind_amount(&st, leaf->claimable);
    return stmt_exec_one(&st, err);
}

bool store_tx_insert(struct db *db, struct transaction_row *t, const struct attempt_row *first,
                     const struct reward_leaves *set, struct err *err)
{
    struct attempt_row attempt = *first;      /* raw is borrowed */
    uint64_t id;

    if (!insert_transaction(db, t, &id, err))
        return false;
    attempt.tx = id;
    if (!store_attempt_insert(db, &attempt, err))
        return false;
    for (size_t i = 0; set != NULL && i < set->count; i++)
        if (!insert_set_account(db, id, &set->list[i], err))
            return false;
    t->id = id;
    t->state = TX_PREPARED;
    return true;
}

bool store_tx_move(struct db *db, uint64_t id, enum tx_state from, enum tx_state to, struct err *err)
{
    struct stmt st;

    assert(tx_may_become(from, to));
    if (!db_prepare(db, "UPDATE transactions SET state = ? WHERE id = ? AND state = ?", &st, err))
        return false;
    stmt_bind_int(&st, to);
    stmt_bind_u64(&st, id);
    stmt_bind_int(&st, from);
    return stmt_exec_one(&st, err);
}

bool store_tx_mined(struct db *db, const struct transaction_row *t, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE transactions SET state = ?, block = ?, block_hash = ?, mined = ?, gas_used = ?,"
                        " gas_price = ?, l1_fee = ?, taken_by = NULL"
                        " WHERE id = ? AND state IN (?, ?)", &st, err))
        return false;
    stmt_bind_int(&st, TX_MINED);
    stmt_bind_u64(&st, t->block);
    stmt_bind_hash(&st, &t->block_hash);
    stmt_bind_hash(&st, &t->mined.h);
    stmt_bind_u64(&st, t->gas_used);
    stmt_bind_wei(&st, t->gas_price);
    stmt_bind_wei(&st, t->l1_fee);
    stmt_bind_u64(&st, t->id);
    stmt_bind_int(&st, TX_SENT);
    stmt_bind_int(&st, TX_FOREIGN);
    return stmt_exec_one(&st, err);
}

bool store_tx_unmined(struct db *db, uint64_t id, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE transactions SET state = ?, block = NULL, block_hash = NULL, mined = NULL, gas_used"
                        " = NULL,"
                        " gas_price = NULL, l1_fee = NULL WHERE id = ? AND state = ?", &st, err))
        return false;
    stmt_bind_int(&st, TX_SENT);
    stmt_bind_u64(&st, id);
    stmt_bind_int(&st, TX_MINED);
    return stmt_exec_one(&st, err);
}

bool store_tx_foreign(struct db *db, uint64_t id, const struct tx_hash *by, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE transactions SET state = ?, taken_by = ? WHERE id = ? AND state = ?", &st, err))
        return false;
    stmt_bind_int(&st, TX_FOREIGN);
    if (by != NULL)
        stmt_bind_hash(&st, &by->h);
    else
        stmt_bind_null(&st);
    stmt_bind_u64(&st, id);
    stmt_bind_int(&st, TX_SENT);
    return stmt_exec_one(&st, err);
}

#define COLUMNS "id, account, nonce, kind, sequence, state, created_at, block, block_hash, mined, gas_used, gas_price, l1_fee," \
                " taken_by"

static void read_transaction(struct stmt *st, struct transaction_row *t)
{
    t->id = stmt_u64(st);
    t->account = stmt_address(st);
    t->nonce = stmt_u64(st);
    stmt_text(st, t->kind, sizeof t->kind);
    t->sequence = stmt_u64(st);
    t->state = (enum tx_state)stmt_enum(st, TX_PREPARED, TX_STATES - 1);
    t->created_at_ms = stmt_u64(st);
    t->block = stmt_u64(st);
    t->block_hash = stmt_hash(st);
    t->mined.h = stmt_hash(st);
    t->gas_used = stmt_u64(st);
    t->gas_price = stmt_wei(st);
    t->l1_fee = stmt_wei(st);
    t->taken_by.h = stmt_hash(st);
}

/* Ends st. */
static bool read_one(struct stmt *st, struct transaction_row *t, bool *found, struct err *err)
{
    struct transaction_row got;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row)
        read_transaction(st, &got);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    if (row)
        *t = got;
    *found = row;
    return true;
}

bool store_tx_find(struct db *db, uint64_t id, struct transaction_row *t, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    return read_one(&st, t, found, err);
}

bool store_tx_at(struct db *db, struct address account, uint64_t nonce, struct transaction_row *t, bool *found,
                 struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE account = ? AND nonce = ?", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    stmt_bind_u64(&st, nonce);
    return read_one(&st, t, found, err);
}

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_transactions(struct stmt *st, transaction_fn *visit, void *self, struct err *err)
{
    struct transaction_row t;
    bool row;

    err->code = ERR_NONE;
    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_transaction(st, &t);
        if (!stmt_ok(st, err) || !visit(self, &t, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_tx_open(struct db *db, transaction_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE state BETWEEN ? AND ? OR (state = ?"
                        " AND sequence IN (SELECT sequence FROM settlements WHERE state BETWEEN ? AND ?))"
                        " ORDER BY account, nonce", &st, err))
        return false;
    stmt_bind_int(&st, TX_PREPARED);
    stmt_bind_int(&st, TX_MINED);
    stmt_bind_int(&st, TX_FOREIGN);
    stmt_bind_int(&st, BATCH_PREPARED);
    stmt_bind_int(&st, BATCH_DISTRIBUTED);
    return visit_transactions(&st, visit, self, err);
}

bool store_tx_of_sequence(struct db *db, uint64_t sequence, transaction_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE sequence = ? ORDER BY id", &st, err))
        return false;
    stmt_bind_u64(&st, sequence);
    return visit_transactions(&st, visit, self, err);
}

bool store_tx_in_state(struct db *db, enum tx_state state, unsigned limit, transaction_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE state = ? ORDER BY id DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_int(&st, state);
    stmt_bind_u64(&st, limit);
    return visit_transactions(&st, visit, self, err);
}

bool store_tx_list(struct db *db, uint64_t below_id, unsigned limit, transaction_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM transactions WHERE id < ? ORDER BY id DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, below_id != 0 ? below_id : INT64_MAX);
    stmt_bind_u64(&st, limit);
    return visit_transactions(&st, visit, self, err);
}

bool store_set_load(struct db *db, uint64_t tx, struct reward_leaves *set, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT account, claimable FROM set_accounts WHERE tx = ? ORDER BY account", &st, err))
        return false;
    stmt_bind_u64(&st, tx);
    return reward_leaves_read(&st, set, err);
}
