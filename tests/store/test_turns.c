/* Several writers of one database, each as in a gateway of its own.  (A file has one writer: test_db.c.) */
#include "tests/support/side.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/driver.h"
#include "store/meta.h"

#define WRITERS 3u
#define GROUPS 200u

static int by_number(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* What a writer relies on from group to group: nobody wrote between what it read and what it writes. */
static bool count_one(void *self, struct group *group, struct err *err)
{
    uint64_t count;

    *(struct group *)self = *group;
    return store_meta_get(group->db, "count", &count, err) && store_meta_set(group->db, "count", count + 1, err);
}

struct gateway { struct store_fixture *fixture; pthread_t thread; struct group groups[GROUPS]; struct err err; bool ok; };

static void *count_all(void *self)
{
    struct gateway *g = self;
    struct writer *w;

    g->ok = writer_open(g->fixture->url, &clock_system, &w, &g->err) && writer_start(w, &g->err);
    for (unsigned i = 0; g->ok && i < GROUPS; i++)
        g->ok = writer_do(w, count_one, &g->groups[i], &g->err);
    writer_close(w);
    return NULL;
}

/* Opened at once, on a database without any table: schema steps take turns like groups. */
static void groups_of_all_writers_are_one_row_of_groups(void **state)
{
    static struct gateway gateways[WRITERS];
    static struct group all[WRITERS * GROUPS];
    struct store_fixture *f = *state;

    for (size_t i = 0; i < WRITERS; i++) {
        gateways[i].fixture = f;
        assert_int_equal(pthread_create(&gateways[i].thread, NULL, count_all, &gateways[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(gateways[i].thread, NULL);
        if (!gateways[i].ok)
            fail_msg("%s", gateways[i].err.text);
        memcpy(&all[i * GROUPS], gateways[i].groups, sizeof gateways[i].groups);
    }
    assert_int_equal(store_kept(f, "count"), WRITERS * GROUPS);
    assert_int_equal(store_kept(f, "group"), WRITERS * GROUPS);
    qsort(all, ARRAY_LEN(all), sizeof all[0], by_number);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(all[i].number, i + 1);
        if (i > 0)
            assert_true(all[i].now_ms > all[i - 1].now_ms);
    }
}

static void *open_one(void *self)
{
    struct gateway *g = self;
    struct db *db = NULL;

    g->ok = db_open(g->fixture->url, DB_WRITE, &db, &g->err);
    db_close(db);
    return NULL;
}

/* Which of them is in whose way differs from time to time: a new database each time. */
static void all_may_be_the_first(void **state)
{
    enum { ROUNDS = 20, FIRST = 6 };
    static struct gateway gateways[FIRST];

    for (unsigned round = 0; round < ROUNDS; round++) {
        assert_int_equal(store_dir_setup(state), 0);
        for (size_t i = 0; i < FIRST; i++) {
            gateways[i].fixture = *state;
            assert_int_equal(pthread_create(&gateways[i].thread, NULL, open_one, &gateways[i]), 0);
        }
        for (size_t i = 0; i < FIRST; i++)
            pthread_join(gateways[i].thread, NULL);
        store_teardown(state);
        for (size_t i = 0; i < FIRST; i++)
            if (!gateways[i].ok)
                fail_msg("%s", gateways[i].err.text);
    }
}

static void a_writer_is_told_when_others_have_written(void **state)
{
    struct store_fixture *f = *state;
    struct writer *a, *b;
    struct group first, second, third;
    struct err err;

    store_ok(writer_open(f->url, &f->clock, &a, &err));
    store_ok(writer_open(f->url, &f->clock, &b, &err));
    store_ok(writer_do(a, count_one, &first, &err));
    store_ok(writer_do(a, count_one, &second, &err));
    assert_int_equal(second.others, first.others);          /* alone it reads nothing anew */
    assert_int_equal(second.after_ms, first.now_ms);
    store_ok(writer_do(b, count_one, &third, &err));
    assert_int_equal(third.number, 3);
    store_ok(writer_do(a, count_one, &first, &err));
    assert_int_equal(first.number, 4);
    assert_true(first.others > second.others);
    assert_int_equal(first.after_ms, 0);
    writer_close(a);
    writer_close(b);
}

/* ---- COMMITs without an answer, while another goes on writing ---- */

enum mishap { NONE, ANSWER_LOST, DIES_BEFORE };
static struct driver lossy;
static enum mishap next_commit;
static struct writer *other;
static unsigned others_write;                 /* groups, before the outcome is looked up */

static bool lossy_commit(void *connection, struct err *err)
{
    enum mishap mishap = next_commit;
    struct group group;
    bool ok;

    next_commit = NONE;
    if (mishap == NONE)
        return driver_postgres.commit(connection, err);
    /* The driver notes what it gives to COMMIT, so that is done, and undone in another way. */
    if (mishap == DIES_BEFORE)
        ok = !driver_postgres.script(connection, "SELECT 1/0", err) && !driver_postgres.commit(connection, err);
    else
        ok = driver_postgres.commit(connection, err);
    for (unsigned i = 0; i < others_write; i++)
        ok = ok && writer_do(other, count_one, &group, err);
    if (!ok)
        bug("%s", err->text);
    return err_set(err, ERR_UNKNOWN, "the line is dead");
}

static const struct lost_case { const char *name; enum mishap mishap; unsigned others_write; enum err_code want; } cases[] = {
    { "a kept group is found",                                        ANSWER_LOST, 0, ERR_NONE },
    { "a kept group is found behind another's",                       ANSWER_LOST, 1, ERR_NONE },
    { "a kept group is found behind many of another",                 ANSWER_LOST, 5, ERR_NONE },
    { "a lost group is found missing",                                DIES_BEFORE, 0, ERR_AGAIN },
    { "another's group of the same number is not taken for the lost", DIES_BEFORE, 1, ERR_AGAIN },
    { "nor are many of another",                                      DIES_BEFORE, 5, ERR_AGAIN },
};

static void open_lossy(struct store_fixture *f, char url[STORE_URL], struct writer **w)
{
    struct err err = { 0 };

    lossy = driver_postgres;
    lossy.scheme = "lossy";
    lossy.commit = lossy_commit;
    db_driver_add(&lossy);
    snprintf(url, STORE_URL, "lossy%s", f->url + strlen("postgresql"));
    store_ok(writer_open(url, &f->clock, w, &err));
}

static void a_lost_commit_is_looked_up_as_ones_own(void **state)
{
    const struct lost_case *c = *state;
    void *own = NULL;
    struct store_fixture *f;
    char url[STORE_URL];
    struct writer *w;
    struct group group;
    struct err err = { .code = ERR_NONE };

    assert_int_equal(store_dir_setup(&own), 0);
    f = own;
    open_lossy(f, url, &w);
    store_ok(writer_open(f->url, &f->clock, &other, &err));
    store_ok(writer_do(w, count_one, &group, &err));

    next_commit = c->mishap;
    others_write = c->others_write;
    assert_int_equal(writer_do(w, count_one, &group, &err), c->want == ERR_NONE);
    if (c->want != ERR_NONE)
        assert_int_equal(err.code, c->want);
    store_ok(writer_do(w, count_one, &group, &err));
    assert_int_equal(group.after_ms, 0);
    assert_int_equal(group.number, 2 + c->others_write + (c->want == ERR_NONE));
    assert_int_equal(store_kept(f, "count"), group.number);
    writer_close(w);
    writer_close(other);
    store_teardown(&own);
}

/* Beside others: what was not kept is run anew in a turn at once. */
static const struct lost_beside_case { const char *name; enum mishap mishap; unsigned others_write, runs; } beside_cases[] = {
    { "a kept group beside others is found",                      ANSWER_LOST, 0, 1 },
    { "a kept group beside others is found behind others' turns", ANSWER_LOST, 3, 1 },
    { "a lost group beside others is run in a turn",              DIES_BEFORE, 0, 2 },
    { "a lost group beside others is run behind others' turns",   DIES_BEFORE, 3, 2 },
};

static void a_lost_commit_beside_others_is_looked_up(void **state)
{
    const struct lost_beside_case *c = *state;
    void *own = NULL;
    struct store_fixture *f;
    char url[STORE_URL];
    struct side one = { 0 };
    struct writer *w;
    struct err err = { .code = ERR_NONE };

    assert_int_equal(store_dir_setup(&own), 0);
    f = own;
    open_lossy(f, url, &w);
    store_ok(writer_open(f->url, &f->clock, &other, &err));
    writer_work_beside(w, BESIDE_ALWAYS);
    (void)one_turn(w);

    next_commit = c->mishap;
    others_write = c->others_write;
    side_start(&one, w, leave_one);
    assert_true(side_end(&one));
    assert_int_equal(one.beside, 1);
    assert_int_equal(one.runs, c->runs);
    writer_close(w);
    writer_close(other);
    assert_int_equal(receipts_of_batch(f), 1);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM group_sums"), 0);
    store_teardown(&own);
}

/* ---- one that stands still, and one that is busy ---- */

static void a_writer_that_stops_in_its_turn_loses_it(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w;
    struct group group;
    struct db *stopped;
    struct err err;

    store_ok(writer_open(f->url, &f->clock, &w, &err));
    store_ok(db_open(f->url, DB_WRITE, &stopped, &err));
    store_ok(db_begin(stopped, &err));
    store_ok(store_meta_set(stopped, "count", 77, &err));
    store_ok(writer_do(w, count_one, &group, &err));        /* once five seconds are over */
    assert_int_equal(store_kept(f, "count"), 1);
    assert_false(db_commit(stopped, &err));
    assert_int_equal(store_kept(f, "count"), 1);
    store_ok(db_begin(stopped, &err));                      /* and it may go on, in a new session */
    store_ok(db_commit(stopped, &err));
    db_close(stopped);
    writer_close(w);
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct busy { struct store_fixture *fixture; pthread_t thread; bool stop, ok; uint64_t groups; struct err err; };

/* As a busy gateway does: the next group begins as soon as the last was committed, and takes a while. */
static bool take_a_while(void *self, struct group *group, struct err *err)
{
    uint64_t until = now_us() + 2000, count;

    (void)self;
    while (now_us() < until)
        if (!store_meta_get(group->db, "count", &count, err))
            return false;
    return true;
}

static void *be_busy(void *self)
{
    struct busy *b = self;
    struct writer *w;

    b->ok = writer_open(b->fixture->url, &clock_system, &w, &b->err);
    for (; b->ok && !__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE); b->groups++)
        b->ok = writer_do(w, take_a_while, NULL, &b->err);
    writer_close(w);
    return NULL;
}

/* Two busy ones, and one with a group now and then: told by how many of their groups go ahead of it, as that is the same on a slow
 * machine. */
static void a_busy_writer_starves_nobody(void **state)
{
    struct store_fixture *f = *state;
    struct busy busy[2] = { { .fixture = f }, { .fixture = f } };
    struct writer *w;
    struct group group;
    struct err err;
    uint64_t worst_us = 0, sum_us = 0, worst = 0, sum = 0;

    store_ok(writer_open(f->url, &clock_system, &w, &err));
    for (size_t i = 0; i < ARRAY_LEN(busy); i++)
        assert_int_equal(pthread_create(&busy[i].thread, NULL, be_busy, &busy[i]), 0);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t before = store_kept(f, "group"), began = now_us(), took_us, ahead;

        store_ok(writer_do(w, count_one, &group, &err));
        took_us = now_us() - began;
        ahead = group.number - before - 1;
        sum_us += took_us;
        sum += ahead;
        worst_us = took_us > worst_us ? took_us : worst_us;
        worst = ahead > worst ? ahead : worst;
        clock_sleep_ms(5);
    }
    for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
        __atomic_store_n(&busy[i].stop, true, __ATOMIC_RELEASE);
        pthread_join(busy[i].thread, NULL);
        if (!busy[i].ok)
            fail_msg("%s", busy[i].err.text);
    }
    writer_close(w);
    print_message("100 turns beside two busy writers: %llu us each, %llu at worst; %llu groups ahead of them, %llu at worst; they had"
                  " %llu and %llu\n", (unsigned long long)(sum_us / 100), (unsigned long long)worst_us, (unsigned long long)sum,
                  (unsigned long long)worst, (unsigned long long)busy[0].groups, (unsigned long long)busy[1].groups);
    assert_true(sum <= 400 && worst <= 100);      /* who is worst off once, the machine's other work decides too */
    assert_true(busy[0].groups > 0 && busy[1].groups > 0);
    assert_true(busy[0].groups < 4 * busy[1].groups && busy[1].groups < 4 * busy[0].groups);
}

#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest turns[] = {
        cmocka_unit_test(all_may_be_the_first),
        ON_DATABASE(groups_of_all_writers_are_one_row_of_groups), ON_DATABASE(a_writer_is_told_when_others_have_written),
        ON_DATABASE(a_writer_that_stops_in_its_turn_loses_it), ON_DATABASE(a_busy_writer_starves_nobody),
    };
    struct CMUnitTest lost[ARRAY_LEN(cases)], beside[ARRAY_LEN(beside_cases)];

    if (store_place_is_sqlite()) {
        print_message("store: turns are a database's, scripts/with-postgres gives one\n");
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        lost[i] = (struct CMUnitTest){ cases[i].name, a_lost_commit_is_looked_up_as_ones_own, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(beside_cases); i++)
        beside[i] = (struct CMUnitTest){ beside_cases[i].name, a_lost_commit_beside_others_is_looked_up, NULL, NULL,
                                         (void *)(uintptr_t)&beside_cases[i] };
    return cmocka_run_group_tests_name("store: turns", turns, NULL, NULL)
         + cmocka_run_group_tests_name("store: lost turns", lost, NULL, NULL)
         + cmocka_run_group_tests_name("store: lost groups beside others", beside, NULL, NULL);
}
