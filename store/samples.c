#include "store/samples.h"

#define COLUMNS "at, accepted, duplicate, quarantined, rejected, held, unsettled_since, gas, gas_runs"

bool store_sample_add(struct db *db, const struct figures *f, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO samples (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at) DO UPDATE SET"
                        " accepted = excluded.accepted, duplicate = excluded.duplicate, quarantined = excluded.quarantined,"
                        " rejected = excluded.rejected, held = excluded.held, unsettled_since = excluded.unsettled_since,"
                        " gas = excluded.gas, gas_runs = excluded.gas_runs", &st, err))
        return false;
    stmt_bind_u64(&st, f->at_ms);
    stmt_bind_u64(&st, f->accepted);
    stmt_bind_u64(&st, f->duplicate);
    stmt_bind_u64(&st, f->quarantined);
    stmt_bind_u64(&st, f->rejected);
    stmt_bind_u64(&st, f->held);
    stmt_bind_u64(&st, f->unsettled_since_ms);
    if (f->has_gas)
        stmt_bind_amount(&st, (struct amount){ f->gas.v });
    else
        stmt_bind_null(&st);
    if (f->has_gas && f->gas_runs <= INT64_MAX)
        stmt_bind_u64(&st, f->gas_runs);
    else
        stmt_bind_null(&st);
    return stmt_exec_one(&st, err);
}

bool store_samples_drop(struct db *db, uint64_t before_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM samples WHERE at < ?", &st, err))
        return false;
    stmt_bind_u64(&st, before_ms);
    return stmt_exec(&st, NULL, err);
}

static void read_figures(struct stmt *st, struct figures *f)
{
    bool no_runs;

    *f = (struct figures){ .at_ms = stmt_u64(st) };
    f->accepted = stmt_u64(st);
    f->duplicate = stmt_u64(st);
    f->quarantined = stmt_u64(st);
    f->rejected = stmt_u64(st);
    f->held = stmt_u64(st);
    f->unsettled_since_ms = stmt_u64(st);
    f->has_gas = !stmt_null(st);
    if (f->has_gas)
        f->gas.v = stmt_amount(st).base_units;
    else
        (void)stmt_u64(st);
    no_runs = stmt_null(st);
    f->gas_runs = stmt_u64(st);
    if (no_runs)
        f->gas_runs = UINT64_MAX;
}

bool store_samples(struct db *db, uint64_t since_ms, sample_fn *visit, void *self, struct err *err)
{
    struct figures f;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM samples WHERE at >= ? ORDER BY at", &st, err))
        return false;
    stmt_bind_u64(&st, since_ms);
    err->code = ERR_NONE;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_figures(&st, &f);
        if (!stmt_ok(&st, err) || !visit(self, &f, err)) {
            stmt_end(&st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}
