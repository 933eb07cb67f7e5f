/* Settlements: what was or will be committed under a sequence.  Their state follows the batch: store_batch_move. */
#include "store/batches.h"

#define COLUMNS "sequence, batch, state, parent, receipts_root, rewards_root, archive, total, receipts, accounts," \
                " prepared_at, header, committed_at, active_at, commit_block"

static bool set_sequence(struct db *db, uint64_t batch, uint64_t sequence, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE batches SET sequence = ? WHERE number = ? AND sequence IS NULL", &st, err))
        return false;
    stmt_bind_u64(&st, sequence);
    stmt_bind_u64(&st, batch);
    return stmt_exec_one(&st, err);
}

bool store_settlement_insert(struct db *db, const struct settlement_row *s, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO settlements (sequence, batch, state, parent, receipts_root, rewards_root,"
                        " archive, total,"
                        " receipts, accounts, prepared_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, s->sequence);
    stmt_bind_u64(&st, s->batch);
    stmt_bind_int(&st, s->state);
    stmt_bind_hash(&st, &s->parent);
    stmt_bind_hash(&st, &s->content.receipts_root);
    stmt_bind_hash(&st, &s->content.rewards_root);
    stmt_bind_hash(&st, &s->content.archive);
    stmt_bind_amount(&st, s->content.total);
    stmt_bind_u64(&st, s->content.receipts);
    stmt_bind_u64(&st, s->accounts);
    stmt_bind_u64(&st, s->prepared_at_ms);
    return stmt_exec_one(&st, err) && set_sequence(db, s->batch, s->sequence, err);
}

bool store_settlement_committed(struct db *db, const struct settlement_row *s, struct err *err)
{
    struct stmt st;

    /* Again after a reorg, with other times and so another header; not once it is active. */
    if (!db_prepare(db, "UPDATE settlements SET header = ?, committed_at = ?, active_at = ?, commit_block = ?"
                        " WHERE sequence = ? AND state IN (?, ?)", &st, err))
        return false;
    stmt_bind_hash(&st, &s->header);
    stmt_bind_u64(&st, s->committed_at_s);
    stmt_bind_u64(&st, s->active_at_s);
    stmt_bind_u64(&st, s->commit_block);
    stmt_bind_u64(&st, s->sequence);
    stmt_bind_int(&st, BATCH_PREPARED);
    stmt_bind_int(&st, BATCH_COMMITTED);
    return stmt_exec_one(&st, err);
}

static void read_settlement(struct stmt *st, struct settlement_row *s)
{
    s->sequence = stmt_u64(st);
    s->batch = stmt_u64(st);
    s->state = (enum batch_state)stmt_enum(st, BATCH_OPEN, BATCH_STATES - 1);
    s->parent = stmt_hash(st);
    s->content.sequence = s->sequence;
    s->content.receipts_root = stmt_hash(st);
    s->content.rewards_root = stmt_hash(st);
    s->content.archive = stmt_hash(st);
    s->content.total = stmt_amount(st);
    s->content.receipts = stmt_u64(st);
    s->accounts = stmt_u64(st);
    s->prepared_at_ms = stmt_u64(st);
    s->has_header = !stmt_null(st);
    s->header = stmt_hash(st);
    s->committed_at_s = stmt_u64(st);
    s->active_at_s = stmt_u64(st);
    s->commit_block = stmt_u64(st);
}

/* Ends st. */
static bool read_one(struct stmt *st, struct settlement_row *s, bool *found, struct err *err)
{
    struct settlement_row got;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row)
        read_settlement(st, &got);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    if (row)
        *s = got;
    *found = row;
    return true;
}

bool store_settlement_find(struct db *db, uint64_t sequence, struct settlement_row *s, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM settlements WHERE sequence = ?", &st, err))
        return false;
    stmt_bind_u64(&st, sequence);
    return read_one(&st, s, found, err);
}

/* The highest with a state from least to most. */
static bool highest_between(struct db *db, enum batch_state least, enum batch_state most, struct settlement_row *s,
                            bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM settlements WHERE state BETWEEN ? AND ? ORDER BY sequence DESC"
                        " LIMIT 1", &st, err))
        return false;
    stmt_bind_int(&st, least);
    stmt_bind_int(&st, most);
    return read_one(&st, s, found, err);
}

bool store_settlement_last(struct db *db, struct settlement_row *s, bool *found, struct err *err)
{
    return highest_between(db, BATCH_OPEN, BATCH_CANCELLED, s, found, err);
}

bool store_settlement_last_valid(struct db *db, struct settlement_row *s, bool *found, struct err *err)
{
    return highest_between(db, BATCH_PREPARED, BATCH_FINAL, s, found, err);
}

bool store_settlement_active(struct db *db, struct settlement_row *s, bool *found, struct err *err)
{
    return highest_between(db, BATCH_ACTIVE, BATCH_FINAL, s, found, err);
}

bool store_settlement_decided(struct db *db, struct settlement_row *s, bool *found, struct err *err)
{
    return highest_between(db, BATCH_ACTIVE, BATCH_CANCELLED, s, found, err);
}

bool store_settlements(struct db *db, uint64_t below_sequence, unsigned limit, settlement_fn *visit, void *self,
                       struct err *err)
{
    struct settlement_row s;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM settlements WHERE sequence < ? ORDER BY sequence DESC LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, below_sequence != 0 ? below_sequence : INT64_MAX);
    stmt_bind_u64(&st, limit);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_settlement(&st, &s);
        if (!stmt_ok(&st, err) || !visit(self, &s, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}
