/* The pool's settings and epochs; popularity_fees.c holds the sums. */
#include "store/popularity.h"

#include "gateway/core/state.h"

/* -- settings -- */

bool store_pool_settings_add(struct db *db, uint64_t since_ms, const struct pool_settings *s, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO popularity_terms (since, epoch_ms, budget, cap_bps) VALUES (?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, since_ms);
    stmt_bind_u64(&st, s->epoch_ms);
    stmt_bind_amount(&st, s->budget);
    stmt_bind_int(&st, s->cap_bps);
    return stmt_exec_one(&st, err);
}

/* Ends st. */
static bool read_settings(struct stmt *st, uint64_t *since_ms, struct pool_settings *s, bool *found, struct err *err)
{
    struct pool_settings got = { 0 };
    uint64_t since = 0;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row) {
        since = stmt_u64(st);
        got.epoch_ms = stmt_u64(st);
        got.budget = stmt_amount(st);
        got.cap_bps = (uint16_t)stmt_enum(st, 0, BPS);
    }
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    *since_ms = since;
    *s = got;
    *found = row;
    return true;
}

#define SETTINGS "since, epoch_ms, budget, cap_bps"

bool store_pool_settings_at(struct db *db, uint64_t at_ms, struct pool_settings *s, bool *found, struct err *err)
{
    uint64_t since_ms;
    struct stmt st;

    if (!db_prepare(db, "SELECT " SETTINGS " FROM popularity_terms WHERE since <= ? ORDER BY since DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, at_ms);
    return read_settings(&st, &since_ms, s, found, err);
}

bool store_pool_settings_on_after(struct db *db, uint64_t after_ms, uint64_t *since_ms, struct pool_settings *s, bool *found,
                                  struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " SETTINGS " FROM popularity_terms WHERE since > ? AND budget <> ? ORDER BY since LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, after_ms);
    stmt_bind_amount(&st, AMOUNT_ZERO);
    return read_settings(&st, since_ms, s, found, err);
}

/* -- epochs -- */

#define COLUMNS "epoch, begins, ends, budget, cap_bps, batch, carried_in, carried_out"

static void read_columns(struct stmt *st, struct epoch_row *row)
{
    row->terms.epoch = stmt_u64(st);
    row->terms.begins_ms = stmt_u64(st);
    row->terms.ends_ms = stmt_u64(st);
    row->terms.budget = stmt_amount(st);
    row->terms.cap_bps = (uint16_t)stmt_enum(st, 0, BPS);
    row->batch = stmt_u64(st);
    row->carried_in = stmt_amount(st);
    row->carried_out = stmt_amount(st);
}

/* Ends st. */
static bool read_one(struct stmt *st, struct epoch_row *out, bool *found, struct err *err)
{
    struct epoch_row got = { 0 };
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    if (row)
        read_columns(st, &got);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    *out = got;
    *found = row;
    return true;
}

static bool visit_epochs(struct stmt *st, epoch_fn *visit, void *self, struct err *err)
{
    struct epoch_row got;
    bool row;

    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_columns(st, &got);
        if (!stmt_ok(st, err) || !visit(self, &got, err)) {
            stmt_end(st);
            return false;
        }
    }
    return false;
}

bool store_epoch_add(struct db *db, const struct popularity_terms *terms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO popularity_epochs (epoch, begins, ends, budget, cap_bps) VALUES (?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, terms->epoch);
    stmt_bind_u64(&st, terms->begins_ms);
    stmt_bind_u64(&st, terms->ends_ms);
    stmt_bind_amount(&st, terms->budget);
    stmt_bind_int(&st, terms->cap_bps);
    return stmt_exec_one(&st, err);
}

static bool add_share(struct db *db, uint64_t epoch, const struct popularity_row *row, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO popularity_shares (model, epoch, score, fees, share) VALUES (?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_hash(&st, &row->model);
    stmt_bind_u64(&st, epoch);
    stmt_bind_amount(&st, (struct amount){ row->score });
    stmt_bind_amount(&st, row->fees);
    stmt_bind_amount(&st, row->share);
    return stmt_exec_one(&st, err);
}

bool store_epoch_booked(struct db *db, const struct popularity *p, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE popularity_epochs SET batch = ?, carried_in = ?, carried_out = ? WHERE epoch = ? AND batch IS NULL",
                    &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_amount(&st, p->carried_in);
    stmt_bind_amount(&st, p->carried_out);
    stmt_bind_u64(&st, p->terms.epoch);
    if (!stmt_exec_one(&st, err))
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (!add_share(db, p->terms.epoch, &p->rows[i], err))
            return false;
    return true;
}

bool store_epoch_move(struct db *db, uint64_t epoch, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE popularity_epochs SET batch = ? WHERE epoch = ? AND batch IS NOT NULL", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, epoch);
    return stmt_exec_one(&st, err);
}

bool store_epoch_find(struct db *db, uint64_t epoch, struct epoch_row *row, bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE epoch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    return read_one(&st, row, found, err);
}

bool store_epoch_last(struct db *db, struct epoch_row *row, bool *found, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs ORDER BY epoch DESC LIMIT 1", &st, err)
        && read_one(&st, row, found, err);
}

bool store_epoch_of_time(struct db *db, uint64_t at_ms, struct epoch_row *row, bool *found, struct err *err)
{
    struct stmt st;

    /* Nearly always the newest or the one before: epochs follow each other as their numbers do. */
    if (!db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE begins <= ? ORDER BY epoch DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, at_ms);
    if (!read_one(&st, row, found, err))
        return false;
    *found = *found && at_ms < row->terms.ends_ms;
    return true;
}

bool store_epoch_unbooked(struct db *db, struct epoch_row *row, bool *found, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE batch IS NULL ORDER BY epoch LIMIT 1", &st, err)
        && read_one(&st, row, found, err);
}

bool store_epoch_last_booked(struct db *db, struct epoch_row *row, bool *found, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE batch IS NOT NULL ORDER BY epoch DESC LIMIT 1", &st, err)
        && read_one(&st, row, found, err);
}

bool store_epochs_of_batch(struct db *db, uint64_t batch, epoch_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE batch = ? ORDER BY epoch", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return visit_epochs(&st, visit, self, err);
}

bool store_epochs_unbooked_before(struct db *db, uint64_t begun_ms, uint64_t batch, epoch_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM popularity_epochs WHERE begins <= ? AND (batch IS NULL OR batch >= ?) ORDER BY epoch",
                    &st, err))
        return false;
    stmt_bind_u64(&st, begun_ms);
    stmt_bind_u64(&st, batch);
    return visit_epochs(&st, visit, self, err);
}

bool store_epoch_is_unsettled(struct db *db, const struct popularity_terms *terms, bool *unsettled, struct err *err)
{
    struct stmt st;
    bool row;

    /* A batch takes receipts from when it opens.  One that was restored may have opened earlier than it says, so what the
     * epoch's own jobs lie in counts too. */
    if (!db_prepare(db, "SELECT number FROM batches b WHERE state NOT IN (?, ?, ?) AND ("
                        "(receipts > 0 AND (opened_at < ? OR EXISTS"
                        " (SELECT 1 FROM popularity_fees f WHERE f.epoch = ? AND f.batch = b.number)))"
                        " OR (state <> ? AND EXISTS (SELECT 1 FROM popularity_epochs e WHERE e.batch = b.number))) LIMIT 1", &st, err))
        return false;
    stmt_bind_int(&st, BATCH_ACTIVE);
    stmt_bind_int(&st, BATCH_DISTRIBUTED);
    stmt_bind_int(&st, BATCH_FINAL);
    stmt_bind_u64(&st, terms->ends_ms);
    stmt_bind_u64(&st, terms->epoch);
    stmt_bind_int(&st, BATCH_OPEN);
    if (!stmt_step(&st, &row, err))
        return false;
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *unsettled = row;
    return true;
}
