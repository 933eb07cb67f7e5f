/* Who settles, where several may: one at a time, and who lost it writes nothing any more.  (SQLite's file is one process's.) */
#include <stdio.h>

#include "gateway/settle/lease.h"
#include "gateway/settle/process.h"
#include "store/meta.h"
#include "tests/support/store_fixture.h"

static bool note(void *self, struct group *group, struct err *err)
{
    return store_meta_set(group->db, self, 1, err);
}

static void whoever_has_the_store_alone_settles_it(void **state)
{
    struct store_fixture *f = *state;
    struct lease *lease;
    struct writer *w;
    struct err err = { 0 };

    store_ok(writer_open(f->url, &clock_system, &w, &err));
    store_ok(lease_start(f->url, w, &lease, &err));
    assert_null(lease);
    assert_true(lease_is_held(lease));
    store_ok(lease_check(lease, lease_generation(lease), &err));
    store_ok(lease_do(lease, lease_generation(lease), w, note, "alone", &err));
    assert_int_equal(store_kept(f, "alone"), 1);
    lease_stop(lease);
    writer_close(w);
}

/* Gateways, each with a writer of its own. */
struct two { struct store_fixture *f; struct writer *a, *b; };

static void open_two(struct two *t, struct store_fixture *f)
{
    struct err err = { 0 };

    t->f = f;
    store_ok(writer_open(f->url, &clock_system, &t->a, &err) && writer_start(t->a, &err));
    store_ok(writer_open(f->url, &clock_system, &t->b, &err) && writer_start(t->b, &err));
}

static void close_two(struct two *t)
{
    writer_close(t->a);
    writer_close(t->b);
}

static void the_first_settles_until_it_lets_go(void **state)
{
    struct lease *a, *b;
    struct two t;
    struct err err = { 0 };
    uint64_t first;

    open_two(&t, *state);
    store_ok(lease_start(t.f->url, t.a, &a, &err));
    store_ok(lease_wait(a, 5000, &err));
    first = lease_generation(a);
    store_ok(lease_start(t.f->url, t.b, &b, &err));
    store_fails(ERR_AGAIN, lease_wait(b, 2000, &err));
    store_fails(ERR_AGAIN, lease_do(b, lease_generation(b), t.b, note, "b", &err));
    store_ok(lease_do(a, first, t.a, note, "a", &err));
    lease_stop(a);
    store_ok(lease_wait(b, 2000, &err));
    assert_int_equal(lease_generation(b), first + 1);
    store_fails(ERR_AGAIN, lease_do(b, first, t.b, note, "b", &err));      /* found out before it was ours */
    store_ok(lease_do(b, lease_generation(b), t.b, note, "b", &err));
    lease_stop(b);
    close_two(&t);
    assert_int_equal(store_kept(t.f, "a") + store_kept(t.f, "b"), 2);
}

struct taker { const char *process; bool taken; };

static bool take(void *self, struct group *group, struct err *err)
{
    struct settler_row row;
    struct taker *taker = self;

    return store_settler(group->db, &row, err) && store_settler_take(group->db, &row, "somebody else", taker->process, &taker->taken, err);
}

/* As after a stop past its lease: it believes still, by its own clock, that it holds it. */
static void who_was_followed_without_knowing_writes_nothing(void **state)
{
    struct lease *a;
    struct two t;
    struct err err = { 0 };
    uint64_t generation;
    struct taker taker = { .process = "" };

    open_two(&t, *state);
    store_ok(lease_start(t.f->url, t.a, &a, &err));
    store_ok(lease_wait(a, 5000, &err));
    generation = lease_generation(a);
    store_ok(writer_do(t.b, take, &taker, &err));
    assert_true(taker.taken && lease_is_held(a));
    store_fails(ERR_AGAIN, lease_do(a, generation, t.a, note, "a", &err));
    assert_non_null(strstr(err.text, "settling has passed on to somebody else"));
    for (unsigned i = 0; i < 1200 && lease_is_held(a); i++)
        clock_sleep_ms(50);
    assert_false(lease_is_held(a));           /* it has looked */
    store_fails(ERR_AGAIN, lease_check(a, generation, &err));
    lease_stop(a);
    close_two(&t);
    assert_int_equal(store_kept(t.f, "a"), 0);
}

static void who_stops_beating_is_followed_within_fifteen_seconds(void **state)
{
    struct lease *b;
    struct two t;
    struct err err = { 0 };
    uint64_t began = clock_monotonic_ms(), took;
    struct taker taker = { .process = "" };

    open_two(&t, *state);
    store_ok(writer_do(t.a, take, &taker, &err));            /* and never beats */
    store_ok(lease_start(t.f->url, t.b, &b, &err));
    store_ok(lease_wait(b, 20000, &err));
    took = clock_monotonic_ms() - began;
    assert_true(took >= LEASE_MS && took < 15000);
    lease_stop(b);
    close_two(&t);
}

static void a_dead_process_of_this_machine_is_followed_at_once(void **state)
{
    char name[PROCESS_NAME] = { 0 };
    struct taker taker = { .process = name };
    struct lease *b;
    struct two t;
    struct err err = { 0 };
    uint64_t began;

    process_self(name);
    assert_true(name[0] != '\0');
    snprintf(strrchr(name, ' '), 3, " 1");    /* another that had our number before */
    open_two(&t, *state);
    store_ok(writer_do(t.a, take, &taker, &err));
    began = clock_monotonic_ms();
    store_ok(lease_start(t.f->url, t.b, &b, &err));
    store_ok(lease_wait(b, 20000, &err));
    assert_true(taker.taken && clock_monotonic_ms() - began < LEASE_MS / 2);
    lease_stop(b);
    close_two(&t);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest file[] = { ON_STORE(whoever_has_the_store_alone_settles_it) };
    const struct CMUnitTest database[] = {
        ON_STORE(the_first_settles_until_it_lets_go), ON_STORE(who_was_followed_without_knowing_writes_nothing),
        ON_STORE(who_stops_beating_is_followed_within_fifteen_seconds),
        ON_STORE(a_dead_process_of_this_machine_is_followed_at_once),
    };

    if (store_place_is_sqlite())
        return cmocka_run_group_tests_name("lease of a file", file, NULL, NULL);
    return cmocka_run_group_tests_name("lease of a database", database, NULL, NULL);
}
