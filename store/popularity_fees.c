/* What was paid to the protocol, and what came of it. */
#include "store/popularity.h"

#include "gateway/base/mem.h"

bool store_pool_fee_add(struct db *db, uint64_t epoch, uint64_t batch, const struct popularity_fee *fee, struct err *err)
{
    struct amount fees = AMOUNT_ZERO;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT fees FROM popularity_fees WHERE epoch = ? AND model = ? AND consumer = ? AND batch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    stmt_bind_hash(&st, &fee->model);
    stmt_bind_address(&st, &fee->consumer);
    stmt_bind_u64(&st, batch);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        fees = stmt_amount(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (!amount_add(fees, fee->fees, &fees))
        return err_set(err, ERR_OVERFLOW, "a consumer's protocol fees are over 256 bits");
    if (!db_prepare(db, "INSERT INTO popularity_fees (epoch, model, consumer, batch, fees) VALUES (?, ?, ?, ?, ?)"
                        " ON CONFLICT (epoch, model, consumer, batch) DO UPDATE SET fees = excluded.fees", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    stmt_bind_hash(&st, &fee->model);
    stmt_bind_address(&st, &fee->consumer);
    stmt_bind_u64(&st, batch);
    stmt_bind_amount(&st, fees);
    return stmt_exec_later(&st, 1, err);
}

/* Ends st. */
static bool read_fees(struct stmt *st, struct popularity_fees *fees, struct err *err)
{
    bool row;

    while (stmt_step(st, &row, err)) {
        struct popularity_fee fee;

        if (!row)
            return popularity_fees_sort(fees, err);
        fee.model = stmt_hash(st);
        fee.consumer = stmt_address(st);
        fee.fees = stmt_amount(st);
        if (!stmt_ok(st, err) || !popularity_fees_add(fees, &fee, err)) {
            stmt_end(st);
            return false;
        }
    }
    return false;
}

bool store_pool_fees(struct db *db, uint64_t epoch, struct popularity_fees *fees, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT model, consumer, fees FROM popularity_fees WHERE epoch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    return read_fees(&st, fees, err);
}

bool store_pool_fees_of_model(struct db *db, uint64_t epoch, struct hash model, struct popularity_fees *fees, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT model, consumer, fees FROM popularity_fees WHERE epoch = ? AND model = ?", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    stmt_bind_hash(&st, &model);
    return read_fees(&st, fees, err);
}

bool store_pool_fees_drop(struct db *db, uint64_t epoch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM popularity_fees WHERE epoch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    return stmt_exec(&st, NULL, err);
}

bool store_pool_fees_drop_batch(struct db *db, uint64_t batch, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM popularity_fees WHERE batch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    return stmt_exec(&st, NULL, err);
}

/* -- shares -- */

static void read_share(struct stmt *st, struct popularity_row *row)
{
    row->model = stmt_hash(st);
    row->score = stmt_amount(st).base_units;
    row->fees = stmt_amount(st);
    row->share = stmt_amount(st);
}

bool store_pool_shares(struct db *db, uint64_t epoch, struct popularity *p, struct err *err)
{
    size_t capacity = 0;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT model, score, fees, share FROM popularity_shares WHERE epoch = ? ORDER BY model", &st, err))
        return false;
    stmt_bind_u64(&st, epoch);
    p->count = 0;
    while (stmt_step(&st, &row, err)) {
        if (!row)
            return true;
        if (p->count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            p->rows = mem_grow(p->rows, capacity, sizeof *p->rows);
        }
        read_share(&st, &p->rows[p->count++]);
        if (!stmt_ok(&st, err)) {
            stmt_end(&st);
            return false;
        }
    }
    return false;
}

bool store_pool_share_last(struct db *db, struct hash model, uint64_t *epoch, struct popularity_row *row, bool *found, struct err *err)
{
    struct popularity_row got;
    uint64_t number = 0;
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT model, score, fees, share, epoch FROM popularity_shares WHERE model = ? ORDER BY epoch DESC LIMIT 1",
                    &st, err))
        return false;
    stmt_bind_hash(&st, &model);
    if (!stmt_step(&st, &any, err))
        return false;
    if (any) {
        read_share(&st, &got);
        number = stmt_u64(&st);
    }
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *found = any;
    if (any) {
        *row = got;
        *epoch = number;
    }
    return true;
}
