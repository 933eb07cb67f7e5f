/* What was paid to the protocol, and what came of it. */
#include "store/popularity.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

struct so_far { uint64_t epoch; const struct batch_fee *list; struct amount *found; };

static void bind_key(const void *self, size_t i, struct stmt *st)
{
    const struct so_far *s = self;

    stmt_bind_u64(st, s->epoch);
    stmt_bind_hash(st, &s->list[i].fee.model);
    stmt_bind_address(st, &s->list[i].fee.consumer);
    stmt_bind_u64(st, s->list[i].batch);
}

static bool read_so_far(void *self, size_t i, struct stmt *st, struct err *err)
{
    (void)err;
    ((struct so_far *)self)->found[i] = stmt_amount(st);
    return true;
}

static const char fees_of[] = "SELECT fees FROM popularity_fees WHERE epoch = ? AND model = ? AND consumer = ? AND batch = ?";

bool store_pool_fees_add_soon(struct db *db, uint64_t epoch, const struct batch_fee *list, size_t count, struct err *err)
{
    const struct so_far self = { epoch, list, NULL };

    return db_each_key_soon(db, fees_of, count, bind_key, &self, err);
}

static bool set_fees(const struct so_far *s, size_t i, struct db *db, struct err *err)
{
    struct amount fees;
    struct stmt st;

    if (!amount_add(s->found[i], s->list[i].fee.fees, &fees))
        return err_set(err, ERR_OVERFLOW, "a consumer's protocol fees are over 256 bits");
    if (!db_prepare(db, "INSERT INTO popularity_fees (epoch, model, consumer, batch, fees) VALUES (?, ?, ?, ?, ?)"
                        " ON CONFLICT (epoch, model, consumer, batch) DO UPDATE SET fees = excluded.fees", &st, err))
        return false;
    bind_key(s, i, &st);
    stmt_bind_amount(&st, fees);
    return stmt_exec_rows(&st, 1, err);
}

bool store_pool_fees_add(struct db *db, uint64_t epoch, const struct batch_fee *list, size_t count, struct err *err)
{
    struct so_far self = { epoch, list, mem_array(count + 1, sizeof *self.found) };
    bool ok = db_each_key(db, fees_of, count, bind_key, read_so_far, &self, err);

    for (size_t i = 0; ok && i < count; i++)
        ok = set_fees(&self, i, db, err);
    free(self.found);
    return ok;
}

bool store_pool_fee_add(struct db *db, uint64_t epoch, uint64_t batch, const struct popularity_fee *fee, struct err *err)
{
    return store_pool_fees_add(db, epoch, &(struct batch_fee){ batch, *fee }, 1, err);
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
