/* Where receipts of a day lie together (store/receipt_days.h) they leave together.  A file has no days. */
#include "tests/settle/retention_world.h"

#include "store/receipt_days.h"

#define TODAY (FIXTURE_NOW / DAY_MS)

static bool make_days(void *self, struct group *group, struct err *err)
{
    (void)self;
    return store_day_make(group->db, TODAY - 1, err) && store_day_make(group->db, TODAY, err) && store_day_make(group->db, TODAY + 1, err);
}

/* The settled batch lies in three days, closed two minutes before the last begins, and with it a receipt of a stranger, which is held. */
static struct kept *begin_in_days(void **state, struct signed_receipt *held)
{
    struct world *w = *state;
    struct intake_item item;
    struct err err = { 0 };

    w->now_ms = (TODAY + 1) * DAY_MS - 120000;
    if (!writer_do(w->writer, make_days, NULL, &err))
        fail_msg("%s", err.text);
    *held = world_receipt(w, &w->stranger, 5);
    item = world_post_one(w, held);
    assert_item(&item, ITEM_QUARANTINED, CODE_UNKNOWN_PROVIDER);
    return begin(state, false);
}

static void a_day_leaves_at_once_when_all_of_it_may(void **state)
{
    struct signed_receipt held;
    struct kept *k = begin_in_days(state, &held);

    leave(k, 1000);
    /* Its batch has, it has not: it ended less than seven days ago.  The job that claims to be of the next day is not kept until that ends. */
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM archived_batches WHERE moved = frames AND done = 0"), 1);
    assert_int_equal(in_store(k), ALL);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_pages"), 2);
    check(k, 11);
    k->w->now_ms += DAY_MS;
    leave(k, 1000);
    assert_int_equal(in_store(k), 2);         /* the one with an operator's reason; the held one */
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipts_rest"), 2);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_pages"), 0);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_frames"), 0);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM archived_batches WHERE done = 1"), 1);
    check(k, 11);
    assert_int_equal(world_row(k->w, &held).state, RECEIPT_QUARANTINED);
    assert_books_balance(k->w);
    end(k);
}

static void a_day_waits_for_batches_that_have_not_left(void **state)
{
    struct signed_receipt held;
    struct kept *k = begin_in_days(state, &held);

    world_script(k->w, "UPDATE batches SET state = 6 WHERE number = 1");
    k->w->now_ms += 3 * DAY_MS;
    assert_int_equal(leave(k, 1000), 0);
    assert_int_equal(in_store(k), ALL + 1);
    world_script(k->w, "UPDATE batches SET state = 7 WHERE number = 1");
    leave(k, 1000);
    assert_int_equal(in_store(k), 2);
    end(k);
}

static void days_are_made_before_they_come(void **state)
{
    struct kept *k = begin(state, false);
    struct signed_receipt r;
    struct intake_item item;

    leave(k, 1000);
    r = world_receipt(k->w, &k->w->other, 7);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipt_days"), 4);
    assert_int_equal(world_count(k->w, "SELECT MIN(day) FROM receipt_days"), k->w->now_ms / DAY_MS);
    item = world_post_one(k->w, &r);
    assert_item(&item, ITEM_ACCEPTED, CODE_ACCEPTED);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM receipts_rest"), 1);         /* of before: with a reason */
    assert_int_equal(in_store(k), 2);
    end(k);
}

static void killed_when_a_day_was_dropped_it_goes_on(void **state)
{
    static const char *const places[] = { "retention_moved", "retention_day", "retention_dropped" };
    struct signed_receipt held;
    struct kept *k = begin_in_days(state, &held);

    k->w->now_ms += DAY_MS;
    kill_at(k, places, ARRAY_LEN(places));
    check(k, 11);
    leave(k, 1000);
    assert_int_equal(in_store(k), 2);
    assert_int_equal(world_count(k->w, "SELECT COUNT(*) FROM archived_batches WHERE done = 1"), 1);
    check(k, 11);
    end(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_day_leaves_at_once_when_all_of_it_may),
        WITH_WORLD(a_day_waits_for_batches_that_have_not_left),
        WITH_WORLD(days_are_made_before_they_come),
        WITH_WORLD(killed_when_a_day_was_dropped_it_goes_on),
    };

    if (store_place_is_sqlite()) {
        print_message("retention: a file has no days, scripts/with-postgres gives a database that has\n");
        return 0;
    }
    return cmocka_run_group_tests_name("retention in days", tests, NULL, NULL);
}
