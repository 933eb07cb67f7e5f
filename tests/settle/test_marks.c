/* How runs have gone, as the store keeps it for whoever looks without a service. */
#include "tests/support/store_fixture.h"

#include "gateway/settle/marks.h"

static struct run_marks note(struct store_fixture *f, uint64_t now_ms, bool well)
{
    struct writer *writer;
    struct run_marks marks = { 0 };
    struct err err = { 0 };
    struct db *db;

    f->now_ms = now_ms;
    store_ok(writer_open(f->url, &f->clock, &writer, &err));
    store_ok(marks_note(writer, well, &err));
    writer_close(writer);
    store_ok(db_open(f->url, DB_READ, &db, &err));
    store_ok(marks_load(db, &marks, &err));
    db_close(db);
    return marks;
}

static void stuck_is_since_the_first_failure_of_a_row(void **state)
{
    struct store_fixture *f = *state;
    struct run_marks m;

    m = note(f, 10000, true);
    assert_int_equal(m.last_success_ms, 10000);
    assert_int_equal(m.stuck_since_ms, 0);
    m = note(f, 20000, false);
    assert_int_equal(m.stuck_since_ms, 20000);
    m = note(f, 30000, false);
    assert_int_equal(m.last_success_ms, 10000);
    assert_int_equal(m.stuck_since_ms, 20000);
    m = note(f, 40000, true);
    assert_int_equal(m.last_success_ms, 40000);
    assert_int_equal(m.stuck_since_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stuck_is_since_the_first_failure_of_a_row, store_dir_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
