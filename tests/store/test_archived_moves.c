/* The pages of a batch leave in turns of about the same length, however many receipts a page has. */
#include "tests/support/store_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/archived.h"

#define AT_ONCE 100u

/* Behind those that there are; each has a frame. */
static void add_page(struct store_fixture *f, uint64_t batch, uint64_t count)
{
    char sql[400];

    snprintf(sql, sizeof sql, "INSERT INTO receipt_pages (id, batch, count, received_at, accepted_at, price_version, promise, promise_first)"
                              " SELECT COALESCE(MAX(id), 0) + 1, %" PRIu64 ", %" PRIu64 ", 600, 600, 1, 1, 0 FROM receipt_pages;"
                              "INSERT INTO receipt_frames (page, frame, packed, amounts) SELECT MAX(id), 0, x'00', x'00' FROM receipt_pages;",
             batch, count);
    store_sql(f->db, sql);
}

static bool dropped(struct store_fixture *f, uint64_t batch, uint64_t at_once)
{
    bool done = false;
    struct err err = { 0 };

    store_ok(store_archived_drop_pages(f->db, batch, at_once, &done, &err));
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM receipt_frames"), store_number(f->db, "SELECT COUNT(*) FROM receipt_pages"));
    return !done;
}

static int64_t left(struct store_fixture *f)
{
    return store_number(f->db, "SELECT COUNT(*) FROM receipt_pages WHERE batch = 1");
}

static void a_turn_takes_pages_of_so_many_receipts(void **state)
{
    static const struct { uint64_t counts[12], turns[6]; } cases[] = {
        { { 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8 }, { 12 } },
        { { 50, 50, 50, 50, 1 }, { 2, 2, 1 } },
        { { 99, 2, 98, 1 }, { 1, 2, 1 } },
        { { 38000, 38000 }, { 1, 1 } },
        { { 8, 38000, 8, 8 }, { 1, 1, 2 } },
        { { 101, 100, 8 }, { 1, 1, 1 } },
    };
    struct store_fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add_page(f, 2, 8);                    /* another batch's, in front and behind */
        for (size_t page = 0; page < 12 && cases[i].counts[page] > 0; page++)
            add_page(f, 1, cases[i].counts[page]);
        add_page(f, 2, 8);
        for (size_t turn = 0; turn < 6 && cases[i].turns[turn] > 0; turn++) {
            int64_t before = left(f);

            assert_true(dropped(f, 1, AT_ONCE));
            assert_int_equal(before - left(f), cases[i].turns[turn]);
        }
        assert_int_equal(left(f), 0);
        assert_false(dropped(f, 1, AT_ONCE));
        assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM receipt_pages"), 2 * (i + 1));
    }
}

static void nor_too_many_pages_at_once(void **state)
{
    struct store_fixture *f = *state;

    for (size_t i = 0; i < 600; i++)
        add_page(f, 1, 1);
    assert_true(dropped(f, 1, 4096));
    assert_int_equal(left(f), 600 - 512);
    assert_true(dropped(f, 1, 4096));
    assert_int_equal(left(f), 0);
}

static void nothing_is_under_way_when_the_last_has_gone(void **state)
{
    struct archived_batch batch = { .batch = 1, .sequence = 1 };
    struct store_fixture *f = *state;
    struct err err = { 0 };

    store_ok(store_archived_begin(f->db, &batch, &err));
    add_page(f, 1, 8);
    assert_true(dropped(f, 1, AT_ONCE));
    assert_int_equal(store_number(f->db, "SELECT done FROM archived_batches"), 0);
    assert_false(dropped(f, 1, AT_ONCE));
    assert_int_equal(store_number(f->db, "SELECT done FROM archived_batches"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_takes_pages_of_so_many_receipts, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(nor_too_many_pages_at_once, store_db_setup, store_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_under_way_when_the_last_has_gone, store_db_setup, store_teardown),
    };

    return cmocka_run_group_tests_name("archived moves", tests, NULL, NULL);
}
