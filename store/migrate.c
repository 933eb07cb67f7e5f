/* Schema steps: an append-only table.  What has run is kept in `migrations`, which every database can have. */
#include "store/copy.h"
#include "store/copy_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "store/driver.h"

/* Embedded by the Makefile from store/schema/. */
extern const char _binary_store_schema_0001_init_sql_start[], _binary_store_schema_0001_init_sql_end[];
extern const char _binary_store_schema_0002_promise_signers_sql_start[], _binary_store_schema_0002_promise_signers_sql_end[];
extern const char _binary_store_schema_0003_bound_to_sql_start[], _binary_store_schema_0003_bound_to_sql_end[];
extern const char _binary_store_schema_0004_relatives_sql_start[], _binary_store_schema_0004_relatives_sql_end[];
extern const char _binary_store_schema_0005_pages_sql_start[], _binary_store_schema_0005_pages_sql_end[];
extern const char _binary_store_schema_0006_leaves_sql_start[], _binary_store_schema_0006_leaves_sql_end[];
extern const char _binary_store_schema_0007_costs_sql_start[], _binary_store_schema_0007_costs_sql_end[];
extern const char _binary_store_schema_0008_market_sql_start[], _binary_store_schema_0008_market_sql_end[];
extern const char _binary_store_schema_0009_popularity_sql_start[], _binary_store_schema_0009_popularity_sql_end[];
extern const char _binary_store_schema_0010_plausibility_sql_start[], _binary_store_schema_0010_plausibility_sql_end[];
extern const char _binary_store_schema_0011_adjustments_sql_start[], _binary_store_schema_0011_adjustments_sql_end[];
extern const char _binary_store_schema_0012_retention_sql_start[], _binary_store_schema_0012_retention_sql_end[];
extern const char _binary_store_schema_0013_singles_sql_start[], _binary_store_schema_0013_singles_sql_end[];
extern const char _binary_store_schema_0014_samples_sql_start[], _binary_store_schema_0014_samples_sql_end[];
extern const char _binary_store_schema_0016_settler_sql_start[], _binary_store_schema_0016_settler_sql_end[];
extern const char _binary_store_schema_0017_settler_process_sql_start[], _binary_store_schema_0017_settler_process_sql_end[];
extern const char _binary_store_schema_0018_single_pages_sql_start[], _binary_store_schema_0018_single_pages_sql_end[];
extern const char _binary_store_schema_0019_receipt_days_sql_start[], _binary_store_schema_0019_receipt_days_sql_end[];
extern const char _binary_store_schema_0020_postgres_days_sql_start[], _binary_store_schema_0020_postgres_days_sql_end[];
extern const char _binary_store_schema_0021_postgres_jobs_sql_start[], _binary_store_schema_0021_postgres_jobs_sql_end[];
extern const char _binary_store_schema_0022_group_sums_sql_start[], _binary_store_schema_0022_group_sums_sql_end[];
extern const char _binary_store_schema_0023_billed_once_sql_start[], _binary_store_schema_0023_billed_once_sql_end[];
extern const char _binary_store_schema_0024_postgres_billed_sql_start[], _binary_store_schema_0024_postgres_billed_sql_end[];
extern const char _binary_store_schema_0025_beside_sql_start[], _binary_store_schema_0025_beside_sql_end[];
extern const char _binary_store_schema_0026_postgres_beside_sql_start[], _binary_store_schema_0026_postgres_beside_sql_end[];

static const struct migration {
    const char *name, *start, *end;
} migrations[] = {
    /* Never change or remove a row: its number is its place, from 1. */
    { "0001_init", _binary_store_schema_0001_init_sql_start, _binary_store_schema_0001_init_sql_end },
    { "0002_promise_signers", _binary_store_schema_0002_promise_signers_sql_start, _binary_store_schema_0002_promise_signers_sql_end },
    { "0003_bound_to", _binary_store_schema_0003_bound_to_sql_start, _binary_store_schema_0003_bound_to_sql_end },
    { "0004_relatives", _binary_store_schema_0004_relatives_sql_start, _binary_store_schema_0004_relatives_sql_end },
    { "0005_pages", _binary_store_schema_0005_pages_sql_start, _binary_store_schema_0005_pages_sql_end },
    { "0006_leaves", _binary_store_schema_0006_leaves_sql_start, _binary_store_schema_0006_leaves_sql_end },
    { "0007_costs", _binary_store_schema_0007_costs_sql_start, _binary_store_schema_0007_costs_sql_end },
    { "0008_market", _binary_store_schema_0008_market_sql_start, _binary_store_schema_0008_market_sql_end },
    { "0009_popularity", _binary_store_schema_0009_popularity_sql_start, _binary_store_schema_0009_popularity_sql_end },
    { "0010_plausibility", _binary_store_schema_0010_plausibility_sql_start, _binary_store_schema_0010_plausibility_sql_end },
    { "0011_adjustments", _binary_store_schema_0011_adjustments_sql_start, _binary_store_schema_0011_adjustments_sql_end },
    { "0012_retention", _binary_store_schema_0012_retention_sql_start, _binary_store_schema_0012_retention_sql_end },
    { "0013_singles", _binary_store_schema_0013_singles_sql_start, _binary_store_schema_0013_singles_sql_end },
    { "0014_samples", _binary_store_schema_0014_samples_sql_start, _binary_store_schema_0014_samples_sql_end },
    { "0016_settler", _binary_store_schema_0016_settler_sql_start, _binary_store_schema_0016_settler_sql_end },
    { "0017_settler_process", _binary_store_schema_0017_settler_process_sql_start, _binary_store_schema_0017_settler_process_sql_end },
    { "0018_single_pages", _binary_store_schema_0018_single_pages_sql_start, _binary_store_schema_0018_single_pages_sql_end },
    { "0019_receipt_days", _binary_store_schema_0019_receipt_days_sql_start, _binary_store_schema_0019_receipt_days_sql_end },
    { "0020_postgres_days", _binary_store_schema_0020_postgres_days_sql_start, _binary_store_schema_0020_postgres_days_sql_end },
    { "0021_postgres_jobs", _binary_store_schema_0021_postgres_jobs_sql_start, _binary_store_schema_0021_postgres_jobs_sql_end },
    { "0022_group_sums", _binary_store_schema_0022_group_sums_sql_start, _binary_store_schema_0022_group_sums_sql_end },
    { "0023_billed_once", _binary_store_schema_0023_billed_once_sql_start, _binary_store_schema_0023_billed_once_sql_end },
    { "0024_postgres_billed", _binary_store_schema_0024_postgres_billed_sql_start, _binary_store_schema_0024_postgres_billed_sql_end },
    { "0025_beside", _binary_store_schema_0025_beside_sql_start, _binary_store_schema_0025_beside_sql_end },
    { "0026_postgres_beside", _binary_store_schema_0026_postgres_beside_sql_start, _binary_store_schema_0026_postgres_beside_sql_end },
};

static bool ran_so_far(struct db *db, uint64_t *version, struct err *err)
{
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT COALESCE(MAX(version), 0) FROM migrations", &st, err) || !stmt_step(&st, &row, err))
        return false;
    if (!row)
        return err_set(err, ERR_BUG, "a sum without a row");
    *version = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool record(struct db *db, uint64_t version, const char *name, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO migrations (version, name) VALUES (?, ?)", &st, err))
        return false;
    stmt_bind_u64(&st, version);
    stmt_bind_text(&st, name);
    return stmt_exec_one(&st, err);
}

/* One that is PostgreSQL's alone only counts elsewhere. */
static bool is_for(const struct db *db, const struct migration *step)
{
    return strstr(step->name, "_postgres_") == NULL || db->driver == &driver_postgres;
}

static bool run_script(struct db *db, const struct migration *step, struct err *err)
{
    char *sql;
    bool ok;

    if (!is_for(db, step))
        return true;
    sql = mem_text_n(step->start, (size_t)(step->end - step->start));
    ok = db_exec_script(db, sql, err);
    free(sql);
    return ok;
}

/* In a transaction of its own: where several start at once, each step is one's, and the others find it done. */
static bool next_step(struct db *db, bool *done, struct err *err)
{
    uint64_t version = 0;
    bool ok;

    if (!db_begin(db, err))
        return false;
    ok = db_exec_script(db, "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL)", err)
      && ran_so_far(db, &version, err);
    if (ok && version > ARRAY_LEN(migrations))
        ok = err_set(err, ERR_HALT, "the store has schema %" PRIu64 ", this program knows up to %zu: use a newer one", version,
                     ARRAY_LEN(migrations));
    *done = version >= ARRAY_LEN(migrations);
    if (ok && !*done)
        ok = (run_script(db, &migrations[version], err) && record(db, version + 1, migrations[version].name, err))
          || err_prefix(err, "schema step %s", migrations[version].name);
    if (ok)
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

uint64_t db_schema_newest(void)
{
    return ARRAY_LEN(migrations);
}

const char *db_schema_step(uint64_t version)
{
    return migrations[version - 1].name;
}

bool db_schema(struct db *db, uint64_t *version, struct err *err)
{
    struct copy_tables tables;
    bool any;

    if (!copy_tables_read(db, &tables, err))
        return false;
    any = copy_table_find(&tables, "migrations") != NULL;
    copy_tables_free(&tables);
    *version = 0;
    return !any || ran_so_far(db, version, err);
}

bool db_run_steps(struct db *db, struct err *err)
{
    bool done = false;

    while (!done)
        if (!next_step(db, &done, err))
            return false;
    return true;
}

bool db_migrate(struct db *db, struct err *err)
{
    return db_run_steps(db, err) && store_copy_ended(db, err);
}
