/* What groups beside others left is in the tables of sums soon, whoever lives.  (A file has one writer: it leaves nothing.) */
#include "tests/support/side.h"

#include "store/sums.h"

static bool waits_for_fold(struct store_fixture *f, uint64_t receipts)
{
    for (unsigned i = 0; i < SOON_MS / 10; i++, clock_sleep_ms(10))
        if (receipts_of_batch(f) == receipts)
            return true;
    return false;
}

static void a_writer_without_work_folds(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side one = { 0 };

    side_start(&one, t.a, leave_one);
    assert_true(side_end(&one));
    assert_true(waits_for_fold(f, 1));
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM group_sums"), 0);
    close_two(&t);
}

/* It has no idle moment: its own groups come one after the other. */
static void a_busy_writer_folds_by_and_by(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    unsigned in_turn = 0, groups = 0;

    for (; in_turn < 2 && groups < 2000; groups++) {
        struct side s = { 0 };

        side_start(&s, t.a, leave_one);
        assert_true(side_end(&s));
        in_turn += s.beside == 0;
    }
    assert_int_equal(in_turn, 2);
    assert_int_equal(receipts_of_batch(f), groups);       /* the last one was a turn */
    close_two(&t);
    assert_int_equal(receipts_of_batch(f), groups);
}

/* As of one that is killed after its COMMIT: two receipts in a row that is nobody's who lives. */
static void leave_and_die(struct store_fixture *f, struct db **dead, struct db_place *place)
{
    struct sum sum = { .key = { .kind = SUM_BATCH, .number = 1 }, .amount = amount_from_u64(4), .count = 2 };
    struct err err = { 0 };
    struct buf sums;

    buf_init(&sums);
    store_sum_pack(&sum, &sums);
    store_ok(db_open(f->url, DB_WRITE, dead, &err) && db_begin_beside(*dead, place, &err)
             && store_sums_keep(*dead, 700, 9000, 1000, &sums, &err) && db_commit(*dead, &err));
    buf_clear(&sums);
}

static void what_a_dead_writer_left_the_next_turn_folds(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_writer(f, &f->clock);
    struct db_place place;
    struct group group;
    struct db *dead;

    leave_and_die(f, &dead, &place);
    assert_int_equal(place.writers, 2);
    group = one_turn(w);
    assert_int_equal(receipts_of_batch(f), 2);
    assert_int_equal(group.number, 701);
    assert_int_equal(group.now_ms, 9001);
    db_close(dead);
    writer_close(w);
}

static void what_all_left_who_died_the_first_that_starts_folds(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_writer(f, &f->clock);
    struct db_place place;
    struct db *dead;

    writer_close(w);                          /* who made the tables */
    leave_and_die(f, &dead, &place);
    w = open_writer(f, &f->clock);
    assert_true(waits_for_fold(f, 2));
    db_close(dead);
    writer_close(w);
}

#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_writer_without_work_folds), ON_DATABASE(a_busy_writer_folds_by_and_by),
        ON_DATABASE(what_a_dead_writer_left_the_next_turn_folds), ON_DATABASE(what_all_left_who_died_the_first_that_starts_folds),
    };

    if (store_place_is_sqlite()) {
        print_message("store: groups beside others are a database's, scripts/with-postgres gives one\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: sums of groups beside others", tests, NULL, NULL);
}
