/* What happens to a receipt after it came in, each a guarded UPDATE, and what is asked about receipts in sum. */
#include "store/pages.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

/* Literals, so that SQLite sees that the partial index receipts_held fits. */
_Static_assert(RECEIPT_ACCEPTED == 1 && RECEIPT_QUARANTINED == 2 && RECEIPT_REFUSED == 3, "states are written out in the SQL");

bool store_receipt_accept(struct db *db, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct stmt st;

    if (!db_prepare(db, "UPDATE receipts SET state = 1, code = ?, accepted_at = ?, batch = ?, price_version = ?,"
                        " amount = ?,"
                        " charged = ?, promise = ?, promise_index = ?, reason = ?, faults = NULL"
                        " WHERE job_id = ? AND provider = ? AND state = 2", &st, err))
        return false;
    stmt_bind_int(&st, CODE_ACCEPTED);
    stmt_bind_u64(&st, row->accepted_at_ms);
    stmt_bind_u64(&st, row->batch);
    stmt_bind_u64(&st, row->price_version);
    stmt_bind_amount(&st, row->amount);
    if (row->has_charged)
        stmt_bind_address(&st, &row->charged);
    else
        stmt_bind_null(&st);
    if (row->promise != 0) {
        stmt_bind_u64(&st, row->promise);
        stmt_bind_u64(&st, row->promise_index);
    } else {
        stmt_bind_null(&st);
        stmt_bind_null(&st);
    }
    stmt_bind_text(&st, row->reason[0] != '\0' ? row->reason : NULL);
    stmt_bind_job_id(&st, &r->job_id);
    stmt_bind_address(&st, &r->provider);
    return stmt_exec_one(&st, err);
}

bool store_receipt_refuse(struct db *db, struct job_id job, struct address provider, const char *reason,
                          struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "UPDATE receipts SET state = 3, reason = ? WHERE job_id = ? AND provider = ? AND state ="
                        " 2", &st, err))
        return false;
    stmt_bind_text(&st, reason);
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &provider);
    return stmt_exec_one(&st, err);
}

bool store_receipt_requeue(struct db *db, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct stmt st;

    if (!db_prepare(db, "UPDATE receipts SET code = ?, faults = ?, price_version = ?, amount = ?"
                        " WHERE job_id = ? AND provider = ? AND state = 2", &st, err))
        return false;
    stmt_bind_int(&st, row->code);
    stmt_bind_text(&st, row->faults);
    if (row->price_version != 0) {
        stmt_bind_u64(&st, row->price_version);
        stmt_bind_amount(&st, row->amount);
    } else {
        stmt_bind_null(&st);
        stmt_bind_null(&st);
    }
    stmt_bind_job_id(&st, &r->job_id);
    stmt_bind_address(&st, &r->provider);
    return stmt_exec_one(&st, err);
}

bool store_receipt_countersign(struct db *db, const struct receipt_row *row, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct receipt_row alone = *row;
    struct stmt st;

    if (row->page != 0) {
        alone.signed_.has_consumer_signature = false;
        if (!store_page_leave(db, &alone, err))
            return false;
    }
    if (!db_prepare(db, "UPDATE receipts SET consumer_signature = ?, charged = ?"
                        " WHERE job_id = ? AND provider = ? AND consumer_signature IS NULL", &st, err))
        return false;
    stmt_bind_signature(&st, &row->signed_.consumer_signature);
    if (row->has_charged)
        stmt_bind_address(&st, &row->charged);
    else
        stmt_bind_null(&st);
    stmt_bind_job_id(&st, &r->job_id);
    stmt_bind_address(&st, &r->provider);
    return stmt_exec_one(&st, err);
}

/* Ends st, whose one row has this many numbers; sum is all of them together. */
static bool read_sum(struct stmt *st, unsigned numbers, uint64_t *sum, struct err *err)
{
    uint64_t got = 0;
    bool row;

    if (!stmt_step(st, &row, err))
        return false;
    while (numbers-- > 0)
        got += stmt_u64(st);
    stmt_end(st);
    if (!stmt_ok(st, err))
        return false;
    *sum = got;
    return true;
}

bool store_receipts_held_count(struct db *db, uint64_t most, uint64_t *held, struct err *err)
{
    struct stmt st;

    /* The literal 2 (quarantined) lets SQLite use the partial index; each row is looked up all the same, a few microseconds. */
    if (!db_prepare(db, "SELECT COUNT(*) FROM (SELECT received_at FROM receipts WHERE state = 2 LIMIT ?) AS held", &st, err))
        return false;
    stmt_bind_u64(&st, most);
    return read_sum(&st, 1, held, err);
}

bool store_receipts_of_strangers(struct db *db, uint64_t *held, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT COALESCE(SUM(CASE WHEN code = ? AND bundle IS NULL THEN 1 ELSE 0 END), 0),"
                        " COALESCE((SELECT SUM(count) FROM bundles WHERE id IN"
                        " (SELECT bundle FROM receipts WHERE state = 2 AND code = ?)), 0)"
                        " FROM receipts WHERE state = 2", &st, err))
        return false;
    stmt_bind_int(&st, CODE_UNKNOWN_PROVIDER);
    stmt_bind_int(&st, CODE_UNKNOWN_PROVIDER);
    return read_sum(&st, 2, held, err);
}

bool store_provider_day(struct db *db, struct address provider, uint64_t day, struct amount *amount, struct err *err)
{
    struct amount got = AMOUNT_ZERO;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT amount FROM provider_days WHERE provider = ? AND day = ?", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, day);
    if (!stmt_step(&st, &row, err))
        return false;
    if (row)
        got = stmt_amount(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *amount = got;
    return true;
}

static void bind_provider_day(const void *self, size_t i, struct stmt *st)
{
    const struct provider_day *day = (const struct provider_day *)self + i;

    stmt_bind_address(st, &day->provider);
    stmt_bind_u64(st, day->day);
}

static bool read_provider_day(void *self, size_t i, struct stmt *st, struct err *err)
{
    (void)err;
    ((struct provider_day *)self)[i].amount = stmt_amount(st);
    return true;
}

static const char days_of[] = "SELECT amount FROM provider_days WHERE provider = ? AND day = ?";

bool store_provider_days_find_soon(struct db *db, const struct provider_day *list, size_t count, struct err *err)
{
    return db_each_key_soon(db, days_of, count, bind_provider_day, list, err);
}

bool store_provider_days_find(struct db *db, struct provider_day *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        list[i].amount = AMOUNT_ZERO;
    return db_each_key(db, days_of, count, bind_provider_day, read_provider_day, list, err);
}

bool store_provider_day_set(struct db *db, struct address provider, uint64_t day, struct amount amount, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO provider_days (provider, day, amount) VALUES (?, ?, ?)"
                        " ON CONFLICT (provider, day) DO UPDATE SET amount = excluded.amount", &st, err))
        return false;
    stmt_bind_address(&st, &provider);
    stmt_bind_u64(&st, day);
    stmt_bind_amount(&st, amount);
    return stmt_exec_rows(&st, 1, err);
}

bool store_provider_days_add(struct db *db, const struct provider_day *more, size_t count, struct err *err)
{
    struct provider_day *sums = mem_array(count + 1, sizeof *sums);
    bool ok;

    memcpy(sums, more, count * sizeof *sums);
    ok = store_provider_days_find(db, sums, count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = (amount_add(sums[i].amount, more[i].amount, &sums[i].amount)
              || err_set(err, ERR_OVERFLOW, "a provider's day over 256 bits"))
          && store_provider_day_set(db, sums[i].provider, sums[i].day, sums[i].amount, err);
    free(sums);
    return ok;
}

bool store_provider_day_add(struct db *db, struct address provider, uint64_t day, struct amount more, struct err *err)
{
    return store_provider_days_add(db, &(struct provider_day){ provider, day, more }, 1, err);
}
