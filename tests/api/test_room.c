/* Memory for requests: one total, of which large ones leave a part to small ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "api/room.h"

#define MAX ((size_t)1024 * 1024)

static void what_is_taken_is_given_back(void **state)
{
    struct room room;
    struct room_share a = { .room = &room }, b = { .room = &room };

    (void)state;
    room_init(&room, MAX);
    assert_true(room_take(&a, 1000));
    assert_true(room_fit(&b, 500));
    assert_true(room_fit(&b, 200));
    assert_int_equal(room.used, 1200);
    room_set(&a, 0);
    room_set(&b, 0);
    assert_int_equal(room.used, 0);
    assert_int_equal(room.refused, 0);
}

static void large_ones_leave_the_last_quarter(void **state)
{
    struct room room;
    struct room_share large = { .room = &room }, small = { .room = &room };

    (void)state;
    room_init(&room, MAX);
    assert_true(room_take(&large, MAX / 4 * 3));
    assert_false(room_take(&large, 1));
    assert_true(room_take(&small, ROOM_LITTLE));
    assert_false(room_take(&small, 1));       /* it is large now */
    assert_int_equal(room.used, MAX / 4 * 3 + ROOM_LITTLE);
    assert_int_equal(room.refused, 2);
}

static void nothing_passes_the_total(void **state)
{
    struct room room;
    struct room_share small[2] = { { .room = &room }, { .room = &room } };

    (void)state;
    room_init(&room, ROOM_LITTLE);
    assert_true(room_take(&small[0], ROOM_LITTLE - 10));
    assert_true(room_has(&small[1], 10));
    assert_false(room_has(&small[1], 11));
    assert_false(room_take(&small[1], 11));
    assert_false(room_take(&small[1], SIZE_MAX));
    assert_true(room_take(&small[1], 10));
}

/* What must be told is held all the same; those who come after wait until it is gone. */
static void what_was_done_may_go_over(void **state)
{
    struct room room;
    struct room_share a = { .room = &room }, b = { .room = &room };

    (void)state;
    room_init(&room, ROOM_LITTLE);
    room_set(&a, 3 * ROOM_LITTLE);
    assert_false(room_take(&b, 1));
    room_set(&a, 0);
    assert_true(room_take(&b, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_given_back), cmocka_unit_test(large_ones_leave_the_last_quarter),
        cmocka_unit_test(nothing_passes_the_total), cmocka_unit_test(what_was_done_may_go_over),
    };

    return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
