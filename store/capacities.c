/* What providers announce: part of market.h. */
#include "store/market.h"

#define COLUMNS "model, recorded_at, provider, valid_from, valid_until, units_per_second, signature"

static void bind_announcement(struct stmt *st, const struct announcement *a)
{
    const struct capacity *c = &a->capacity;

    stmt_bind_hash(st, &c->model);
    stmt_bind_u64(st, a->recorded_at_ms);
    stmt_bind_address(st, &c->provider);
    stmt_bind_u64(st, c->valid_from_ms);
    stmt_bind_u64(st, c->valid_until_ms);
    stmt_bind_u64(st, c->units_per_second);
    if (a->withdrawn)
        stmt_bind_null(st);
    else
        stmt_bind_signature(st, &a->signature);
}

bool store_capacity_add(struct db *db, const struct announcement *a, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO capacities (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    bind_announcement(&st, a);
    return stmt_exec_one(&st, err);
}

bool store_capacity_restore(struct db *db, const struct announcement *a, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO capacities (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", &st, err))
        return false;
    bind_announcement(&st, a);
    return stmt_exec(&st, NULL, err);
}

static void read_announcement(struct stmt *st, struct announcement *a)
{
    a->capacity.model = stmt_hash(st);
    a->recorded_at_ms = stmt_u64(st);
    a->capacity.provider = stmt_address(st);
    a->capacity.valid_from_ms = stmt_u64(st);
    a->capacity.valid_until_ms = stmt_u64(st);
    a->capacity.units_per_second = stmt_u64(st);
    a->withdrawn = stmt_null(st);
    a->signature = (struct signature){ { 0 } };
    if (!a->withdrawn)
        a->signature = stmt_signature(st);
}

bool store_capacity_last(struct db *db, struct address provider, struct hash model, uint64_t after_ms, struct announcement *a,
                         bool *found, struct err *err)
{
    struct announcement last;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM capacities WHERE model = ? AND recorded_at > ? AND provider = ?"
                        " ORDER BY valid_from DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    stmt_bind_u64(&st, after_ms);
    stmt_bind_address(&st, &provider);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        read_announcement(&st, &last);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *a = last;
    *found = row;
    return true;
}

bool store_capacity_withdraw(struct db *db, struct address provider, uint64_t now_ms, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO capacities (" COLUMNS ")"
                        " SELECT model, ?, provider, MAX(valid_from) + 1, MAX(valid_until), 0, NULL FROM capacities"
                        " WHERE provider = ? AND valid_until > ? GROUP BY model, provider", &st, err))
        return false;
    stmt_bind_u64(&st, now_ms);
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, now_ms);
    return stmt_exec(&st, NULL, err);
}

bool store_capacities(struct db *db, struct hash model, uint64_t after_ms, uint64_t until_ms, announcement_fn *visit, void *self,
                      struct err *err)
{
    struct announcement a;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM capacities WHERE model = ? AND recorded_at > ? AND recorded_at <= ?"
                        " ORDER BY provider, valid_from", &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    stmt_bind_u64(&st, after_ms);
    stmt_bind_u64(&st, until_ms);
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_announcement(&st, &a);
        if (!stmt_ok(&st, err) || !visit(self, &a, err)) {
            stmt_end(&st);
            return false;
        }
    }
    return false;
}

bool store_capacity_next(struct db *db, struct hash model, uint64_t after_ms, uint64_t *recorded_at_ms, bool *found, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT recorded_at FROM capacities WHERE model = ? AND recorded_at > ? ORDER BY recorded_at LIMIT 1",
                    &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    stmt_bind_u64(&st, after_ms);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        *recorded_at_ms = stmt_u64(&st);
    *found = row;
    stmt_end(&st);
    return stmt_ok(&st, err);
}
