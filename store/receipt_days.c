#include "store/receipt_days.h"

#include "gateway/base/clock.h"
#include "gateway/core/state.h"
#include "gateway/core/word.h"
#include "store/driver.h"

_Static_assert(RECEIPT_ACCEPTED == 1, "states are written out in the SQL");

#define SLICES 24u                            /* of a day: a reader's statement may not take a minute */

bool db_has_days(const struct db *db)
{
    return db->driver->days;
}

bool store_day_last(struct db *db, uint64_t *day, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT COALESCE(MAX(day), 0) FROM receipt_days", &st, err) || !stmt_step(&st, &any, err))
        return false;
    *day = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

/* Ends st, a SELECT of one of the functions of schema step postgres_days. */
static bool call(struct stmt *st, bool *answer, struct err *err)
{
    bool any;

    if (!stmt_step(st, &any, err))
        return false;
    *answer = stmt_i64(st) != 0;
    stmt_end(st);
    return stmt_ok(st, err);
}

bool store_day_make(struct db *db, uint64_t day, struct err *err)
{
    struct stmt st;
    bool made;

    if (!db_prepare(db, "SELECT receipt_day_make(?)", &st, err))
        return false;
    stmt_bind_u64(&st, day);
    return call(&st, &made, err);
}

bool store_day_watch(struct db *db, uint64_t day, struct err *err)
{
    struct stmt st;
    bool watched;

    if (!db_prepare(db, "SELECT receipt_day_watch(?)", &st, err))
        return false;
    stmt_bind_u64(&st, day);
    return call(&st, &watched, err);
}

bool store_day_drop(struct db *db, const struct day_survey *survey, bool *dropped, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT receipt_day_drop(?, ?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, survey->day);
    stmt_bind_u64(&st, survey->changes);
    stmt_bind_blob(&st, survey->keys.data, survey->keys.len);
    return call(&st, dropped, err);
}

bool store_day_due(struct db *db, uint64_t after, uint64_t by_ms, uint64_t *day, bool *found, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT day, NOT EXISTS (SELECT 1 FROM batches b WHERE b.receipts > 0 AND b.opened_at < (day + 1) * 86400000"
                        " AND NOT EXISTS (SELECT 1 FROM archived_batches a WHERE a.batch = b.number AND a.moved = a.frames))"
                        " FROM receipt_days WHERE day > ? AND (day + 1) * 86400000 <= ? ORDER BY day LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, after);
    stmt_bind_u64(&st, by_ms);
    *found = false;
    if (!stmt_step(&st, &any, err))
        return false;
    if (any) {
        *day = stmt_u64(&st);
        *found = stmt_i64(&st) != 0;
    }
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool read_changes(struct db *db, struct day_survey *survey, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT changes FROM receipt_days WHERE day = ?", &st, err))
        return false;
    stmt_bind_u64(&st, survey->day);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any || stmt_null(&st)) {
        stmt_end(&st);
        return err_set(err, ERR_BUG, "a day of receipts that is not watched");
    }
    survey->changes = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

/* What no archive holds, or whose batch has not left with all its frames. */
static bool survey_slice(struct db *db, struct day_survey *survey, uint64_t slice, struct err *err)
{
    uint64_t from_ms = survey->day * DAY_MS + slice * (DAY_MS / SLICES);
    uint8_t bounds[2][8];
    struct stmt st;
    bool any, ok;

    be64_put(bounds[0], from_ms << 16);
    be64_put(bounds[1], (from_ms + DAY_MS / SLICES) << 16);
    if (!db_prepare(db, "SELECT r.job_id, r.provider FROM receipts r LEFT JOIN receipt_pages p ON p.id = r.page"
                        " LEFT JOIN archived_batches a ON a.batch = COALESCE(r.batch, p.batch) AND a.moved = a.frames"
                        " WHERE r.job_id >= ? AND r.job_id < ? AND (r.state <> 1 OR r.reason IS NOT NULL OR a.batch IS NULL) LIMIT ?", &st, err))
        return false;
    stmt_bind_blob(&st, bounds[0], 6);
    stmt_bind_blob(&st, bounds[1], 6);
    stmt_bind_u64(&st, DAY_STAYS_MAX + 1 - survey->stays);
    while ((ok = stmt_step(&st, &any, err)) && any) {
        struct job_id job = stmt_job_id(&st);
        struct address provider = stmt_address(&st);

        buf_add(&survey->keys, job.b, sizeof job.b);
        buf_add(&survey->keys, provider.b, sizeof provider.b);
        survey->stays++;
    }
    return ok && stmt_ok(&st, err);
}

bool store_day_survey(struct db *db, struct day_survey *survey, struct err *err)
{
    bool ok;

    survey->stays = 0;
    buf_reset(&survey->keys);
    if (!db_begin(db, err))
        return false;
    ok = read_changes(db, survey, err);
    for (uint64_t slice = 0; ok && slice < SLICES && survey->stays <= DAY_STAYS_MAX; slice++)
        ok = survey_slice(db, survey, slice, err);
    db_rollback(db);
    return ok;
}
