#include "store/market.h"

/* -- markets -- */

static bool open_market(struct db *db, const struct price_version *p, struct err *err)
{
    const struct market_rule *m = &p->market;
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO markets (version, model, window_s, target, dead_band, max_step, floor, ceiling, next,"
                        " multiplier, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", &st, err))
        return false;
    stmt_bind_u64(&st, p->version);
    stmt_bind_hash(&st, &p->model);
    stmt_bind_u64(&st, m->window_s);
    stmt_bind_u64(&st, m->target_bps);
    stmt_bind_u64(&st, m->dead_band_bps);
    stmt_bind_u64(&st, m->max_step_bps);
    stmt_bind_u64(&st, m->floor_bps);
    stmt_bind_u64(&st, m->ceiling_bps);
    stmt_bind_u64(&st, market_first_window(m, p->effective_from_ms, p->recorded_at_ms));
    stmt_bind_amount(&st, (struct amount){ u256_from_u64(MARKET_ONE) });
    return stmt_exec_one(&st, err);
}

static bool add_step(struct db *db, const struct price_version *p, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO price_steps (version, base, from_ms, demand, capacity, multiplier) VALUES (?, ?, ?, ?,"
                        " ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, p->version);
    stmt_bind_u64(&st, p->step.base);
    stmt_bind_u64(&st, p->step.from_ms);
    stmt_bind_amount(&st, (struct amount){ p->step.demand });
    stmt_bind_amount(&st, (struct amount){ p->step.capacity });
    stmt_bind_amount(&st, (struct amount){ p->step.multiplier });
    return stmt_exec_one(&st, err);
}

static bool apply_step(struct db *db, const struct price_version *p, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE markets SET next = ?, multiplier = ? WHERE version = ?", &st, err))
        return false;
    stmt_bind_u64(&st, p->effective_from_ms);
    stmt_bind_amount(&st, (struct amount){ p->step.multiplier });
    stmt_bind_u64(&st, p->step.base);
    return stmt_exec_one(&st, err);
}

bool store_market_of_price(struct db *db, const struct price_version *p, struct err *err)
{
    return (p->market.window_s == 0 || open_market(db, p, err))
        && (p->step.base == 0 || (add_step(db, p, err) && apply_step(db, p, err)));
}

bool store_markets_due(struct db *db, uint64_t now_ms, struct market_row *list, size_t most, size_t *count, struct err *err)
{
    struct stmt st;
    size_t n = 0;
    bool row;

    if (!db_prepare(db, "SELECT version, window_s, next, model, multiplier FROM markets WHERE ended = 0"
                        " AND next + window_s * 1000 <= ? ORDER BY version LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms < INT64_MAX ? now_ms : INT64_MAX);
    stmt_bind_u64(&st, most);
    while (stmt_step(&st, &row, err)) {
        if (!row) {
            *count = n;
            return true;
        }
        list[n].base = stmt_u64(&st);
        list[n].window_s = stmt_u64(&st);
        list[n].next_ms = stmt_u64(&st);
        list[n].model = stmt_hash(&st);
        list[n++].multiplier = stmt_amount(&st).base_units;
    }
    return false;
}

bool store_markets_due_at(struct db *db, uint64_t *due_ms, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT MIN(next + window_s * 1000) FROM markets WHERE ended = 0", &st, err) || !stmt_step(&st, &row, err))
        return false;
    *due_ms = row && !stmt_null(&st) ? stmt_u64(&st) : UINT64_MAX;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_market_move(struct db *db, uint64_t base, uint64_t next_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE markets SET next = ? WHERE version = ?", &st, err))
        return false;
    stmt_bind_u64(&st, next_ms);
    stmt_bind_u64(&st, base);
    return stmt_exec_one(&st, err);
}

bool store_market_end(struct db *db, uint64_t base, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE markets SET ended = 1 WHERE version = ?", &st, err))
        return false;
    stmt_bind_u64(&st, base);
    return stmt_exec_one(&st, err);
}

/* -- demand -- */

bool store_demand(struct db *db, uint64_t base, uint64_t from_ms, struct u256 *units, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT units FROM market_demand WHERE base = ? AND from_ms = ?", &st, err))
        return false;
    stmt_bind_u64(&st, base);
    stmt_bind_u64(&st, from_ms);
    if (!stmt_step(&st, &row, err))
        return false;
    *units = row ? stmt_amount(&st).base_units : U256_ZERO;
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_demand_add(struct db *db, uint64_t base, uint64_t from_ms, struct amount units, struct err *err)
{
    struct u256 before, sum;
    struct stmt st;

    if (!store_demand(db, base, from_ms, &before, err))
        return false;
    if (!u256_add(before, units.base_units, &sum))
        return err_set(err, ERR_OVERFLOW, "a window's demand is over 256 bits");
    if (!db_prepare(db, "INSERT INTO market_demand (base, from_ms, units) VALUES (?, ?, ?)"
                        " ON CONFLICT (base, from_ms) DO UPDATE SET units = excluded.units", &st, err))
        return false;
    stmt_bind_u64(&st, base);
    stmt_bind_u64(&st, from_ms);
    stmt_bind_amount(&st, (struct amount){ sum });
    return stmt_exec_later(&st, 1, err);
}
