/* Who waits for news of a store hears of changed settings as they are committed; where nobody can tell, he waits his time. */
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/meta.h"

#define LONG_MS 20000u                        /* nobody waits so long who is told */
#define SHORT_MS 100u

struct listener { struct db *db; int stop; pthread_t thread; unsigned ms; uint64_t waited_ms; };

static void *wait_for_news(void *self)
{
    struct listener *l = self;
    uint64_t began_ms = clock_monotonic_ms();

    db_wait(l->db, l->stop, l->ms);
    l->waited_ms = clock_monotonic_ms() - began_ms;
    return NULL;
}

static void listener_open(struct listener *l, struct store_fixture *f)
{
    struct err err = { 0 };

    *l = (struct listener){ .stop = eventfd(0, EFD_CLOEXEC), .ms = LONG_MS };
    assert_true(l->stop >= 0);
    store_ok(db_open(f->url, DB_READ, &l->db, &err));
}

static void listener_close(struct listener *l)
{
    db_close(l->db);
    close(l->stop);
}

static void change_settings(struct store_fixture *f, bool keep)
{
    struct err err = { 0 };

    store_ok(db_begin(f->db, &err) && store_settings_changed(f->db, &err));
    if (keep)
        store_ok(db_commit(f->db, &err));
    else
        db_rollback(f->db);
}

/* One that is listening by then; told again and again, as it is not known when it does. */
static uint64_t told_after(struct listener *l, struct store_fixture *f)
{
    assert_int_equal(pthread_create(&l->thread, NULL, wait_for_news, l), 0);
    for (unsigned i = 0; i < 20; i++) {
        clock_sleep_ms(50);
        change_settings(f, true);
    }
    pthread_join(l->thread, NULL);
    return l->waited_ms;
}

static bool can_be_told(const struct store_fixture *f)
{
    return db_is_shared(f->db) && !store_place_is_pooled();
}

static void who_waits_is_told(void **state)
{
    struct store_fixture *f = *state;
    struct listener l;

    listener_open(&l, f);
    l.ms = can_be_told(f) ? LONG_MS : 1200;
    if (can_be_told(f))
        assert_true(told_after(&l, f) < LONG_MS);
    else
        assert_true(told_after(&l, f) >= 1200);
    listener_close(&l);
}

static void news_from_before_the_wait_are_heard(void **state)
{
    struct store_fixture *f = *state;
    struct listener l;

    listener_open(&l, f);
    l.ms = SHORT_MS;
    wait_for_news(&l);                        /* listens from now on */
    change_settings(f, true);
    l.ms = can_be_told(f) ? LONG_MS : SHORT_MS;
    wait_for_news(&l);
    assert_true(can_be_told(f) ? l.waited_ms < LONG_MS : l.waited_ms >= SHORT_MS);
    listener_close(&l);
}

static void what_is_undone_is_no_news(void **state)
{
    struct store_fixture *f = *state;
    struct listener l;

    listener_open(&l, f);
    l.ms = SHORT_MS;
    wait_for_news(&l);
    change_settings(f, false);
    wait_for_news(&l);
    assert_true(l.waited_ms >= SHORT_MS);
    listener_close(&l);
}

static void who_is_to_stop_stops(void **state)
{
    struct store_fixture *f = *state;
    struct listener l;

    listener_open(&l, f);
    assert_int_equal(pthread_create(&l.thread, NULL, wait_for_news, &l), 0);
    assert_int_equal(eventfd_write(l.stop, 1), 0);
    pthread_join(l.thread, NULL);
    assert_true(l.waited_ms < LONG_MS);
    listener_close(&l);
}

/* The rest of the time is waited without, and after the next transaction, on another line. */
static void one_who_lost_the_line_listens_again(void **state)
{
    struct store_fixture *f = *state;
    struct listener l;
    struct err err = { 0 };
    char sql[64];

    if (!can_be_told(f))
        skip();
    listener_open(&l, f);
    l.ms = SHORT_MS;
    wait_for_news(&l);
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld)", (long long)store_number(l.db, "SELECT pg_backend_pid()"));
    store_sql(f->db, sql);
    wait_for_news(&l);
    assert_true(l.waited_ms >= SHORT_MS);
    store_ok(db_begin(l.db, &err));
    db_rollback(l.db);
    l.ms = LONG_MS;
    assert_true(told_after(&l, f) < LONG_MS);
    listener_close(&l);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(who_waits_is_told), ON_STORE(news_from_before_the_wait_are_heard), ON_STORE(what_is_undone_is_no_news),
        ON_STORE(who_is_to_stop_stops), ON_STORE(one_who_lost_the_line_listens_again),
    };

    return cmocka_run_group_tests_name("store: news", tests, NULL, NULL);
}
