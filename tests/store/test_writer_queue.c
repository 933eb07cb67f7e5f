#include "tests/support/store_fixture.h"

#include <time.h>

static bool note_time(void *self, struct group *group, struct err *err)
{
    (void)err;
    *(uint64_t *)self = group->now_ms;
    return true;
}

static void a_full_queue_takes_no_more(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, large, small;
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    probe_init(&large, &b, 1);
    large.task.weight = WRITER_QUEUE_MAX;
    probe_init(&small, &b, 2);
    store_ok(writer_submit(b.writer, &large.task, &err));
    store_fails(ERR_AGAIN, writer_submit(b.writer, &small.task, &err));
    gate_open(&b);
    board_wait(&b, 2);
    store_ok(writer_submit(b.writer, &small.task, &err));
    board_wait(&b, 3);
    board_close(&b);
    assert_int_equal(b.succeeded, 3);
}

static void a_group_is_bounded(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[4];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].task.weight = (store_place_is_sqlite() ? WRITER_GROUP_MAX : WRITER_GROUP_FAR) / 2;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    assert_int_equal(probes[1].group, probes[0].group);
    assert_int_equal(probes[2].group, probes[0].group + 1);
    assert_int_equal(probes[3].group, probes[2].group);
}

/* Three of four would go on for too long: the last waits for the next group. */
static void a_group_that_takes_long_is_cut(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[4];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].task.repeatable = i < 3;
        probes[i].takes_ms = i < 3 ? GROUP_MS / 3 + 1 : 0;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    assert_int_equal(b.succeeded, 1 + ARRAY_LEN(probes));
    assert_int_equal(probes[2].group, probes[0].group);
    assert_int_equal(probes[3].group, probes[0].group + 1);
}

static struct task *linked(struct probe *probes, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        probes[i].task.next = &probes[i + 1].task;
    return &probes[0].task;
}

static unsigned turns;

static bool note_turn(struct task *task, struct group *group, struct err *err)
{
    (void)err;
    ((struct probe *)task)->runs = ++turns;
    ((struct probe *)task)->group = group->number;
    return true;
}

static void submit_together(struct board *b, struct probe *probes, size_t count)
{
    struct err err;

    turns = 0;
    for (unsigned i = 0; i < count; i++) {
        probe_init(&probes[i], b, i);
        probes[i].task.run = note_turn;
        probes[i].task.announced = true;
        writer_announce(b->writer);
    }
    assert_null(writer_submit_all(b->writer, linked(probes, count), &err));
}

static void tasks_submitted_together_are_run_in_their_order(void **state)
{
    struct probe gate, probes[3];
    struct board b;

    board_open(&b, *state, true);
    gate_close(&b, &gate);
    submit_together(&b, probes, ARRAY_LEN(probes));
    assert_int_equal(writer_depth(b.writer), ARRAY_LEN(probes));
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        assert_true(probes[i].ok);
        assert_int_equal(probes[i].runs, i + 1);
        assert_int_equal(probes[i].group, gate.group + 1);
    }
}

static void without_a_thread_they_are_run_at_once_each_in_its_group(void **state)
{
    struct probe probes[3];
    struct board b;

    board_open(&b, *state, false);
    submit_together(&b, probes, ARRAY_LEN(probes));
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        assert_true(probes[i].ok);
        assert_int_equal(probes[i].runs, i + 1);
        assert_int_equal(probes[i].group, probes[0].group + i);
    }
    board_close(&b);
}

static void of_tasks_submitted_together_those_from_the_first_that_does_not_fit_are_given_back(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[4];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++)
        probe_init(&probes[i], &b, i);
    probes[1].task.weight = WRITER_QUEUE_MAX - 1;
    assert_ptr_equal(writer_submit_all(b.writer, linked(probes, ARRAY_LEN(probes)), &err), &probes[2].task);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_ptr_equal(probes[2].task.next, &probes[3].task);
    assert_null(probes[3].task.next);
    gate_open(&b);
    board_close(&b);
    assert_true(probes[0].ok && probes[1].ok);
    assert_int_equal(probes[2].runs + probes[3].runs, 0);
}

static void what_is_announced_is_waited_for_but_not_for_long(void **state)
{
    struct store_fixture *f = *state;
    struct timespec began, ended;
    struct probe probe;
    struct board b;
    struct err err;

    board_open(&b, f, true);
    for (unsigned i = 0; i < 3; i++)
        writer_announce(b.writer);
    probe_init(&probe, &b, 0);
    probe.task.announced = true;
    clock_gettime(CLOCK_REALTIME, &began);
    store_ok(writer_submit(b.writer, &probe.task, &err));
    board_wait(&b, 1);                        /* two never come */
    clock_gettime(CLOCK_REALTIME, &ended);
    assert_true(probe.ok);
    /* More than are here were still to come. */
    assert_true((ended.tv_sec - began.tv_sec) * 1000000000L + ended.tv_nsec - began.tv_nsec >= 4000000L);
    board_close(&b);
}

/* Each would take the four milliseconds, if it did. */
static void what_has_a_group_for_itself_waits_for_nobody(void **state)
{
    const int64_t waited_ns = 4000000;
    struct store_fixture *f = *state;
    struct timespec began, ended;
    struct board b;
    int64_t took_ns = waited_ns;
    uint64_t ignored;
    struct err err;

    board_open(&b, f, true);
    writer_announce(b.writer);
    for (int i = 0; took_ns >= waited_ns; i++) {
        assert_true(i < 200);
        clock_gettime(CLOCK_MONOTONIC, &began);
        store_ok(writer_do(b.writer, note_time, &ignored, &err));
        clock_gettime(CLOCK_MONOTONIC, &ended);
        took_ns = (ended.tv_sec - began.tv_sec) * INT64_C(1000000000) + ended.tv_nsec - began.tv_nsec;
    }
    board_close(&b);
}

static void closing_finishes_what_was_taken(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[50];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_close(&b);
    assert_int_equal(b.succeeded, 1 + ARRAY_LEN(probes));
}

static bool wait_within(void *self, struct group *group, struct err *err)
{
    uint64_t ignored;

    (void)group;
    return writer_do(self, note_time, &ignored, err);
}

static void a_task_that_waits_for_its_own_writer_is_a_bug(void **state)
{
    struct store_fixture *f = *state;
    struct board b;
    struct err err;

    board_open(&b, f, false);
    store_fails(ERR_BUG, writer_do(b.writer, wait_within, b.writer, &err));
    store_ok(writer_start(b.writer, &err));
    store_fails(ERR_BUG, writer_do(b.writer, wait_within, b.writer, &err));
    board_close(&b);
}

static void *do_many(void *self)
{
    uint64_t ms, last = 0;
    struct err err;

    for (int i = 0; i < 50; i++, last = ms)
        if (!writer_do(self, note_time, &ms, &err) || ms <= last)
            return self;
    return NULL;
}

static void many_threads_may_wait_at_once(void **state)
{
    struct store_fixture *f = *state;
    pthread_t threads[4];
    struct board b;
    void *failed;

    board_open(&b, f, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, do_many, b.writer), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    board_close(&b);
    assert_int_equal(store_kept(f, "group"), 200);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(a_full_queue_takes_no_more),
        IN_DIR(a_group_is_bounded),
        IN_DIR(a_group_that_takes_long_is_cut),
        IN_DIR(tasks_submitted_together_are_run_in_their_order),
        IN_DIR(without_a_thread_they_are_run_at_once_each_in_its_group),
        IN_DIR(of_tasks_submitted_together_those_from_the_first_that_does_not_fit_are_given_back),
        IN_DIR(what_is_announced_is_waited_for_but_not_for_long),
        IN_DIR(what_has_a_group_for_itself_waits_for_nobody),
        IN_DIR(closing_finishes_what_was_taken),
        IN_DIR(a_task_that_waits_for_its_own_writer_is_a_bug),
        IN_DIR(many_threads_may_wait_at_once),
    };

    return cmocka_run_group_tests_name("store: writer's queue", tests, NULL, NULL);
}
