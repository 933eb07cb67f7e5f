/* Groups of several writers that are written beside each other, and turns among them.  (A file has one writer.) */
#include "tests/support/side.h"

#include <stdlib.h>

#include "store/batches.h"
#include "store/sums.h"
#include "store/writer_beside.h"

/* -- who waits for whom -- */

static void groups_beside_each_other_overlap(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side slow = { 0 }, quick = { 0 };

    side_start(&slow, t.a, meet);
    assert_true(comes(&slow.met, SOON_MS));
    side_start(&quick, t.b, leave_one);
    assert_true(side_end(&quick));            /* durable, while the other is under way */
    sem_post(&slow.go);
    assert_true(side_end(&slow));
    assert_int_equal(slow.beside + quick.beside, 2);
    assert_true(slow.group.number != quick.group.number && slow.group.now_ms != quick.group.now_ms);
    close_two(&t);
    assert_int_equal(receipts_of_batch(f), 2);
}

struct turn { struct writer *w; struct group group; pthread_t thread; sem_t done; };

static void *have_turn(void *self)
{
    struct turn *t = self;

    t->group = one_turn(t->w);
    sem_post(&t->done);
    return NULL;
}

/* And what begins after the turn was asked for waits for it, however many there are. */
static void a_turn_waits_for_groups_and_they_for_it(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct writer *third = open_writer(f, &f->clock);
    struct turn turn = { .w = t.b };
    struct side slow = { 0 }, late = { 0 };

    (void)one_turn(third);                    /* as they are three now */
    sem_init(&turn.done, 0, 0);
    side_start(&slow, t.a, meet);
    assert_true(comes(&slow.met, SOON_MS));
    assert_int_equal(pthread_create(&turn.thread, NULL, have_turn, &turn), 0);
    assert_false(comes(&turn.done, NEVER_MS));
    sem_post(&slow.go);
    assert_true(comes(&turn.done, SOON_MS) && side_end(&slow));
    pthread_join(turn.thread, NULL);
    assert_true(turn.group.number > slow.group.number && turn.group.now_ms > slow.group.now_ms);
    assert_int_equal(receipts_of_batch(f), 1);             /* the turn folded it in */
    side_start(&late, third, leave_one);
    assert_true(side_end(&late));
    assert_true(late.group.number > turn.group.number && late.group.now_ms > turn.group.now_ms);
    assert_true(late.group.after_ms >= turn.group.now_ms);
    writer_close(third);
    close_two(&t);
}

struct restless { struct writer *w; pthread_t thread; bool stop, ok; unsigned groups; };

static void *never_rest(void *self)
{
    struct restless *r = self;

    for (r->ok = true; r->ok && !__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE); r->groups++) {
        struct side s = { 0 };

        side_start(&s, r->w, leave_one);
        r->ok = side_end(&s);
    }
    return NULL;
}

/* Those who write beside others want one soon, too, behind whom it is theirs. */
static void a_turn_comes_beside_those_who_never_rest(void **state)
{
    struct store_fixture *f = *state;
    struct writer *third = open_writer(f, &clock_system);
    struct restless busy[2] = { { .w = open_writer(f, &clock_system) }, { .w = open_writer(f, &clock_system) } };
    uint64_t began_ms, worst_ms = 0;

    for (size_t i = 0; i < ARRAY_LEN(busy); i++)
        assert_int_equal(pthread_create(&busy[i].thread, NULL, never_rest, &busy[i]), 0);
    began_ms = clock_monotonic_ms();
    for (unsigned i = 0; i < 50; i++) {
        uint64_t wanted_ms = clock_monotonic_ms(), took_ms;

        (void)one_turn(third);
        took_ms = clock_monotonic_ms() - wanted_ms;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
        clock_sleep_ms(5);
    }
    for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
        __atomic_store_n(&busy[i].stop, true, __ATOMIC_RELEASE);
        pthread_join(busy[i].thread, NULL);
        assert_true(busy[i].ok && busy[i].groups > 0);
    }
    print_message("50 turns beside two that never rest: %llu ms with pauses of 5, the worst %llu; they wrote %u and %u groups\n",
                  (unsigned long long)(clock_monotonic_ms() - began_ms), (unsigned long long)worst_ms, busy[0].groups, busy[1].groups);
    writer_close(third);
    writer_close(busy[0].w);
    writer_close(busy[1].w);
    assert_int_equal(receipts_of_batch(f), busy[0].groups + busy[1].groups);
}

/* -- numbers and times -- */

#define WRITERS 3u
#define GROUPS 120u
struct busy { struct store_fixture *fixture; unsigned n; pthread_t thread; struct group groups[GROUPS]; bool ok; };

static bool note_turn(void *self, struct group *group, struct err *err)
{
    *(struct group *)self = *group;
    return store_batch_add(group->db, 1, 1, amount_from_u64(1), err);
}

/* One in ten has a turn. */
static void *be_busy(void *self)
{
    struct busy *b = self;
    struct writer *w = open_writer(b->fixture, &clock_system);
    struct err err = { 0 };

    b->ok = true;
    for (unsigned i = 0; b->ok && i < GROUPS; i++) {
        struct side s = { 0 };

        if ((i + b->n) % 10 == 0) {
            b->ok = writer_do(w, note_turn, &b->groups[i], &err);
            continue;
        }
        side_start(&s, w, leave_one);
        b->ok = side_end(&s);
        b->groups[i] = s.group;
    }
    writer_close(w);
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_time(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return x->now_ms < y->now_ms ? -1 : x->now_ms > y->now_ms;
}

static void numbers_and_times_are_nobody_elses(void **state)
{
    static struct busy busy[WRITERS];
    static struct group all[WRITERS * GROUPS];
    struct store_fixture *f = *state;
    uint64_t turn_ms = 0, latest_ms = 0, beside = 0;

    for (unsigned i = 0; i < WRITERS; i++) {
        busy[i] = (struct busy){ .fixture = f, .n = i };
        assert_int_equal(pthread_create(&busy[i].thread, NULL, be_busy, &busy[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(busy[i].thread, NULL);
        assert_true(busy[i].ok);
        memcpy(&all[i * GROUPS], busy[i].groups, sizeof busy[i].groups);
    }
    qsort(all, ARRAY_LEN(all), sizeof all[0], by_time);
    for (size_t i = 1; i < ARRAY_LEN(all); i++)
        assert_true(all[i].now_ms > all[i - 1].now_ms);
    qsort(all, ARRAY_LEN(all), sizeof all[0], by_number);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_true(i == 0 || all[i].number > all[i - 1].number);
        assert_true(all[i].now_ms > (all[i].beside ? turn_ms : latest_ms));       /* after the turn before; a turn: after all before */
        beside += all[i].beside;
        latest_ms = all[i].now_ms > latest_ms ? all[i].now_ms : latest_ms;
        turn_ms = all[i].beside ? turn_ms : all[i].now_ms;
    }
    assert_true(beside > WRITERS * GROUPS / 2);
    assert_int_equal(receipts_of_batch(f), WRITERS * GROUPS);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM group_sums"), 0);
}

static void the_times_of_ranks_do_not_meet(void **state)
{
    (void)state;
    for (uint64_t writers = 1; writers < 8; writers++)
        for (uint64_t rank = 0; rank < writers; rank++)
            for (uint64_t now_ms = 1000; now_ms < 1020; now_ms++) {
                uint64_t at = beside_time(now_ms, (struct db_place){ .writers = writers, .rank = rank });

                assert_true(at >= now_ms && at < now_ms + writers);
                assert_int_equal(at % writers, rank);
            }
}

/* -- who is there -- */

static void who_leaves_is_not_reckoned_with(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side one = { 0 };

    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM writers"), 2);
    writer_close(t.b);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM writers"), 1);
    side_start(&one, t.a, leave_one);
    assert_true(side_end(&one));
    assert_int_equal(one.group.writers, 0);   /* in a turn, as places are new */
    side_start(&one, t.a, leave_one);
    assert_true(side_end(&one));
    assert_int_equal(one.group.writers, 1);
    t.b = open_writer(f, &f->clock);
    close_two(&t);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM writers"), 0);
    assert_int_equal(receipts_of_batch(f), 2);
    assert_true(rows_of(f, "SELECT number FROM writer_turn") > 4);         /* it goes on from there */
}

static bool run_sql(void *self, struct group *group, struct err *err)
{
    return db_exec_script(group->db, self, err);
}

static void change(struct writer *w, char *sql)
{
    struct err err = { 0 };

    store_ok(writer_do(w, run_sql, sql, &err));
}

/* Killed a while ago, or idle so long: the one never comes back, the other takes a place again. */
static void who_is_silent_for_long_loses_its_place(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side one = { 0 }, two = { 0 };
    char sql[] = "UPDATE writers SET at = at - INTERVAL '11 minutes';"
                 "INSERT INTO writers (id, turn, at) VALUES (7, 1, now() - INTERVAL '1 day')";

    change(t.a, sql);
    (void)one_turn(t.a);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM writers"), 1);
    side_start(&two, t.b, leave_one);
    assert_true(side_end(&two));
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM writers"), 2);
    (void)one_turn(t.a);
    side_start(&one, t.a, leave_one);
    assert_true(side_end(&one));
    assert_int_equal(one.group.writers, 2);
    close_two(&t);
    assert_int_equal(receipts_of_batch(f), 2);
}

/* Each group beside others uses up as many times as there are writers; where that goes on faster than time does, turns help. */
static void times_do_not_run_away_from_the_clock(void **state)
{
    struct store_fixture *f = *state;
    struct writer *w = open_writer(f, &f->clock);
    char sql[] = "INSERT INTO writers (id, turn) SELECT i, 1 FROM generate_series(1, 99) AS i";
    unsigned beside = 0;

    change(w, sql);
    (void)one_turn(w);
    for (unsigned i = 0; i < 50; i++) {
        struct side one = { 0 };

        side_start(&one, w, leave_one);
        assert_true(side_end(&one));
        beside += one.group.beside;
        assert_true(one.group.now_ms < f->now_ms + 1100);
    }
    assert_true(beside > 5 && beside < 20);
    writer_close(w);
    assert_int_equal(receipts_of_batch(f), 50);
}

/* -- what needs a turn -- */

static bool fail_beside(struct side *s, struct group *group, struct err *err)
{
    return group->beside ? leave_one(s, group, err) && err_set(err, ERR_AGAIN, "to be decided in a turn") : leave_one(s, group, err);
}

static void what_fails_beside_others_is_run_in_a_turn(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side one = { 0 };

    side_start(&one, t.a, fail_beside);
    assert_true(side_end(&one));
    assert_int_equal(one.runs, 2);
    assert_int_equal(one.beside, 1);
    close_two(&t);
    assert_int_equal(receipts_of_batch(f), 1);
}

static bool insert_receipt(struct side *s, struct group *group, struct err *err)
{
    struct receipt_row row = some_receipt(s->n);
    bool found;

    if (!store_receipt_find(group->db, row.signed_.receipt.job_id, row.signed_.receipt.provider, &row, &found, err))
        return false;
    return found || (store_receipt_insert(group->db, &row, err) && leave_one(s, group, err)
                     && store_receipt_find(group->db, row.signed_.receipt.job_id, row.signed_.receipt.provider, &row, &found, err));
}

/* Who asks for it must have it written. */
static bool insert_and_meet(struct side *s, struct group *group, struct err *err)
{
    if (!insert_receipt(s, group, err))
        return false;
    sem_post(&s->met);
    return !group->beside || comes(&s->go, MEET_MS);
}

static bool somebody_waits(struct store_fixture *f)
{
    for (unsigned i = 0; i < MEET_MS / 10; i++, clock_sleep_ms(10))
        if (rows_of(f, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") > 0)
            return true;
    return false;
}

/* Neither sees the other's: the database finds out, and who was later looks again. */
static void one_receipt_of_two_groups_is_kept_once(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side first = { .n = 1 }, second = { .n = 1 };

    side_start(&first, t.a, insert_and_meet);
    assert_true(comes(&first.met, SOON_MS));
    side_start(&second, t.b, insert_receipt);
    assert_true(somebody_waits(f));
    sem_post(&first.go);
    assert_true(side_end(&first) && side_end(&second));
    assert_int_equal(second.runs, 2);
    assert_int_equal(second.beside, 1);
    close_two(&t);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM receipts"), 1);
    assert_int_equal(receipts_of_batch(f), 1);
}

static bool insert_both(struct side *s, struct group *group, struct err *err)
{
    struct side other = { .n = s->with->n };

    if (!insert_receipt(s, group, err))
        return false;
    if (group->beside) {
        sem_post(&s->with->go);
        (void)!comes(&s->go, MEET_MS);
    }
    return insert_receipt(&other, group, err);
}

/* Each has what the other wants: the server ends one, whose turn comes. */
static void a_deadlock_of_two_groups_is_one_turn_more(void **state)
{
    struct store_fixture *f = *state;
    struct two t = open_two(f);
    struct side a = { .n = 1 }, b = { .n = 2 };

    a.with = &b;
    b.with = &a;
    side_init(&a);
    side_init(&b);
    side_start(&a, t.a, insert_both);
    side_start(&b, t.b, insert_both);
    assert_true(side_end(&a) && side_end(&b));
    assert_int_equal(a.beside + b.beside, 2);
    assert_true(a.runs + b.runs > 2);
    close_two(&t);
    assert_int_equal(rows_of(f, "SELECT COUNT(*) FROM receipts"), 2);
    assert_int_equal(receipts_of_batch(f), 2);
}

#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_times_of_ranks_do_not_meet),
        ON_DATABASE(groups_beside_each_other_overlap), ON_DATABASE(a_turn_waits_for_groups_and_they_for_it),
        ON_DATABASE(a_turn_comes_beside_those_who_never_rest),
        ON_DATABASE(numbers_and_times_are_nobody_elses),
        ON_DATABASE(who_leaves_is_not_reckoned_with), ON_DATABASE(who_is_silent_for_long_loses_its_place),
        ON_DATABASE(times_do_not_run_away_from_the_clock), ON_DATABASE(what_fails_beside_others_is_run_in_a_turn),
        ON_DATABASE(one_receipt_of_two_groups_is_kept_once), ON_DATABASE(a_deadlock_of_two_groups_is_one_turn_more),
    };

    if (store_place_is_sqlite()) {
        print_message("store: groups beside others are a database's, scripts/with-postgres gives one\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: groups beside others", tests, NULL, NULL);
}
