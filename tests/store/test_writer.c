#include "tests/support/store_fixture.h"

#include "store/meta.h"

static void a_hundred_waiting_tasks_share_one_group(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[100];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    assert_int_equal(writer_depth(b.writer), ARRAY_LEN(probes));
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));

    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        assert_true(probes[i].ok);
        assert_int_equal(probes[i].group, gate.group + 1);
    }
    assert_true(writer_healthy(b.writer));
    assert_int_equal(writer_depth(b.writer), 0);
    board_close(&b);
    assert_int_equal(store_kept(f, "probe99"), gate.group + 1);
    assert_int_equal(store_kept(f, "group"), gate.group + 1);
}

static void one_of_three_fails(struct store_fixture *f, const bool repeatable[3], struct probe probes[3])
{
    struct probe gate;
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < 3; i++) {
        probe_init(&probes[i], &b, i);
        probes[i].fails = i == 1;
        probes[i].task.repeatable = repeatable[i];
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + 3);
    board_close(&b);

    assert_true(probes[0].ok && !probes[1].ok && probes[2].ok);
    assert_int_equal(probes[1].err.code, ERR_INVALID);
    assert_int_equal(store_kept(f, "probe0"), probes[0].group);
    assert_int_equal(store_kept(f, "probe1"), 0);
    assert_int_equal(store_kept(f, "probe2"), probes[0].group);
    assert_int_equal(probes[2].group, gate.group + 1);
}

static void a_failed_task_is_undone_and_the_others_stay(void **state)
{
    struct probe probes[3];

    one_of_three_fails(*state, (const bool[3]){ false, false, false }, probes);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        assert_int_equal(probes[i].runs, 1);
}

static void repeatable_tasks_are_run_again_where_one_fails(void **state)
{
    struct probe probes[3];

    one_of_three_fails(*state, (const bool[3]){ true, true, true }, probes);
    assert_int_equal(probes[0].runs, 2);
    assert_int_equal(probes[1].runs, 2);
    assert_int_equal(probes[2].runs, 1);      /* its turn had not come */
}

static void tasks_that_left_to_a_seal_what_it_fails_at_are_run_again_with_savepoints(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[3];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    b.seal_fails_bare = true;
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].task.repeatable = true;
        probes[i].task.seal = board_seal;
        probes[i].task.seal_self = &b;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    assert_int_equal(b.seals, 2);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        assert_true(probes[i].ok);
        assert_int_equal(probes[i].runs, 2);
    }
    assert_int_equal(store_kept(f, "sealed"), gate.group + 1);
    assert_int_equal(store_kept(f, "probe2"), gate.group + 1);
}

/* As SQLite does for want of room. */
static bool lose_the_transaction(struct task *task, struct group *group, struct err *err)
{
    ((struct probe *)task)->runs++;
    return db_exec_script(group->db, "ROLLBACK", err) && db_exec_script(group->db, "no room", err);
}

static void where_the_database_took_the_group_back_nobody_is_run_again(void **state)
{
    struct probe gate, probes[3];
    struct board b;
    struct err err;

    board_open(&b, *state, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].task.repeatable = true;
        if (i == 1)
            probes[i].task.run = lose_the_transaction;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        assert_false(probes[i].ok);
        assert_int_equal(probes[i].err.code, ERR_AGAIN);
        assert_int_equal(probes[i].runs, i < 2);
    }
    assert_int_equal(store_kept(*state, "probe0"), 0);
}

static void beside_one_that_is_not_repeatable_nobody_is_run_again(void **state)
{
    struct probe probes[3];

    one_of_three_fails(*state, (const bool[3]){ true, true, false }, probes);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        assert_int_equal(probes[i].runs, 1);
}

static void a_task_alone_in_its_group_fails_by_itself(void **state)
{
    struct store_fixture *f = *state;
    struct probe probe;
    struct board b;
    struct err err;

    board_open(&b, f, false);
    probe_init(&probe, &b, 0);
    probe.fails = true;
    store_ok(writer_submit(b.writer, &probe.task, &err));
    assert_false(probe.ok);
    assert_int_equal(probe.err.code, ERR_INVALID);
    assert_true(writer_healthy(b.writer));
    board_close(&b);
    assert_int_equal(store_kept(f, "probe0"), 0);
}

static void a_group_is_sealed_once_for_each_owner_of_a_seal(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[6];
    struct board b, other;
    struct err err;

    memset(&other, 0, sizeof other);
    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].fails = i == 5;
        probes[i].task.seal = i == 4 ? NULL : board_seal;
        probes[i].task.seal_self = i < 3 ? &b : &other;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    assert_int_equal(b.seals, 1);
    assert_int_equal(other.seals, 1);
    assert_int_equal(store_kept(f, "sealed"), probes[0].group);
}

static void a_failed_seal_fails_all_of_its_group(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[4];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    b.seal_fails = true;
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].fails = i == 3;
        probes[i].task.seal = i == 1 ? board_seal : NULL;
        probes[i].task.seal_self = &b;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        assert_false(probes[i].ok);
        assert_int_equal(probes[i].err.code, ERR_AGAIN);
        assert_int_equal(store_kept(f, probes[i].key), 0);
    }
    assert_int_equal(store_kept(f, "group"), gate.group);
}

static void a_task_that_is_alone_has_a_time_of_its_own(void **state)
{
    struct store_fixture *f = *state;
    struct probe gate, probes[5];
    struct board b;
    struct err err;

    board_open(&b, f, true);
    gate_close(&b, &gate);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i], &b, i);
        probes[i].task.alone = i == 2;
        store_ok(writer_submit(b.writer, &probes[i].task, &err));
    }
    gate_open(&b);
    board_wait(&b, 1 + ARRAY_LEN(probes));
    board_close(&b);
    assert_int_equal(probes[0].now_ms, probes[1].now_ms);
    assert_true(probes[1].now_ms < probes[2].now_ms);
    assert_true(probes[2].now_ms < probes[3].now_ms);
    assert_int_equal(probes[3].now_ms, probes[4].now_ms);
}

static bool note_time(void *self, struct group *group, struct err *err)
{
    (void)err;
    *(uint64_t *)self = group->now_ms;
    return true;
}

static void time_grows_whatever_the_clock_does_also_after_a_restart(void **state)
{
    static const struct { uint64_t clock_ms, want_ms; bool restart; } steps[] = {
        /* clock  group  restart before */
        { 5000,   5000,  false },
        { 5000,   5001,  false },        /* stands still */
        { 1000,   5002,  false },        /* goes back */
        { 1000,   5003,  true },
        { 9000,   9000,  true },
        { 9000,   9001,  false },
    };
    struct store_fixture *f = *state;
    struct writer *w;
    struct err err;
    uint64_t got;

    store_ok(writer_open(f->url, &f->clock, &w, &err));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (steps[i].restart) {
            writer_close(w);
            store_ok(writer_open(f->url, &f->clock, &w, &err));
        }
        f->now_ms = steps[i].clock_ms;
        store_ok(writer_do(w, note_time, &got, &err));
        assert_int_equal(got, steps[i].want_ms);
    }
    writer_close(w);
}

static bool note_group(void *self, struct group *group, struct err *err)
{
    *(struct group *)self = *group;
    return store_meta_set(group->db, "noted", group->number, err);
}

static bool fail_after_writing(void *self, struct group *group, struct err *err)
{
    return note_group(self, group, err) && err_set(err, ERR_INVALID, "no");
}

static void a_group_is_told_which_it_follows(void **state)
{
    struct store_fixture *f = *state;
    struct group first, failed, second, third;
    struct writer *w;
    struct err err;

    store_ok(writer_open(f->url, &f->clock, &w, &err));
    store_ok(writer_do(w, note_group, &first, &err));
    assert_int_equal(first.after_ms, 0);      /* whose it is that was before is not known */
    store_fails(ERR_INVALID, writer_do(w, fail_after_writing, &failed, &err));
    store_ok(writer_do(w, note_group, &second, &err));
    assert_int_equal(second.after_ms, first.now_ms);
    store_ok(writer_do(w, note_group, &third, &err));
    assert_int_equal(third.after_ms, second.now_ms);
    writer_close(w);
}

static bool ruin_transaction(void *self, struct group *group, struct err *err)
{
    struct stmt st;

    (void)self;
    return db_prepare(group->db, store_place_ruin(), &st, err) && stmt_exec(&st, NULL, err);
}

static void a_transaction_that_the_database_ended_is_not_kept(void **state)
{
    struct store_fixture *f = *state;
    struct board b;
    uint64_t ms;
    struct err err;

    board_open(&b, f, false);
    store_fails(ERR_AGAIN, writer_do(b.writer, ruin_transaction, NULL, &err));
    assert_false(writer_healthy(b.writer));
    store_ok(writer_do(b.writer, note_time, &ms, &err));
    assert_true(writer_healthy(b.writer));
    board_close(&b);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(a_hundred_waiting_tasks_share_one_group),
        IN_DIR(a_failed_task_is_undone_and_the_others_stay),
        IN_DIR(repeatable_tasks_are_run_again_where_one_fails),
        IN_DIR(tasks_that_left_to_a_seal_what_it_fails_at_are_run_again_with_savepoints),
        IN_DIR(where_the_database_took_the_group_back_nobody_is_run_again),
        IN_DIR(beside_one_that_is_not_repeatable_nobody_is_run_again),
        IN_DIR(a_task_alone_in_its_group_fails_by_itself),
        IN_DIR(a_group_is_sealed_once_for_each_owner_of_a_seal),
        IN_DIR(a_failed_seal_fails_all_of_its_group),
        IN_DIR(a_task_that_is_alone_has_a_time_of_its_own),
        IN_DIR(time_grows_whatever_the_clock_does_also_after_a_restart),
        IN_DIR(a_group_is_told_which_it_follows),
        IN_DIR(a_transaction_that_the_database_ended_is_not_kept),
    };

    return cmocka_run_group_tests_name("store: writer", tests, NULL, NULL);
}
