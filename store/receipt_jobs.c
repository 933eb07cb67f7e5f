/* Who has a receipt for a job, as the intake asks before it takes one more: one by one, or for many at once. */
#include "store/archived.h"
#include "store/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

_Static_assert(RECEIPT_ACCEPTED == 1, "states are written out in the SQL");

static bool stop_at_any(void *self, const struct receipt_row *row, struct err *err)
{
    (void)row, (void)err;
    *(bool *)self = true;
    return false;
}

bool store_receipt_job_known(struct db *db, struct job_id job, bool *known, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT 1 FROM receipts WHERE job_id = ? LIMIT 1", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    if (!stmt_step(&st, known, err))
        return false;
    stmt_end(&st);
    return *known || archived_of_job(db, job, stop_at_any, known, err);
}

#define AT_ONCE 100u                          /* jobs a statement */
#define ROW_10 "(?), (?), (?), (?), (?), (?), (?), (?), (?), (?)"
#define ROW_50 ROW_10 ", " ROW_10 ", " ROW_10 ", " ROW_10 ", " ROW_10
_Static_assert(AT_ONCE == 100, "as many places as are written out below");

/* A search in the key's tree for each, but one statement for all; the last one is asked for again until the places are full. */
static bool ask(struct db *db, const struct job_id *jobs, size_t count, bool *known, struct err *err)
{
    struct stmt st;
    bool any, ok;

    if (!db_prepare(db, "WITH asked (job) AS (VALUES " ROW_50 ", " ROW_50 ") SELECT job FROM asked"
                        " CROSS JOIN receipts ON job_id = job", &st, err))
        return false;
    for (size_t i = 0; i < AT_ONCE; i++)
        stmt_bind_job_id(&st, &jobs[i < count ? i : count - 1]);
    while ((ok = stmt_step(&st, &any, err)) && any) {
        struct job_id job = stmt_job_id(&st);

        for (size_t i = 0; i < count; i++)
            known[i] = known[i] || job_id_eq(jobs[i], job);
    }
    return ok;
}

static bool any_between(struct db *db, struct job_id first, struct job_id last, bool *any, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT 1 FROM receipts WHERE job_id BETWEEN ? AND ? LIMIT 1", &st, err))
        return false;
    stmt_bind_job_id(&st, &first);
    stmt_bind_job_id(&st, &last);
    if (!stmt_step(&st, any, err))
        return false;
    stmt_end(&st);
    return true;
}

/* ---- of a database that is far away (schema step postgres_jobs) ---- */

#define DAY_LEAST 100u                        /* fewer of a day go with those of other days, each looked for by itself */

static int by_job(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct job_id));
}

/* Of jobs that lie between lowest and highest. */
static bool ask_day(struct db *db, const struct job_id *jobs, size_t count, struct job_id lowest, struct job_id highest, bool *known,
                    struct err *err)
{
    const void *found;
    struct stmt st;
    size_t len;
    bool any;

    if (!db_prepare(db, "SELECT receipt_jobs_known(?, ?, ?)", &st, err))
        return false;
    stmt_bind_blob(&st, jobs, count * sizeof *jobs);
    stmt_bind_job_id(&st, &lowest);
    stmt_bind_job_id(&st, &highest);
    if (!stmt_step(&st, &any, err))
        return false;
    stmt_blob(&st, &found, &len);
    for (size_t i = 0; len > 0 && i < count; i++)
        known[i] = bsearch(&jobs[i], found, len / sizeof *jobs, sizeof *jobs, by_job) != NULL;
    stmt_end(&st);
    return true;
}

/* Jobs, and by place whether they are known. */
struct strays { const struct job_id *jobs; size_t *places, count; bool *known; };

static void bind_stray(const void *self, size_t i, struct stmt *st)
{
    const struct strays *strays = self;

    stmt_bind_job_id(st, &strays->jobs[strays->places[i]]);
}

static bool note_stray(void *self, size_t i, struct stmt *st, struct err *err)
{
    const struct strays *strays = self;

    (void)st, (void)err;
    strays->known[strays->places[i]] = true;
    return true;
}

/* How many from the first on are of its day. */
static size_t same_day(const struct job_id *jobs, size_t count, struct job_id *lowest, struct job_id *highest)
{
    uint64_t day = job_id_time_ms(jobs[0]) / DAY_MS;
    size_t i;

    *lowest = *highest = jobs[0];
    for (i = 1; i < count && job_id_time_ms(jobs[i]) / DAY_MS == day; i++) {
        *lowest = by_job(&jobs[i], lowest) < 0 ? jobs[i] : *lowest;
        *highest = by_job(&jobs[i], highest) > 0 ? jobs[i] : *highest;
    }
    return i;
}

/* A day's jobs lie in one partition and are one question, and so are all those that are alone.  That they be inserted and refused by
 * the key would not do: it does not refuse a job that another provider has. */
static bool ask_days(struct db *db, const struct job_id *jobs, size_t count, bool *known, struct err *err)
{
    struct strays strays = { .jobs = jobs, .places = mem_array(count + 1, sizeof *strays.places), .known = known };
    struct job_id lowest, highest;
    bool ok = true;

    for (size_t i = 0, same; ok && i < count; i += same) {
        same = same_day(jobs + i, count - i, &lowest, &highest);
        if (same >= DAY_LEAST)
            ok = ask_day(db, jobs + i, same, lowest, highest, known + i, err);
        else
            for (size_t j = i; j < i + same; j++)
                strays.places[strays.count++] = j;
    }
    ok = ok && db_each_key(db, "SELECT provider FROM receipts WHERE job_id = ?", strays.count, bind_stray, note_stray, &strays, err);
    free(strays.places);
    return ok;
}

/* Where the database is far away all of them are one question; here a hundred are, and none where nothing lies between. */
static bool ask_all(struct db *db, const struct job_id *jobs, size_t count, struct job_id first, struct job_id last, bool *known,
                    struct err *err)
{
    bool any, ok;

    if (db_is_shared(db))
        return ask_days(db, jobs, count, known, err);
    ok = any_between(db, first, last, &any, err);
    for (size_t i = 0; ok && any && i < count; i += AT_ONCE)
        ok = ask(db, jobs + i, count - i < AT_ONCE ? count - i : AT_ONCE, known + i, err);
    return ok;
}

bool store_receipt_jobs_known(struct db *db, const struct job_id *jobs, size_t count, struct job_id first, struct job_id last, bool *known,
                              struct err *err)
{
    bool archived, ok;

    memset(known, 0, count * sizeof *known);
    ok = ask_all(db, jobs, count, first, last, known, err) && archived_may_hold(db, first, last, &archived, err);
    for (size_t i = 0; ok && archived && i < count; i++)
        ok = known[i] || archived_of_job(db, jobs[i], stop_at_any, &known[i], err);
    return ok;
}

struct other { struct address except; bool found; };

static bool is_other(void *self, const struct receipt_row *row, struct err *err)
{
    struct other *o = self;

    (void)err;
    o->found = !address_eq(row->signed_.receipt.provider, o->except);
    return !o->found;
}

bool store_receipt_job_billed(struct db *db, struct job_id job, struct address except, bool *billed, struct err *err)
{
    struct other other = { except, false };
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT 1 FROM receipts WHERE job_id = ? AND provider <> ? AND state = 1 LIMIT 1", &st, err))
        return false;
    stmt_bind_job_id(&st, &job);
    stmt_bind_address(&st, &except);
    if (!stmt_step(&st, &row, err))
        return false;
    stmt_end(&st);
    if (!row && !archived_of_job(db, job, is_other, &other, err))
        return false;
    *billed = row || other.found;
    return true;
}
