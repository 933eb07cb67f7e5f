/* What a spool keeps when the process, or the machine, dies at any moment. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/node/spool.h"
#include "tests/support/fixture.h"
#include "tests/support/folder.h"

#define JOBS_MAX 6000

/* ---- receipts, told apart by a count ---- */

static struct signed_receipt job(uint64_t number)
{
    struct rng rng = { number };
    struct signed_receipt r = { .receipt = rng_receipt(&rng, FIXTURE_NOW), .has_signature = number % 2 == 0, .has_consumer_signature = number % 3 == 0 };

    r.receipt.count[METER_UNITS] = number;
    if (r.has_signature)
        rng_bytes(&rng, r.signature.b, sizeof r.signature.b);
    if (r.has_consumer_signature)
        rng_bytes(&rng, r.consumer_signature.b, sizeof r.consumer_signature.b);
    return r;
}

static void assert_job(const struct signed_receipt *r)
{
    const struct signed_receipt want = job(r->receipt.count[METER_UNITS]);
    uint8_t a[SEGMENT_RECORD], b[SEGMENT_RECORD];

    segment_encode(r, a);
    segment_encode(&want, b);
    assert_memory_equal(a, b, sizeof a);
}

static struct spool *open_at(const struct folder *f)
{
    struct spool *s = NULL;
    struct err err = { 0 };

    if (!spool_open(f->path, SPOOL_BYTES_MIN, &s, &err))
        fail_msg("%s", err.text);
    return s;
}

static void add(struct spool *s, uint64_t from, uint64_t to)
{
    struct err err = { 0 };

    for (uint64_t i = from; i < to; i++) {
        struct signed_receipt r = job(i);

        spool_add(s, &r);
    }
    assert_true(spool_sync(s, &err));
}

/* Marks in found[] how often each job waits, and takes them all. */
static size_t take_all(struct spool *s, uint8_t found[JOBS_MAX])
{
    struct spool_item *items = mem_array(JOBS_MAX, sizeof *items);
    struct err err = { 0 };
    size_t count = 0;

    assert_true(spool_take(s, items, JOBS_MAX, &count, &err));
    for (size_t i = 0; i < count; i++) {
        assert_job(&items[i].receipt);
        found[items[i].receipt.receipt.count[METER_UNITS]]++;
    }
    assert_int_equal(spool_waiting(s), 0);
    free(items);
    return count;
}

/* ---- tests ---- */

static void receipts_come_out_in_order_and_are_gone_when_released(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f);
    struct spool_item items[10];
    struct err err = { 0 };
    size_t count;

    (void)state;
    add(s, 0, 10);
    for (uint64_t at = 0; at < 10; at += 5) {
        assert_true(spool_take(s, items, 5, &count, &err));
        assert_int_equal(count, 5);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(items[i].receipt.receipt.count[METER_UNITS], at + i);
        assert_true(spool_release(s, items, count, &err));
    }
    assert_int_equal(spool_left(s), 0);
    spool_free(s);
    assert_int_equal(folder_size(&f, "0000000000000000.spool") + folder_size(&f, "0000000000000000.released"), 0);
    folder_free(&f);
}

static void a_torn_last_record_is_cut_off_wherever_it_is_torn(void **state)
{
    struct folder f = folder_new(), crashed = folder_new();
    struct spool *s = open_at(&f);
    char path[FOLDER_PATH];

    (void)state;
    add(s, 0, 4);
    folder_path(&crashed, "0000000000000000.spool", path);
    for (size_t len = 0; len < SEGMENT_MAGIC_BYTES + 4 * SEGMENT_RECORD; len++) {
        size_t whole = len < SEGMENT_MAGIC_BYTES ? 0 : (len - SEGMENT_MAGIC_BYTES) / SEGMENT_RECORD;
        size_t good = len < SEGMENT_MAGIC_BYTES ? 0 : SEGMENT_MAGIC_BYTES + whole * SEGMENT_RECORD;
        uint8_t found[JOBS_MAX] = { 0 };

        folder_copy(&f, &crashed);
        assert_int_equal(truncate(path, (off_t)len), 0);
        struct spool *again = open_at(&crashed);
        assert_int_equal(spool_faults(again)->torn_bytes, len - good);
        assert_int_equal(spool_faults(again)->damaged, 0);
        add(again, 100, 101);                 /* and what comes next is not harmed by it */
        spool_free(again);
        again = open_at(&crashed);
        assert_int_equal(spool_faults(again)->torn_bytes + spool_faults(again)->damaged, 0);
        assert_int_equal(take_all(again, found), whole + 1);
        for (size_t i = 0; i < whole; i++)
            assert_int_equal(found[i], 1);
        assert_int_equal(found[100], 1);
        spool_free(again);
    }
    spool_free(s);
    folder_free(&f);
    folder_free(&crashed);
}

static void a_changed_byte_costs_one_record_and_is_said(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f);
    uint8_t found[JOBS_MAX] = { 0 };
    char path[FOLDER_PATH];

    (void)state;
    add(s, 0, 9);
    spool_free(s);
    folder_path(&f, "0000000000000000.spool", path);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, SEGMENT_MAGIC_BYTES + 4 * SEGMENT_RECORD + 50, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    fputc(byte ^ 1, file);
    fclose(file);
    s = open_at(&f);
    assert_int_equal(spool_faults(s)->damaged, 1);
    assert_int_equal(spool_faults(s)->torn_bytes, 0);
    assert_int_equal(take_all(s, found), 8);
    assert_int_equal(found[4], 0);
    assert_true(folder_size(&f, "0000000000000000.damaged") > 0);
    spool_free(s);
    folder_free(&f);
}

/* A model of what was promised, beside the spool. */
struct promise { bool synced, released, in_doubt; };
struct run { struct folder f, crashed; struct rng rng; struct promise jobs[JOBS_MAX]; uint64_t next; };

static void check_crashed(struct run *r)
{
    uint8_t found[JOBS_MAX] = { 0 };
    struct spool *s = open_at(&r->crashed);

    take_all(s, found);
    for (uint64_t i = 0; i < r->next; i++) {
        const struct promise *p = &r->jobs[i];

        if (found[i] > 1)
            fail_msg("job %d is there %d times", (int)i, found[i]);
        if (!p->in_doubt && found[i] != (p->synced && !p->released))
            fail_msg("job %d: synced %d, released %d, found %d", (int)i, p->synced, p->released, found[i]);
    }
    assert_int_equal(spool_faults(s)->damaged, 0);
    spool_free(s);
}

struct growth { struct run *run; const struct folder *before; };

/* The step wrote this file: it may have got only so far. */
static void crash_inside(void *self, const char *name)
{
    const struct growth *g = self;
    struct run *r = g->run;
    long before = folder_size(g->before, name), after = folder_size(&r->f, name);
    char path[FOLDER_PATH];

    if (after <= before)
        return;
    for (int i = 0; i < 6; i++) {
        folder_copy(&r->f, &r->crashed);
        folder_path(&r->crashed, name, path);
        assert_int_equal(truncate(path, before + (long)rng_below(&r->rng, (uint64_t)(after - before) + 1)), 0);
        check_crashed(r);
    }
}

static void step(struct run *r, struct spool *s)
{
    static struct spool_item items[400];
    struct err err = { 0 };
    size_t count = 0;

    if (rng_below(&r->rng, 2) == 0 && !spool_full(s)) {
        uint64_t to = r->next + 1 + rng_below(&r->rng, 150);

        for (uint64_t i = r->next; i < to && i < JOBS_MAX; i++)
            r->jobs[i] = (struct promise){ .synced = true, .in_doubt = true };
        to = to < JOBS_MAX ? to : JOBS_MAX;
        add(s, r->next, to);
        r->next = to;
        return;
    }
    assert_true(spool_take(s, items, 1 + rng_below(&r->rng, ARRAY_LEN(items)), &count, &err));
    /* Some are answered, in the order sent; the others stay with their sender, as when it retries. */
    size_t answered = count - (rng_below(&r->rng, 4) == 0 ? rng_below(&r->rng, count + 1) : 0);
    for (size_t i = 0; i < answered; i++)
        r->jobs[items[i].receipt.receipt.count[METER_UNITS]] = (struct promise){ true, true, true };
    assert_true(spool_release(s, items, answered, &err));
}

static void a_crash_anywhere_loses_nothing_taken_and_resends_nothing_released(void **state)
{
    struct folder before = folder_new();
    struct run *r = mem_new(sizeof *r);
    struct spool *s;

    (void)state;
    r->f = folder_new();
    r->crashed = folder_new();
    r->rng.state = 11;
    s = open_at(&r->f);
    for (int i = 0; i < 90; i++) {
        struct growth g = { r, &before };

        folder_copy(&r->f, &before);
        step(r, s);
        folder_each(&r->f, crash_inside, &g);
        for (uint64_t j = 0; j < r->next; j++)
            r->jobs[j].in_doubt = false;      /* the step is done: from here on it counts */
        folder_copy(&r->f, &r->crashed);
        check_crashed(r);
        if (rng_below(&r->rng, 8) == 0) {     /* the process dies; the next one goes on */
            spool_free(s);
            s = open_at(&r->f);
        }
    }
    assert_true(r->next > 3000);
    spool_free(s);
    folder_free(&r->f);
    folder_free(&r->crashed);
    folder_free(&before);
    free(r);
}

static void what_is_left_of_a_finished_segment_speaks_for_no_other(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f);
    struct spool_item items[3];
    uint8_t found[JOBS_MAX] = { 0 };
    struct err err = { 0 };
    char path[FOLDER_PATH];
    size_t count;

    (void)state;
    add(s, 0, 3);
    assert_true(spool_take(s, items, 3, &count, &err));
    assert_true(spool_release(s, items, 2, &err));
    spool_free(s);
    folder_path(&f, "0000000000000000.spool", path);
    assert_int_equal(unlink(path), 0);        /* a crash between the two removals */
    s = open_at(&f);
    add(s, 10, 13);
    spool_free(s);
    s = open_at(&f);
    assert_int_equal(take_all(s, found), 3);
    spool_free(s);
    folder_free(&f);
}

static void zeros_that_a_power_cut_left_release_nothing(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f);
    struct spool_item items[2];
    const uint8_t zeros[3 * SEGMENT_RELEASE_BYTES + 3] = { 0 };
    uint8_t found[JOBS_MAX] = { 0 };
    struct err err = { 0 };
    char path[FOLDER_PATH];
    size_t count;

    (void)state;
    add(s, 0, 5);
    assert_true(spool_take(s, items, 2, &count, &err));
    assert_true(spool_release(s, items + 1, 1, &err));
    spool_free(s);
    folder_path(&f, "0000000000000000.released", path);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    fclose(file);
    s = open_at(&f);
    assert_int_equal(spool_waiting(s), 4);
    assert_true(spool_take(s, items, 1, &count, &err));
    assert_true(spool_release(s, items, 1, &err));        /* and what is released next is not lost among them */
    spool_free(s);
    s = open_at(&f);
    assert_int_equal(take_all(s, found), 3);
    assert_true(found[0] == 0 && found[1] == 0);
    spool_free(s);
    folder_free(&f);
}

static void a_full_spool_has_room_again_when_some_is_released(void **state)
{
    static struct spool_item items[SPOOL_BYTES_MIN / SEGMENT_RECORD];
    struct folder f = folder_new();
    struct err err = { 0 };
    size_t count;

    for (int memory = 0; memory < 2; memory++) {
        struct spool *s;
        uint64_t at = 0;

        (void)state;
        assert_true(spool_open(memory ? NULL : f.path, SPOOL_BYTES_MIN, &s, &err));
        for (; !spool_full(s); at++)
            add(s, at, at + 1);
        assert_true(at > SPOOL_BYTES_MIN / SEGMENT_RECORD - 30 && at <= SPOOL_BYTES_MIN / SEGMENT_RECORD);
        assert_true(spool_take(s, items, at, &count, &err));
        assert_int_equal(count, at);
        assert_true(spool_release(s, items, count / 2, &err));
        assert_false(spool_full(s));
        assert_true(spool_release(s, items + count / 2, count - count / 2, &err));
        assert_int_equal(spool_left(s), 0);
        spool_free(s);
    }
    folder_free(&f);
}

static void kept_receipts_come_round_until_they_are_released(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f);
    struct spool_cursor at = { 0 };
    struct spool_item items[4], item;
    struct err err = { 0 };
    bool found;
    size_t count;

    (void)state;
    add(s, 0, 4);
    assert_true(spool_take(s, items, 4, &count, &err));
    spool_keep(s, items + 1, 2);
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(spool_next_kept(s, &at, &item, &found, &err) && found);
        assert_int_equal(item.receipt.receipt.count[METER_UNITS], 1 + i % 2);
    }
    spool_again(s, &items[1]);
    assert_int_equal(spool_waiting(s), 1);
    assert_true(spool_take(s, &item, 1, &count, &err));
    assert_int_equal(item.receipt.receipt.count[METER_UNITS], 1);
    assert_true(spool_release(s, &items[2], 1, &err));
    assert_true(spool_next_kept(s, &at, &item, &found, &err));
    assert_false(found);
    assert_int_equal(spool_left(s), 3);
    spool_free(s);
    folder_free(&f);
}

static void one_process_at_a_time_uses_a_folder(void **state)
{
    struct folder f = folder_new();
    struct spool *s = open_at(&f), *second;
    struct err err = { 0 };

    (void)state;
    assert_false(spool_open(f.path, SPOOL_BYTES_MIN, &second, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    spool_free(s);
    spool_free(open_at(&f));
    folder_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipts_come_out_in_order_and_are_gone_when_released),
        cmocka_unit_test(a_torn_last_record_is_cut_off_wherever_it_is_torn),
        cmocka_unit_test(a_changed_byte_costs_one_record_and_is_said),
        cmocka_unit_test(a_crash_anywhere_loses_nothing_taken_and_resends_nothing_released),
        cmocka_unit_test(what_is_left_of_a_finished_segment_speaks_for_no_other),
        cmocka_unit_test(zeros_that_a_power_cut_left_release_nothing),
        cmocka_unit_test(a_full_spool_has_room_again_when_some_is_released),
        cmocka_unit_test(kept_receipts_come_round_until_they_are_released),
        cmocka_unit_test(one_process_at_a_time_uses_a_folder),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
