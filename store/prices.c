#include "store/catalog.h"

#include "store/market.h"
#include "store/meta.h"

#define PRICES_SIZE (METER_COUNT * 32)
#define SPLIT_SIZE (SPLIT_PARTS * 2)

struct packed { uint8_t prices[PRICES_SIZE], split[SPLIT_SIZE]; };

/* All columns but the version; packed holds the bytes until the statement ends. */
static void bind_price(struct stmt *st, const struct price_version *p, struct packed *packed)
{
    for (size_t i = 0; i < METER_COUNT; i++)
        u256_to_be(p->per_million[i].base_units, packed->prices + i * 32);
    for (size_t i = 0; i < SPLIT_PARTS; i++) {
        packed->split[2 * i] = (uint8_t)(p->split_bps[i] >> 8);
        packed->split[2 * i + 1] = (uint8_t)p->split_bps[i];
    }
    if (p->any_model)
        stmt_bind_null(st);
    else
        stmt_bind_hash(st, &p->model);
    stmt_bind_u64(st, p->effective_from_ms);
    stmt_bind_u64(st, p->recorded_at_ms);
    stmt_bind_text(st, p->unit);
    stmt_bind_blob(st, packed->prices, sizeof packed->prices);
    stmt_bind_blob(st, packed->split, sizeof packed->split);
}

bool store_price_add(struct db *db, struct price_version *p, struct err *err)
{
    struct packed packed;
    struct stmt st;

    /* Numbered here, by the one writer: versions have no gaps. */
    if (!db_prepare(db, "INSERT INTO prices (version, model, effective_from, recorded_at, unit, per_million, split)"
                        " VALUES ((SELECT COALESCE(MAX(version), 0) + 1 FROM prices), ?, ?, ?, ?, ?, ?) RETURNING version", &st, err))
        return false;
    bind_price(&st, p, &packed);
    return stmt_exec_id(&st, &p->version, err) && store_market_of_price(db, p, err) && store_settings_changed(db, err);
}

bool store_price_restore(struct db *db, const struct price_version *p, struct err *err)
{
    struct packed packed;
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO prices (version, model, effective_from, recorded_at, unit, per_million, split)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, p->version);
    bind_price(&st, p, &packed);
    return stmt_exec_one(&st, err) && store_market_of_price(db, p, err) && store_settings_changed(db, err);
}

static void read_price(struct stmt *st, struct price_version *p)
{
    uint8_t prices[PRICES_SIZE], split[SPLIT_SIZE];

    p->version = stmt_u64(st);
    p->any_model = stmt_null(st);
    p->model = stmt_hash(st);
    p->effective_from_ms = stmt_u64(st);
    p->recorded_at_ms = stmt_u64(st);
    stmt_text(st, p->unit, sizeof p->unit);
    stmt_bytes(st, prices, sizeof prices);
    stmt_bytes(st, split, sizeof split);
    for (size_t i = 0; i < METER_COUNT; i++)
        p->per_million[i].base_units = u256_from_be(prices + i * 32);
    for (size_t i = 0; i < SPLIT_PARTS; i++)
        p->split_bps[i] = (uint16_t)(split[2 * i] << 8 | split[2 * i + 1]);
    p->market.window_s = (uint32_t)stmt_u64(st);      /* 0 where there is none */
    p->market.target_bps = (uint32_t)stmt_u64(st);
    p->market.dead_band_bps = (uint32_t)stmt_u64(st);
    p->market.max_step_bps = (uint32_t)stmt_u64(st);
    p->market.floor_bps = (uint32_t)stmt_u64(st);
    p->market.ceiling_bps = (uint32_t)stmt_u64(st);
    p->step = (struct market_step){ 0 };
    if (stmt_null(st))
        return;
    p->step.base = stmt_u64(st);
    p->step.from_ms = stmt_u64(st);
    p->step.demand = stmt_amount(st).base_units;
    p->step.capacity = stmt_amount(st).base_units;
    p->step.multiplier = stmt_amount(st).base_units;
}

bool store_prices(struct db *db, uint64_t after_version, unsigned limit, price_fn *visit, void *self, struct err *err)
{
    struct price_version p;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT p.version, p.model, p.effective_from, p.recorded_at, p.unit, p.per_million, p.split,"
                        " m.window_s, m.target, m.dead_band, m.max_step, m.floor, m.ceiling,"
                        " s.base, s.from_ms, s.demand, s.capacity, s.multiplier FROM prices p"
                        " LEFT JOIN markets m ON m.version = p.version LEFT JOIN price_steps s ON s.version = p.version"
                        " WHERE p.version > ? ORDER BY p.version LIMIT ?", &st, err))
        return false;
    stmt_bind_u64(&st, after_version);
    stmt_bind_u64(&st, limit);
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        read_price(&st, &p);
        if (!stmt_ok(&st, err) || !visit(self, &p)) {
            bool ok = !st.failed;

            stmt_end(&st);
            return ok;
        }
    }
    return false;
}
