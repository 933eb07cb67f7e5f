/* Many rows and keys at once (stmt_exec_rows, db_each_key): a driver may send them together, and nobody sees a difference. */
#include "tests/support/store_fixture.h"

#include "store/meta.h"

static void add(struct db *db, unsigned n)
{
    struct receipt_row row = some_receipt(n);
    struct err err = { 0 };

    row.reason[0] = row.faults[0] = '\0';
    store_ok(store_receipt_insert(db, &row, &err));
}

static uint64_t receipts(struct db *db)
{
    return (uint64_t)store_number(db, "SELECT COUNT(*) FROM receipts");
}

static void what_is_read_sees_the_rows_before_it(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row, second = some_receipt(2);
    struct err err = { 0 };
    bool found;

    store_ok(db_begin(f->db, &err));
    for (unsigned n = 1; n <= 3; n++)
        add(f->db, n);
    store_ok(store_receipt_find(f->db, second.signed_.receipt.job_id, second.signed_.receipt.provider, &row, &found, &err));
    assert_true(found);
    assert_memory_equal(&row.hash, &second.hash, sizeof row.hash);
    assert_amount_equal(row.amount, second.amount);
    add(f->db, 4);
    store_ok(db_commit(f->db, &err));
    assert_int_equal(receipts(f->db), 4);
}

static void a_task_takes_back_its_own_rows_only(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    add(f->db, 1);
    store_ok(db_savepoint(f->db, &err));
    add(f->db, 2);
    store_ok(db_savepoint_release(f->db, &err));
    store_ok(db_savepoint(f->db, &err));
    add(f->db, 3);
    db_savepoint_rollback(f->db);
    store_ok(db_savepoint(f->db, &err));
    add(f->db, 4);
    store_ok(store_meta_set(f->db, "lost", 1, &err));     /* more than a row: a savepoint is set between */
    add(f->db, 5);
    db_savepoint_rollback(f->db);
    add(f->db, 6);
    store_ok(db_commit(f->db, &err));
    assert_int_equal(receipts(f->db), 3);
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM meta WHERE key = 'lost'"), 0);
}

static void a_transaction_takes_back_all_rows(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    add(f->db, 1);
    db_rollback(f->db);
    store_ok(db_begin(f->db, &err));
    add(f->db, 2);
    store_ok(db_commit(f->db, &err));
    assert_int_equal(receipts(f->db), 1);
}

/* The second of one key: at once, or with the commit, and once more where each answers for itself. */
static void a_row_that_is_there_already_is_a_conflict(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1);
    struct err err = { 0 };

    row.reason[0] = row.faults[0] = '\0';
    store_ok(db_begin(f->db, &err));
    add(f->db, 1);
    store_ok(db_commit(f->db, &err));
    for (int i = 0; i < 2; i++) {
        store_ok(db_begin(f->db, &err));
        err.code = ERR_NONE;
        if (store_receipt_insert(f->db, &row, &err) && db_flush(f->db, &err))
            assert_true(i == 0 && !db_commit(f->db, &err));
        else
            db_rollback(f->db);
        assert_int_equal(err.code, ERR_CONFLICT);
    }
    assert_int_equal(receipts(f->db), 1);
}

/* More than any driver sends at once. */
static void there_may_be_very_many(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    for (unsigned n = 0; n < 25000; n++) {
        struct receipt_row row = some_receipt(1);

        row.reason[0] = row.faults[0] = '\0';
        row.signed_.receipt.job_id.b[14] = (uint8_t)(n >> 8);
        row.signed_.receipt.job_id.b[15] = (uint8_t)n;
        store_ok(store_receipt_insert(f->db, &row, &err));
    }
    store_ok(db_commit(f->db, &err));
    assert_int_equal(receipts(f->db), 25000);
}

/* ---- keys ---- */

static void bind_number(const void *self, size_t i, struct stmt *st)
{
    (void)self;
    stmt_bind_text(st, (const char *const[]){ "none", "two", "one" }[i % 3]);
}

static bool note(void *self, size_t i, struct stmt *st, struct err *err)
{
    (void)err;
    ((uint64_t *)self)[i] += stmt_u64(st);
    return true;
}

static void each_key_has_its_own_rows(void **state)
{
    enum { KEYS = 3000 };
    struct store_fixture *f = *state;
    uint64_t found[KEYS] = { 0 };
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "one", 1, &err) && store_meta_set(f->db, "two", 2, &err));
    for (size_t count = 0; count <= KEYS; count += KEYS / 2) {
        memset(found, 0, sizeof found);
        store_ok(db_each_key(f->db, "SELECT value FROM meta WHERE key = ?", count, bind_number, note, found, &err));
        for (size_t i = 0; i < KEYS; i++)
            assert_int_equal(found[i], i >= count || i % 3 == 0 ? 0 : 3 - i % 3);
    }
    store_ok(db_commit(f->db, &err));
}

static bool refuse(void *self, size_t i, struct stmt *st, struct err *err)
{
    (void)self, (void)i, (void)st;
    return err_set(err, ERR_LIMIT, "enough");
}

static void a_visitor_may_end_it(void **state)
{
    struct store_fixture *f = *state;
    uint64_t found[3] = { 0 };
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "one", 1, &err));
    store_fails(ERR_LIMIT, db_each_key(f->db, "SELECT value FROM meta WHERE key = ?", 3, bind_number, refuse, NULL, &err));
    store_ok(db_each_key(f->db, "SELECT value FROM meta WHERE key = ?", 3, bind_number, note, found, &err));
    assert_int_equal(found[2], 1);
    store_ok(db_commit(f->db, &err));
}

/* ---- keys that are known early ---- */

static const char value_of[] = "SELECT value FROM meta WHERE key = ?";

static void bind_other(const void *self, size_t i, struct stmt *st)
{
    bind_number(self, i + 1, st);
}

static void assert_values(struct db *db, bind_key_fn *bind, uint64_t first, uint64_t second, uint64_t third)
{
    uint64_t found[3] = { 0 };
    struct err err = { 0 };

    store_ok(db_each_key(db, value_of, 3, bind, note, found, &err));
    assert_true(found[0] == first && found[1] == second && found[2] == third);
}

static void what_is_asked_early_is_answered_for_the_same_keys(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "one", 1, &err) && store_meta_set(f->db, "two", 2, &err));
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    assert_values(f->db, bind_number, 0, 2, 1);
    assert_values(f->db, bind_number, 0, 2, 1);             /* the answer is taken once */

    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    assert_values(f->db, bind_other, 2, 1, 0);
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_other, NULL, &err));
    store_ok(db_flush(f->db, &err));
    assert_values(f->db, bind_other, 2, 1, 0);
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    store_ok(db_commit(f->db, &err));                       /* nobody took it */
}

static void what_was_asked_early_goes_with_what_is_undone(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "one", 1, &err));
    store_ok(db_savepoint(f->db, &err));
    store_ok(store_meta_set(f->db, "one", 5, &err));
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    db_savepoint_rollback(f->db);
    assert_values(f->db, bind_number, 0, 0, 1);
    store_ok(db_each_key_soon(f->db, value_of, 3, bind_number, NULL, &err));
    db_rollback(f->db);
    store_ok(db_begin(f->db, &err));
    assert_values(f->db, bind_number, 0, 0, 0);
    store_ok(db_commit(f->db, &err));
}

/* ---- what is answered with the commit ---- */

static void set_settings(struct db *db, uint64_t from)
{
    struct stmt st;
    struct err err = { 0 };

    store_ok(db_prepare(db, "UPDATE meta SET value = ? WHERE key = 'settings' AND value = ?", &st, &err));
    stmt_bind_u64(&st, from + 1);
    stmt_bind_u64(&st, from);
    store_ok(stmt_exec_later(&st, 1, &err) || err.code == ERR_BUG);     /* SQLite says it at once */
}

static void a_commit_keeps_nothing_where_a_row_was_not_as_it_should_be(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    if (!db_is_shared(f->db))
        return;                               /* nothing is told later there */
    store_ok(db_begin(f->db, &err));
    set_settings(f->db, 0);
    store_ok(db_commit(f->db, &err));
    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "beside", 1, &err));
    set_settings(f->db, 0);
    assert_false(db_commit(f->db, &err));
    assert_int_equal(err.code, ERR_BUG);
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM meta WHERE key = 'beside'"), 0);
    assert_int_equal(store_number(f->db, "SELECT value FROM meta WHERE key = 'settings'"), 1);
}

static void what_is_refused_with_the_commit_names_itself(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    if (!db_is_shared(f->db))
        return;
    store_ok(db_begin(f->db, &err));
    add(f->db, 1);
    store_ok(db_commit(f->db, &err));
    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "beside", 1, &err));
    add(f->db, 1);
    assert_false(db_commit(f->db, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.text, "INSERT INTO receipts"));
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM meta WHERE key = 'beside'"), 0);
    store_ok(db_begin(f->db, &err));
    store_ok(store_meta_set(f->db, "beside", 1, &err));
    store_ok(db_commit(f->db, &err));
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(what_is_read_sees_the_rows_before_it), ON_STORE(a_task_takes_back_its_own_rows_only), ON_STORE(a_transaction_takes_back_all_rows),
        ON_STORE(a_row_that_is_there_already_is_a_conflict), ON_STORE(there_may_be_very_many), ON_STORE(each_key_has_its_own_rows),
        ON_STORE(a_visitor_may_end_it), ON_STORE(what_is_asked_early_is_answered_for_the_same_keys),
        ON_STORE(what_was_asked_early_goes_with_what_is_undone), ON_STORE(a_commit_keeps_nothing_where_a_row_was_not_as_it_should_be),
        ON_STORE(what_is_refused_with_the_commit_names_itself),
    };

    return cmocka_run_group_tests_name("store: many at once", tests, NULL, NULL);
}
