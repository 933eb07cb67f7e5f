/* Receipts of a day lie in a partition (receipt_days.h); how it leaves is in test_receipt_days_end.c.  A file has none. */
#include "tests/support/receipt_days.h"

#include <stdio.h>
#include <string.h>

#include "store/copy.h"

/* The database refuses it; the group it would have been in is not kept. */
static void is_taken(struct place *p, struct receipt_row *row)
{
    struct err err;

    store_fails(ERR_AGAIN, writer_do(p->writer, insert_receipt, row, &err));
    assert_non_null(strstr(err.text, "duplicate key"));
}

/* -- where receipts lie -- */

static void a_job_lies_in_its_day_and_any_other_outside(void **state)
{
    struct place p = place_of(*state);
    struct receipt_row rows[6];
    const uint64_t at[6] = { 0, TODAY * DAY_MS - 1, TODAY * DAY_MS, (TODAY + 1) * DAY_MS - 1, (TODAY + 1) * DAY_MS, (UINT64_C(1) << 48) - 1 };

    have_day(&p, TODAY);
    for (unsigned i = 0; i < 6; i++)
        rows[i] = have_receipt(&p, at[i], i);
    for (unsigned i = 0; i < 6; i++)
        assert_found(p.reader, &rows[i]);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipts_20000"), 2);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipts_rest"), 4);
    leave(&p);
}

static void a_key_is_taken_once_in_a_day_and_outside(void **state)
{
    struct place p = place_of(*state);
    struct receipt_row in_day, outside;

    have_day(&p, TODAY);
    in_day = have_receipt(&p, TODAY * DAY_MS + 5, 1);
    outside = have_receipt(&p, 5, 1);
    is_taken(&p, &in_day);
    is_taken(&p, &outside);
    /* A day of which receipts lie outside is not made, or the key would be free again. */
    have_day(&p, 0);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipt_days"), 1);
    is_taken(&p, &outside);
    leave(&p);
}

/* Lines of the plan that scan the table or one of its partitions. */
static unsigned scans(struct db *db, const char *explain, const struct receipt_row *row)
{
    char line[256];
    unsigned count = 0;
    struct stmt st;
    struct err err;
    bool any;

    store_ok(db_prepare(db, explain, &st, &err));
    stmt_bind_job_id(&st, &row->signed_.receipt.job_id);
    if (strchr(strchr(explain, '?') + 1, '?') != NULL)
        stmt_bind_job_id(&st, &row->signed_.receipt.job_id);
    for (;;) {
        store_ok(stmt_step(&st, &any, &err));
        if (!any)
            return count;
        stmt_text(&st, line, sizeof line);
        count += strstr(line, "Scan") != NULL && strstr(line, " on receipts_") != NULL && strstr(line, "never executed") == NULL;
    }
}

static void who_asks_for_a_job_looks_into_one_partition(void **state)
{
    struct place p = place_of(*state);
    struct receipt_row row;

    for (uint64_t day = TODAY; day < TODAY + 9; day++) {
        have_day(&p, day);
        row = have_receipt(&p, day * DAY_MS + 1, 1);
    }
    assert_int_equal(scans(p.reader, "EXPLAIN SELECT state FROM receipts WHERE job_id = ?", &row), 1);
    assert_int_equal(scans(p.reader, "EXPLAIN SELECT state FROM receipts WHERE job_id BETWEEN ? AND ?", &row), 1);
    assert_int_equal(scans(p.reader, "EXPLAIN (ANALYZE) SELECT r.state FROM unnest(ARRAY[?]::BYTEA[]) AS k (job) JOIN receipts r ON"
                                     " r.job_id = k.job", &row), 1);
    assert_int_equal(scans(p.reader, "EXPLAIN SELECT state FROM receipts WHERE (job_id, provider) > (?, '')", &row), 10);
    leave(&p);
}

struct counting { struct receipt_row last; unsigned count; };

static bool newest_first(void *self, const struct receipt_row *row, struct err *err)
{
    struct counting *c = self;

    (void)err;
    assert_true(c->count == 0 || memcmp(row->signed_.receipt.job_id.b, c->last.signed_.receipt.job_id.b, sizeof(struct job_id)) < 0);
    c->last = *row;
    c->count++;
    return true;
}

/* By this session, of all partitions; whole: reading all of one. */
struct scans { int64_t whole, searches, of_today; };

static struct scans scans_so_far(struct db *db)
{
    return (struct scans){
        store_number(db, "SELECT SUM(seq_scan)::BIGINT FROM pg_stat_xact_user_tables WHERE relname LIKE 'receipts%'"),
        store_number(db, "SELECT SUM(idx_scan)::BIGINT FROM pg_stat_xact_user_tables WHERE relname LIKE 'receipts%'"),
        store_number(db, "SELECT idx_scan FROM pg_stat_xact_user_tables WHERE relid = 'receipts_20000'::regclass"),
    };
}

/* The way is chosen while the database knows the partition to be empty, and must be right when it is full. */
static void many_jobs_of_a_day_are_a_search_each_however_full_it_is(void **state)
{
    enum { ASKED = 200 };
    struct store_fixture *f = *state;
    struct place p = place_of(f);
    struct job_id jobs[ASKED];
    bool known[ASKED];
    struct err err;

    have_day(&p, TODAY);
    have_day(&p, TODAY + 1);
    store_sql(f->db, "ANALYZE receipts_20000");
    for (unsigned i = 0; i < ASKED; i++)
        jobs[i] = receipt_at(TODAY * DAY_MS + i, i).signed_.receipt.job_id;
    for (unsigned round = 0; round < 2; round++) {
        struct scans before, after;

        store_ok(db_begin(f->db, &err));
        before = scans_so_far(f->db);
        store_ok(store_receipt_jobs_known(f->db, jobs, ASKED, jobs[0], jobs[ASKED - 1], known, &err));
        after = scans_so_far(f->db);
        db_rollback(f->db);
        assert_int_equal(after.whole - before.whole, 0);
        assert_int_equal(after.searches - before.searches, ASKED);
        assert_int_equal(after.of_today - before.of_today, ASKED);
        for (unsigned i = 0; i < ASKED; i++)
            assert_int_equal(known[i], round == 1 && i % 2 == 1);
        for (unsigned i = 1; round == 0 && i < ASKED; i += 2)
            have_receipt(&p, TODAY * DAY_MS + i, i);
    }
    leave(&p);
}

static void a_list_goes_through_all_days(void **state)
{
    struct place p = place_of(*state);
    struct counting c = { .count = 0 };
    struct receipt_row newest = { 0 };
    struct err err;

    have_day(&p, TODAY);
    have_day(&p, TODAY + 2);
    for (unsigned i = 0; i < 40; i++)
        newest = have_receipt(&p, (TODAY - 1) * DAY_MS + i * (DAY_MS / 8), i);
    store_ok(store_receipts_before(p.reader, newest.signed_.receipt.job_id, newest.signed_.receipt.provider, 100, newest_first, &c, &err));
    assert_int_equal(c.count, 39);
    leave(&p);
}

/* -- a store of before -- */

static void a_store_of_before_goes_on(void **state)
{
    static const char before[] =
        "DROP INDEX receipts_billed; ALTER TABLE receipts DROP COLUMN beside;"
        "ALTER TABLE receipts DETACH PARTITION receipts_rest; DROP TABLE receipts; ALTER TABLE receipts_rest RENAME TO receipts;"
        "ALTER INDEX receipts_rest_batch RENAME TO receipts_batch; ALTER INDEX receipts_rest_held RENAME TO receipts_held;"
        "DROP FUNCTION receipt_day_make, receipt_day_watch, receipt_day_drop, receipt_day_changed, receipt_jobs_known;"
        "DROP TABLE receipt_days, group_sums;"
        "DELETE FROM migrations WHERE name >= '0019'";
    struct store_fixture *f = *state;
    struct place p = place_of(f);
    struct receipt_row rows[20];

    for (unsigned i = 0; i < 20; i++)
        rows[i] = have_receipt(&p, TODAY * DAY_MS + i, i);
    leave(&p);
    store_sql(f->db, before);
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM pg_class WHERE oid = 'receipts'::regclass AND relkind = 'r'"), 1);
    p = place_of(f);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM pg_class WHERE oid = 'receipts'::regclass AND relkind = 'p'"), 1);
    /* Its primary key, all of its other indices and what it refers to, each the parent's. */
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid"
                                            " WHERE x.indrelid = 'receipts_rest'::regclass"), 4);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM pg_index WHERE indrelid = 'receipts_rest'::regclass"), 4);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM pg_constraint WHERE conrelid = 'receipts_rest'::regclass AND"
                                            " contype = 'f'"), 1);
    for (unsigned i = 0; i < 20; i++)
        assert_found(p.reader, &rows[i]);
    is_taken(&p, &rows[3]);
    have_day(&p, TODAY + 1);
    have_receipt(&p, (TODAY + 1) * DAY_MS, 50);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipts_20001"), 1);
    leave(&p);
}

/* -- others -- */

struct gateway { struct place place; pthread_t thread; unsigned number; };

static void *make_and_post(void *self)
{
    struct gateway *g = self;

    for (uint64_t day = TODAY; day < TODAY + 8; day++) {
        have_day(&g->place, day);
        for (unsigned i = 0; i < 5; i++)
            have_receipt(&g->place, day * DAY_MS + i, 100 * g->number + i);
    }
    return NULL;
}

static void gateways_make_days_at_once(void **state)
{
    struct gateway g[2] = { { .place = place_of(*state), .number = 1 }, { .place = place_of(*state), .number = 2 } };

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&g[i].thread, NULL, make_and_post, &g[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(g[i].thread, NULL);
    assert_int_equal(store_number(g[0].place.reader, "SELECT COUNT(*) FROM receipts"), 80);
    assert_int_equal(store_number(g[0].place.reader, "SELECT COUNT(*) FROM receipt_days"), 8);
    assert_int_equal(store_number(g[0].place.reader, "SELECT COUNT(*) FROM receipts_rest"), 0);
    leave(&g[0].place);
    leave(&g[1].place);
}

static void tell_nobody(void *self, const char *table, uint64_t rows)
{
    (void)self, (void)table, (void)rows;
}

static void days_are_copied_as_receipts(void **state)
{
    struct store_fixture *f = *state;
    struct copy_report there, back;
    char file[STORE_URL], second[STORE_URL];
    struct place p = place_of(f);
    struct db *copy;
    struct err err;

    for (uint64_t day = TODAY; day < TODAY + 3; day++)
        have_day(&p, day);
    for (unsigned i = 0; i < 500; i++)
        have_receipt(&p, (TODAY - 1) * DAY_MS + i * (DAY_MS / 100), i);
    leave(&p);
    snprintf(file, sizeof file, "sqlite:%s/file.db", f->dir);
    store_place_new("", second);
    store_ok(store_copy(f->url, file, tell_nobody, NULL, &there, &err));
    store_ok(store_copy(file, second, tell_nobody, NULL, &back, &err));
    assert_memory_equal(&there.digest, &back.digest, sizeof there.digest);
    store_ok(db_open(second, DB_READ, &copy, &err));
    assert_int_equal(store_number(copy, "SELECT COUNT(*) FROM receipts"), 500);
    db_close(copy);
    store_place_gone(second);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(a_job_lies_in_its_day_and_any_other_outside),
        ON_STORE(a_key_is_taken_once_in_a_day_and_outside),
        ON_STORE(who_asks_for_a_job_looks_into_one_partition),
        ON_STORE(many_jobs_of_a_day_are_a_search_each_however_full_it_is),
        ON_STORE(a_list_goes_through_all_days),
        ON_STORE(a_store_of_before_goes_on),
        ON_STORE(gateways_make_days_at_once),
        ON_STORE(days_are_copied_as_receipts),
    };

    if (store_place_is_sqlite()) {
        print_message("store: a file has no days, scripts/with-postgres gives a database that has\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: days of receipts", tests, NULL, NULL);
}
