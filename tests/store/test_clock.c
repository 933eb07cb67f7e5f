/* What the writer makes of a clock that was wrong, or is. */
#include "tests/support/store_fixture.h"

#define HOUR_MS UINT64_C(3600000)
#define NOW UINT64_C(1790718319139)

static bool note_times(void *self, struct group *group, struct err *err)
{
    (void)err;
    *(struct group *)self = *group;
    return true;
}

static struct writer *open_at(struct store_fixture *f, uint64_t now_ms)
{
    struct writer *w;
    struct err err;

    f->now_ms = now_ms;
    store_ok(writer_open(f->url, &f->clock, &w, &err));
    return w;
}

static void a_clock_far_behind_what_it_said_is_not_believed(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_at(f, NOW + 25 * HOUR_MS);
    struct group g;
    struct err err;

    store_ok(writer_do(w, note_times, &g, &err));
    f->now_ms = NOW;
    store_fails(ERR_AGAIN, writer_do(w, note_times, &g, &err));
    assert_non_null(strstr(err.text, "the clock is 90000 s behind what it said before"));
    assert_false(writer_healthy(w));
    writer_close(w);
    w = open_at(f, NOW + HOUR_MS);                /* a restart changes nothing */
    store_fails(ERR_AGAIN, writer_do(w, note_times, &g, &err));
    f->now_ms = NOW + 25 * HOUR_MS - CLOCK_BACK_MAX_MS;
    store_ok(writer_do(w, note_times, &g, &err));
    assert_true(writer_healthy(w));
    writer_close(w);
}

static void a_person_says_that_the_clock_was_wrong_before(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_at(f, NOW + 25 * HOUR_MS);
    struct group ahead, g;
    struct err err;

    store_ok(writer_do(w, note_times, &ahead, &err));
    writer_close(w);
    w = open_at(f, NOW);
    store_ok(writer_trust_clock(w, &err));
    writer_close(w);
    w = open_at(f, NOW + 1000);
    store_ok(writer_do(w, note_times, &g, &err));
    assert_true(g.now_ms > ahead.now_ms);         /* the order of the books goes on */
    assert_int_equal(g.clock_ms, NOW + 1000);     /* the time of day is today's */
    f->now_ms = NOW - HOUR_MS;                    /* and is the measure from now on */
    store_fails(ERR_AGAIN, writer_do(w, note_times, &g, &err));
    writer_close(w);
}

static void a_clock_a_little_behind_is_as_good_as_the_order(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_at(f, NOW);
    struct group g;
    struct err err;

    store_ok(writer_do(w, note_times, &g, &err));
    f->now_ms = NOW - CLOCK_BACK_MAX_MS + 2;
    store_ok(writer_do(w, note_times, &g, &err));
    assert_int_equal(g.now_ms, NOW + 1);
    assert_int_equal(g.clock_ms, g.now_ms);
    writer_close(w);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(a_clock_far_behind_what_it_said_is_not_believed),
        IN_DIR(a_person_says_that_the_clock_was_wrong_before),
        IN_DIR(a_clock_a_little_behind_is_as_good_as_the_order),
    };

    return cmocka_run_group_tests_name("store: clock", tests, NULL, NULL);
}
