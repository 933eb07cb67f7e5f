/* A day of receipts leaves as a whole, and what must stay stays (receipt_days.h).  A file has none. */
#include "tests/support/receipt_days.h"

#include <string.h>

#include "store/receipt_days.h"

static bool watch(void *self, struct group *group, struct err *err)
{
    return store_day_watch(group->db, *(uint64_t *)self, err);
}

struct ending { struct day_survey survey; bool dropped; };

static bool drop(void *self, struct group *group, struct err *err)
{
    struct ending *e = self;

    return store_day_drop(group->db, &e->survey, &e->dropped, err);
}

static void begin_ending(struct place *p, uint64_t day, struct ending *e)
{
    struct err err;

    *e = (struct ending){ .survey.day = day };
    buf_init(&e->survey.keys);
    store_ok(writer_do(p->writer, watch, &day, &err));
    store_ok(store_day_survey(p->reader, &e->survey, &err));
}

static void what_must_stay_stays_when_a_day_is_dropped(void **state)
{
    struct place p = place_of(*state);
    struct receipt_row accepted, held;
    struct ending e;
    struct err err;

    have_day(&p, TODAY);
    accepted = have_receipt(&p, TODAY * DAY_MS, 1);       /* of a batch that did not leave */
    held = some_held_receipt(2);
    memcpy(held.signed_.receipt.job_id.b, accepted.signed_.receipt.job_id.b, 6);
    held.signed_.receipt.job_id.b[5]++;
    store_ok(writer_do(p.writer, insert_receipt, &held, &err));
    begin_ending(&p, TODAY, &e);
    assert_int_equal(e.survey.stays, 2);
    store_ok(writer_do(p.writer, drop, &e, &err));
    assert_true(e.dropped);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipt_days"), 0);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipts_rest"), 2);
    assert_found(p.reader, &accepted);
    assert_found(p.reader, &held);
    buf_clear(&e.survey.keys);
    leave(&p);
}

static void a_day_that_was_changed_since_it_was_looked_through_is_not_dropped(void **state)
{
    struct place p = place_of(*state);
    struct receipt_row late;
    struct ending e;
    struct err err;

    have_day(&p, TODAY);
    have_receipt(&p, TODAY * DAY_MS, 1);
    begin_ending(&p, TODAY, &e);
    late = have_receipt(&p, TODAY * DAY_MS + 7, 2);
    store_ok(writer_do(p.writer, drop, &e, &err));
    assert_false(e.dropped);
    assert_found(p.reader, &late);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipts_20000"), 2);
    buf_clear(&e.survey.keys);
    begin_ending(&p, TODAY, &e);
    assert_int_equal(e.survey.stays, 2);
    store_ok(writer_do(p.writer, drop, &e, &err));
    assert_true(e.dropped);
    assert_found(p.reader, &late);
    buf_clear(&e.survey.keys);
    leave(&p);
}

static void a_snapshot_keeps_its_days_and_whoever_drops_tries_again(void **state)
{
    struct store_fixture *f = *state;
    struct place p = place_of(f);
    struct receipt_row row;
    struct db *other;
    struct ending e;
    uint64_t next = TODAY + 1;
    struct err err;

    have_day(&p, TODAY);
    row = have_receipt(&p, TODAY * DAY_MS, 1);
    begin_ending(&p, TODAY, &e);
    store_ok(db_open(f->url, DB_READ, &other, &err));
    store_ok(db_begin(other, &err));
    assert_int_equal(store_number(other, "SELECT COUNT(*) FROM batches"), 1);         /* its snapshot; no look at receipts yet */
    store_fails(ERR_AGAIN, writer_do(p.writer, drop, &e, &err));
    have_receipt(&p, (TODAY + 5) * DAY_MS, 3);            /* the writer goes on */
    assert_found(other, &row);
    assert_int_equal(store_number(other, "SELECT COUNT(*) FROM receipts"), 1);       /* all partitions are locked now */
    store_fails(ERR_AGAIN, writer_do(p.writer, make_day, &next, &err));
    db_rollback(other);
    have_day(&p, next);
    store_ok(writer_do(p.writer, drop, &e, &err));
    assert_true(e.dropped);
    assert_int_equal(store_number(p.reader, "SELECT COUNT(*) FROM receipt_days WHERE day = 20001"), 1);
    assert_found(other, &row);
    db_close(other);
    buf_clear(&e.survey.keys);
    leave(&p);
}

struct finder { struct store_fixture *fixture; struct receipt_row row; pthread_t thread; };

static void *find(void *self)
{
    const struct finder *r = self;
    struct db *db;
    struct err err;

    store_ok(db_open(r->fixture->url, DB_READ, &db, &err));
    assert_found(db, &r->row);
    db_close(db);
    return NULL;
}

static void who_asks_while_a_day_is_dropped_finds_what_stays(void **state)
{
    struct store_fixture *f = *state;
    struct finder finder = { .fixture = f };
    struct place p = place_of(f);
    struct ending e;
    struct err err;

    have_day(&p, TODAY);
    finder.row = have_receipt(&p, TODAY * DAY_MS, 1);
    begin_ending(&p, TODAY, &e);
    store_ok(db_begin(f->db, &err));
    store_ok(store_day_drop(f->db, &e.survey, &e.dropped, &err));
    assert_int_equal(pthread_create(&finder.thread, NULL, find, &finder), 0);
    while (store_number(f->db, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'receipts'::regclass") == 0)
        clock_sleep_ms(1);
    store_ok(db_commit(f->db, &err));
    pthread_join(finder.thread, NULL);
    buf_clear(&e.survey.keys);
    leave(&p);
}

#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(what_must_stay_stays_when_a_day_is_dropped),
        ON_STORE(a_day_that_was_changed_since_it_was_looked_through_is_not_dropped),
        ON_STORE(a_snapshot_keeps_its_days_and_whoever_drops_tries_again),
        ON_STORE(who_asks_while_a_day_is_dropped_finds_what_stays),
    };

    if (store_place_is_sqlite()) {
        print_message("store: a file has no days, scripts/with-postgres gives a database that has\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store: the end of a day of receipts", tests, NULL, NULL);
}
