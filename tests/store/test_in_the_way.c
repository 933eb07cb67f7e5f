/* What a database refuses because of others (SQLSTATE class 40): a turn that is tried again, and a group that ends.  A file has no others. */
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <time.h>

#include "store/meta.h"

/* The row of the turn behind a view, which tells the first `times` who look that they are in the way.  What a sequence counts stays counted
 * in a transaction that fails. */
static void stumble(struct store_fixture *f, unsigned times)
{
    char sql[900];

    snprintf(sql, sizeof sql,
             "ALTER TABLE writer_turn RENAME TO the_turn; CREATE SEQUENCE tries;"
             "CREATE FUNCTION stumbles() RETURNS BOOLEAN LANGUAGE plpgsql VOLATILE AS $$ BEGIN"
             " IF nextval('tries') <= %u THEN RAISE EXCEPTION 'could not serialize' USING ERRCODE = 'serialization_failure'; END IF;"
             " RETURN TRUE; END $$;"
             "CREATE VIEW writer_turn AS SELECT one, number FROM the_turn WHERE stumbles()", times);
    store_sql(f->db, sql);
}

static void a_turn_is_tried_again(void **state)
{
    struct store_fixture *f = *state;
    struct err err = { 0 };

    stumble(f, 3);
    store_ok(db_begin(f->db, &err));
    assert_int_equal(store_number(f->db, "SELECT last_value FROM tries"), 4);
    db_rollback(f->db);
}

static void but_not_for_ever(void **state)
{
    struct store_fixture *f = *state;
    uint64_t began_ms = clock_monotonic_ms(), tries;
    struct err err = { 0 };

    stumble(f, 1000);
    store_fails(ERR_AGAIN, db_begin(f->db, &err));
    assert_non_null(strstr(err.text, "could not serialize"));
    assert_true(clock_monotonic_ms() - began_ms >= 10 + 20 + 40 + 80);      /* each pause is twice the one before */
    tries = (uint64_t)store_number(f->db, "SELECT last_value FROM tries");
    assert_true(tries > 4 && tries < 10);
}

/* ---- a deadlock ---- */

struct rival { struct db *db; pthread_t thread; struct err err; bool ok; };

static void *want_what_the_group_has(void *self)
{
    struct rival *r = self;

    r->ok = db_exec_script(r->db, "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE; COMMIT", &r->err);
    return NULL;
}

static bool write_both(void *self, struct group *group, struct err *err)
{
    struct rival *r = self;
    struct stmt st;

    if (!store_meta_set(group->db, "both", 1, err) || !db_flush(group->db, err))
        return false;
    if (r != NULL)
        assert_int_equal(pthread_create(&r->thread, NULL, want_what_the_group_has, r), 0);
    return db_prepare(group->db, "UPDATE settler SET beat = beat + 1", &st, err) && stmt_exec_one(&st, err);
}

/* The rival has one table and waits for the other, which the group has; so does the group for the first.  The server ends who waits longest. */
static void a_deadlock_ends_the_group_and_not_the_writer(void **state)
{
    struct store_fixture *f = *state;
    struct rival r = { .ok = false };
    struct writer *w;
    struct err err = { 0 };

    store_ok(writer_open(f->url, &clock_system, &w, &err));
    store_ok(db_open(f->url, DB_READ, &r.db, &err));
    store_ok(db_exec_script(r.db, "BEGIN READ WRITE; SET LOCAL deadlock_timeout = '60s'; LOCK TABLE settler IN ACCESS EXCLUSIVE MODE", &err));
    store_fails(ERR_AGAIN, writer_do(w, write_both, &r, &err));
    assert_non_null(strstr(err.text, "deadlock detected"));
    pthread_join(r.thread, NULL);
    if (!r.ok)
        fail_msg("%s", r.err.text);
    assert_int_equal(store_number(r.db, "SELECT COUNT(*) FROM meta WHERE key = 'both'"), 0);
    store_ok(writer_do(w, write_both, NULL, &err));
    assert_int_equal(store_number(r.db, "SELECT value FROM meta WHERE key = 'both'"), 1);
    assert_int_equal(store_number(r.db, "SELECT beat FROM settler"), 1);
    db_close(r.db);
    writer_close(w);
}

#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_turn_is_tried_again), ON_DATABASE(but_not_for_ever),
        cmocka_unit_test_setup_teardown(a_deadlock_ends_the_group_and_not_the_writer, store_dir_setup, store_teardown),
    };

    if (store_place_is_sqlite()) {
        print_message("store: a file has no others in the way, scripts/with-postgres gives a database that may\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: in the way", tests, NULL, NULL);
}
