/* Consumers: append-only revisions; the latest one at a moment counts. */
#include "store/catalog.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/catalog_rows.h"
#include "store/meta.h"
#include "store/receipts.h"

bool store_consumer_add(struct db *db, const struct consumer *c, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO consumers (address, since, name, credit_limit, enrolled) VALUES (?, ?, ?, ?,"
                        " ?)", &st, err))
        return false;
    stmt_bind_address(&st, &c->address);
    stmt_bind_u64(&st, c->since_ms);
    stmt_bind_text(&st, c->name);
    if (c->has_credit_limit)
        stmt_bind_amount(&st, c->credit_limit);
    else
        stmt_bind_null(&st);
    stmt_bind_int(&st, c->enrolled);
    return stmt_exec_one(&st, err) && store_settings_changed(db, err);
}

#define COLUMNS "address, since, name, credit_limit, enrolled"

static void read_consumer(struct stmt *st, struct consumer *c)
{
    c->address = stmt_address(st);
    c->since_ms = stmt_u64(st);
    stmt_text(st, c->name, sizeof c->name);
    c->has_credit_limit = !stmt_null(st);
    c->credit_limit = stmt_amount(st);
    c->enrolled = stmt_enum(st, 0, 1) != 0;
}

/* Ends st. */
static bool visit_consumers(struct stmt *st, consumer_fn *visit, void *self, struct err *err)
{
    struct consumer c;
    bool row;

    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_consumer(st, &c);
        if (!stmt_ok(st, err) || !visit(self, &c)) {
            bool ok = !st->failed;

            stmt_end(st);
            return ok;
        }
    }
    return false;
}

bool store_consumer_revisions(struct db *db, consumer_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    return db_prepare(db, "SELECT " COLUMNS " FROM consumers ORDER BY address, since", &st, err)
        && visit_consumers(&st, visit, self, err);
}

bool store_consumers(struct db *db, const struct address *after, unsigned limit, consumer_fn *visit, void *self,
                     struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM consumers c WHERE address > ?"
                        " AND since = (SELECT MAX(d.since) FROM consumers d WHERE d.address = c.address)"
                        " ORDER BY address LIMIT ?", &st, err))
        return false;
    stmt_bind_blob(&st, after, after != NULL ? sizeof *after : 0);
    stmt_bind_u64(&st, limit);
    return visit_consumers(&st, visit, self, err);
}

bool store_consumer_latest(struct db *db, struct address a, struct consumer *c, bool *found, struct err *err)
{
    struct consumer got;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM consumers WHERE address = ? ORDER BY since DESC LIMIT 1", &st, err))
        return false;
    stmt_bind_address(&st, &a);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        read_consumer(&st, &got);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (row)
        *c = got;
    *found = row;
    return true;
}

bool store_consumer_days(struct db *db, struct address consumer, uint64_t from, uint64_t until, struct amount *amount, struct err *err)
{
    struct amount sum = AMOUNT_ZERO;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT amount FROM consumer_days WHERE consumer = ? AND day >= ? AND day < ?", &st, err))
        return false;
    stmt_bind_address(&st, &consumer);
    stmt_bind_u64(&st, from);
    stmt_bind_u64(&st, until);
    while (stmt_step(&st, &row, err)) {
        if (!row) {
            *amount = sum;
            return true;
        }
        if (!amount_add(sum, stmt_amount(&st), &sum)) {
            stmt_end(&st);
            return err_set(err, ERR_OVERFLOW, "what a consumer is billed is over 256 bits");
        }
    }
    return false;
}

bool store_consumer_day(struct db *db, struct address consumer, uint64_t day, struct amount *amount, struct err *err)
{
    return store_consumer_days(db, consumer, day, day + 1, amount, err);
}

bool store_consumer_day_set(struct db *db, struct address consumer, uint64_t day, struct amount amount, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO consumer_days (consumer, day, amount) VALUES (?, ?, ?)"
                        " ON CONFLICT (consumer, day) DO UPDATE SET amount = excluded.amount", &st, err))
        return false;
    stmt_bind_address(&st, &consumer);
    stmt_bind_u64(&st, day);
    stmt_bind_amount(&st, amount);
    return stmt_exec_rows(&st, 1, err);
}

static void bind_day(const void *self, size_t i, struct stmt *st)
{
    const struct consumer_day *day = (const struct consumer_day *)self + i;

    stmt_bind_address(st, &day->consumer);
    stmt_bind_u64(st, day->day);
}

static bool read_day(void *self, size_t i, struct stmt *st, struct err *err)
{
    (void)err;
    ((struct consumer_day *)self)[i].amount = stmt_amount(st);
    return true;
}

bool store_consumer_days_add(struct db *db, const struct consumer_day *more, size_t count, struct err *err)
{
    struct consumer_day *sums = mem_array(count + 1, sizeof *sums);
    bool ok;

    for (size_t i = 0; i < count; i++)
        sums[i] = (struct consumer_day){ more[i].consumer, more[i].day, AMOUNT_ZERO };
    ok = db_each_key(db, "SELECT amount FROM consumer_days WHERE consumer = ? AND day = ?", count, bind_day, read_day, sums, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = (amount_add(sums[i].amount, more[i].amount, &sums[i].amount)
              || err_set(err, ERR_OVERFLOW, "a consumer's day over 256 bits"))
          && store_consumer_day_set(db, sums[i].consumer, sums[i].day, sums[i].amount, err);
    free(sums);
    return ok;
}

bool store_consumer_day_add(struct db *db, struct address consumer, uint64_t day, struct amount more, struct err *err)
{
    return store_consumer_days_add(db, &(struct consumer_day){ consumer, day, more }, 1, err);
}
