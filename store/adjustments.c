#include "store/adjustments.h"

#include <inttypes.h>
#include <limits.h>

#include "store/batches.h"
#include "store/ledger.h"

bool store_adjustment_post(struct db *db, const struct adjustment *a, struct err *err)
{
    struct share credit = adjustment_credit(a), debit = adjustment_debit(a);

    return store_posting_add(db, a->batch, &credit, 1, err) && store_posting_add(db, a->batch, &debit, 1, err);
}

static bool insert(struct db *db, struct adjustment *a, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO adjustments (id, batch, account, counter_account, up, amount, reason, receipt, recorded_at)"
                        " VALUES (COALESCE(?, (SELECT COALESCE(MAX(id), 0) + 1 FROM adjustments)), ?, ?, ?, ?, ?, ?, ?, ?)"
                        " RETURNING id", &st, err))
        return false;
    if (a->id != 0)
        stmt_bind_u64(&st, a->id);
    else
        stmt_bind_null(&st);
    stmt_bind_u64(&st, a->batch);
    stmt_bind_address(&st, &a->account);
    stmt_bind_address(&st, &a->counter_account);
    stmt_bind_int(&st, a->up);
    stmt_bind_amount(&st, a->amount);
    stmt_bind_text(&st, a->reason);
    if (a->has_receipt)
        stmt_bind_hash(&st, &a->receipt);
    else
        stmt_bind_null(&st);
    stmt_bind_u64(&st, a->recorded_at_ms);
    return stmt_exec_id(&st, &a->id, err);
}

bool store_adjustment_add(struct db *db, struct adjustment *a, struct err *err)
{
    return insert(db, a, err) && store_adjustment_post(db, a, err);
}

bool store_adjustment_rebatch(struct db *db, uint64_t id, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE adjustments SET batch = ? WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, id);
    return stmt_exec_one(&st, err);
}

/* -- reading -- */

#define COLUMNS "id, batch, account, counter_account, up, amount, reason, receipt, recorded_at"

static void read_row(struct stmt *st, struct adjustment *a)
{
    a->id = stmt_u64(st);
    a->batch = stmt_u64(st);
    a->account = stmt_address(st);
    a->counter_account = stmt_address(st);
    a->up = stmt_enum(st, 0, 1) != 0;
    a->amount = stmt_amount(st);
    stmt_text(st, a->reason, sizeof a->reason);
    a->has_receipt = !stmt_null(st);
    a->receipt = stmt_hash(st);
    a->recorded_at_ms = stmt_u64(st);
}

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_rows(struct stmt *st, adjustment_fn *visit, void *self, struct err *err)
{
    struct adjustment a;
    bool row;

    err->code = ERR_NONE;
    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_row(st, &a);
        if (!stmt_ok(st, err) || !visit(self, &a, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_adjustments(struct db *db, uint64_t after_id, unsigned limit, adjustment_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM adjustments WHERE id > ? ORDER BY id LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, after_id);
    stmt_bind_u64(&st, limit);
    return visit_rows(&st, visit, self, err);
}

bool store_adjustments_of_batch(struct db *db, uint64_t batch, adjustment_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM adjustments WHERE batch = ? ORDER BY id", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return visit_rows(&st, visit, self, err);
}

struct finding { struct adjustment *a; bool found; };

static bool take(void *self, const struct adjustment *a, struct err *err)
{
    struct finding *f = self;

    (void)err;
    *f->a = *a;
    f->found = true;
    return false;
}

bool store_adjustment_find(struct db *db, uint64_t id, struct adjustment *a, bool *found, struct err *err)
{
    struct finding f = { .a = a };
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM adjustments WHERE id = ?", &st, err))
        return false;
    stmt_bind_u64(&st, id);
    if (!visit_rows(&st, take, &f, err))
        return false;
    *found = f.found;
    return true;
}

struct summing { struct amount up; uint64_t count; };

static bool add(void *self, const struct adjustment *a, struct err *err)
{
    struct summing *s = self;

    s->count++;
    return !a->up || amount_add(s->up, a->amount, &s->up) || err_set(err, ERR_OVERFLOW, "corrections over 256 bits");
}

bool store_adjusted(struct db *db, uint64_t batch, struct amount *up, uint64_t *count, struct err *err)
{
    struct summing s = { AMOUNT_ZERO, 0 };

    if (!store_adjustments_of_batch(db, batch, add, &s, err))
        return false;
    *up = s.up;
    *count = s.count;
    return true;
}

/* -- debts -- */

bool store_debts_insert(struct db *db, uint64_t sequence, const struct debts *debts, struct err *err)
{
    struct stmt st;

    for (size_t i = 0; i < debts->count; i++) {
        if (!db_prepare(db, "INSERT INTO debts (sequence, account, amount) VALUES (?, ?, ?)", &st, err))
            return false;
        stmt_bind_u64(&st, sequence);
        stmt_bind_address(&st, &debts->list[i].account);
        stmt_bind_amount(&st, debts->list[i].amount);
        if (!stmt_exec_one(&st, err))
            return false;
    }
    return true;
}

static bool find_holder(struct db *db, uint64_t sequence, struct address *holder, struct err *err)
{
    struct settlement_row settlement;
    struct batch_row batch;
    bool found;

    if (!store_settlement_find(db, sequence, &settlement, &found, err))
        return false;
    if (found && !store_batch_find(db, settlement.batch, &batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "settlement %" PRIu64 " is missing", sequence);
    *holder = batch.protocol_account;
    return true;
}

bool store_debts_load(struct db *db, uint64_t sequence, struct debts *debts, struct err *err)
{
    struct debts got = { 0 };
    struct stmt st;
    bool row;

    if (sequence == 0) {
        *debts = got;
        return true;
    }
    if (!find_holder(db, sequence, &got.holder, err)
        || !db_prepare(db, "SELECT account, amount FROM debts WHERE sequence = ? ORDER BY account", &st, err))
        return false;
    stmt_bind_u64(&st, sequence);
    while (stmt_step(&st, &row, err)) {
        struct address account;

        if (!row) {
            *debts = got;
            return true;
        }
        account = stmt_address(&st);
        debts_add(&got, account, stmt_amount(&st));
    }
    debts_clear(&got);
    return false;
}
