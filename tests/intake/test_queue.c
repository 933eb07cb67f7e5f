/* Who is next for the threads that verify: whole submissions where they are short, chunks of those that are not. */
#include "gateway/intake/inside.h"
#include "tests/support/fixture.h"

#define MOST 40u

struct line {
    struct intake intake;
    struct submission submissions[MOST];
    struct work works[MOST];
    size_t count;
};

static int line_setup(void **state)
{
    static struct line line;

    line = (struct line){ .intake.thread_count = 2 };
    pthread_cond_init(&line.intake.work_waits, NULL);
    *state = &line;
    return 0;
}

static int line_teardown(void **state)
{
    pthread_cond_destroy(&((struct line *)*state)->intake.work_waits);
    return 0;
}

static struct submission *join(struct line *line, size_t items)
{
    struct submission *s = &line->submissions[line->count];

    s->count = items;
    s->work = &line->works[line->count++];
    queue_add(&line->intake, s);
    return s;
}

static void join_many(struct line *line, size_t count)
{
    for (size_t i = 0; i < count; i++)
        join(line, 1);
}

/* The next turn is so many whole submissions from this one on, in their order. */
static void assert_whole(struct line *line, size_t from, size_t count)
{
    struct turn turn = queue_take(&line->intake);
    const struct submission *s = turn.first;

    assert_true(turn.whole);
    for (size_t i = 0; i < count; i++, s = queue_next(s))
        assert_ptr_equal(s, &line->submissions[from + i]);
    assert_null(s);
}

static void assert_chunk(struct line *line, const struct submission *s, size_t chunk)
{
    struct turn turn = queue_take(&line->intake);

    assert_false(turn.whole);
    assert_ptr_equal(turn.first, s);
    assert_int_equal(turn.chunk, chunk);
}

static void assert_empty(const struct line *line)
{
    assert_null(line->intake.first);
    assert_null(line->intake.last);
    assert_int_equal(line->intake.waiting, 0);
}

static void one_that_waits_alone_is_taken_alone(void **state)
{
    join_many(*state, 1);
    assert_whole(*state, 0, 1);
    assert_empty(*state);
}

static void a_thread_takes_its_share_and_leaves_the_others_theirs(void **state)
{
    join_many(*state, 9);
    assert_whole(*state, 0, 5);
    assert_whole(*state, 5, 2);
    assert_whole(*state, 7, 1);
    assert_whole(*state, 8, 1);
    assert_empty(*state);
}

static void as_many_as_threads_are_one_for_each(void **state)
{
    struct line *line = *state;

    line->intake.thread_count = 8;
    join_many(line, 8);
    for (size_t i = 0; i < 8; i++)
        assert_whole(line, i, 1);
    assert_empty(line);
}

static void no_turn_is_more_than_can_be_waited_for(void **state)
{
    struct line *line = *state;

    line->intake.thread_count = 1;
    join_many(line, WHOLE_MOST + 3);
    assert_whole(line, 0, WHOLE_MOST);
    assert_whole(line, WHOLE_MOST, 3);
    assert_empty(line);
}

static void small_arrays_count_by_their_receipts(void **state)
{
    struct line *line = *state;

    line->intake.thread_count = 1;
    join(line, WHOLE_MOST - 3);
    join(line, 0);
    join(line, 2);
    join(line, 2);
    assert_whole(line, 0, 3);
    assert_whole(line, 3, 1);
    assert_empty(line);
}

static void what_is_not_short_ends_a_turn_and_goes_by_chunks(void **state)
{
    struct line *line = *state;
    struct submission *array, *bundle;

    line->intake.thread_count = 1;
    join_many(line, 2);
    array = join(line, VERIFY_CHUNK + 1);
    bundle = join(line, 1);
    bundle->is_bundle = true;
    join_many(line, 1);
    assert_whole(line, 0, 2);
    assert_chunk(line, array, 0);
    assert_chunk(line, array, 1);
    assert_chunk(line, bundle, 0);
    assert_whole(line, 4, 1);
    assert_empty(line);
}

static void one_of_many_chunks_lets_the_others_come_between(void **state)
{
    struct line *line = *state;
    struct submission *array = join(line, 6 * VERIFY_CHUNK);

    join_many(line, 1);
    for (size_t i = 0; i < 4; i++)
        assert_chunk(line, array, i);
    assert_whole(line, 1, 1);
    assert_chunk(line, array, 4);
    assert_chunk(line, array, 5);
    assert_empty(line);
}

#define IN_LINE(test) cmocka_unit_test_setup_teardown(test, line_setup, line_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LINE(one_that_waits_alone_is_taken_alone),
        IN_LINE(a_thread_takes_its_share_and_leaves_the_others_theirs),
        IN_LINE(as_many_as_threads_are_one_for_each),
        IN_LINE(no_turn_is_more_than_can_be_waited_for),
        IN_LINE(small_arrays_count_by_their_receipts),
        IN_LINE(what_is_not_short_ends_a_turn_and_goes_by_chunks),
        IN_LINE(one_of_many_chunks_lets_the_others_come_between),
    };

    return cmocka_run_group_tests_name("intake: queue", tests, NULL, NULL);
}
