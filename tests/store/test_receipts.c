#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "gateway/base/clock.h"

static void assert_same_receipt(const struct receipt_row *a, const struct receipt_row *b)
{
    uint8_t left[RECEIPT_PACKED], right[RECEIPT_PACKED];

    receipt_pack(&a->signed_.receipt, left);
    receipt_pack(&b->signed_.receipt, right);
    assert_memory_equal(left, right, sizeof left);
    assert_int_equal(a->signed_.has_signature, b->signed_.has_signature);
    assert_memory_equal(&a->signed_.signature, &b->signed_.signature, sizeof a->signed_.signature);
    assert_int_equal(a->signed_.has_consumer_signature, b->signed_.has_consumer_signature);
    assert_memory_equal(&a->signed_.consumer_signature, &b->signed_.consumer_signature, sizeof a->signed_.consumer_signature);
    assert_true(hash_eq(a->hash, b->hash));
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->has_bundle, b->has_bundle);
    assert_int_equal(a->bundle, b->bundle);
    assert_int_equal(a->bundle_index, b->bundle_index);
    assert_int_equal(a->received_at_ms, b->received_at_ms);
    assert_int_equal(a->accepted_at_ms, b->accepted_at_ms);
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->price_version, b->price_version);
    assert_amount_equal(a->amount, b->amount);
    assert_int_equal(a->has_charged, b->has_charged);
    assert_true(address_eq(a->charged, b->charged));
    assert_int_equal(a->promise, b->promise);
    assert_int_equal(a->promise_index, b->promise_index);
    assert_string_equal(a->reason, b->reason);
    assert_string_equal(a->faults, b->faults);
}

static struct receipt_row found(struct db *db, unsigned n)
{
    struct receipt_row row;
    struct err err;
    bool any = false;

    store_ok(store_receipt_find(db, some_job(n), some_address(1), &row, &any, &err));
    assert_true(any);
    return row;
}

static void insert(struct db *db, struct receipt_row row)
{
    struct err err;

    store_ok(store_receipt_insert(db, &row, &err));
}

static void a_receipt_comes_back_as_it_went_in(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row accepted = some_receipt(1), held = some_held_receipt(2), got;
    struct err err;
    bool any = true;

    insert(f->db, accepted);
    insert(f->db, held);
    got = found(f->db, 1);
    assert_same_receipt(&got, &accepted);
    got = found(f->db, 2);
    assert_same_receipt(&got, &held);
    store_ok(store_receipt_find(f->db, some_job(3), some_address(1), &got, &any, &err));
    assert_false(any);
}

/* Every third of 250 jobs is there: asked for all at once, and for so many that the last statement is not full. */
static void many_jobs_are_asked_for_at_once(void **state)
{
    struct store_fixture *f = *state;
    struct job_id jobs[250];
    bool known[ARRAY_LEN(jobs)];
    struct err err;

    for (unsigned i = 0; i < ARRAY_LEN(jobs); i++)
        jobs[i] = some_job(i + 1);
    store_ok(store_receipt_jobs_known(f->db, jobs, ARRAY_LEN(jobs), jobs[0], jobs[ARRAY_LEN(jobs) - 1], known, &err));
    for (unsigned i = 0; i < ARRAY_LEN(jobs); i++)
        assert_false(known[i]);
    for (unsigned i = 0; i < ARRAY_LEN(jobs); i += 3)
        insert(f->db, i % 2 == 0 ? some_receipt(i + 1) : some_held_receipt(i + 1));
    for (size_t count = 1; count <= ARRAY_LEN(jobs); count += 83) {
        store_ok(store_receipt_jobs_known(f->db, jobs, count, jobs[0], jobs[count - 1], known, &err));
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(known[i], i % 3 == 0);
    }
}

#define MANY_DAYS 400u

static struct job_id job_on(uint64_t day, unsigned n)
{
    uint64_t ms = day * DAY_MS + n;
    struct job_id job = some_job(n);

    for (size_t i = 0; i < 6; i++)
        job.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    return job;
}

/* By nobody, one provider, another, or both. */
static void insert_by(struct db *db, struct job_id job, unsigned n)
{
    for (unsigned provider = 1; provider <= 2; provider++) {
        struct receipt_row row = provider == 1 ? some_receipt(n) : some_held_receipt(n);

        row.signed_.receipt.job_id = job;
        row.signed_.receipt.provider = some_address(provider);
        if (n % 4 & provider)
            insert(db, row);
    }
}

/* Two days of many jobs, one of few, and some that are alone, up to the last day that a jobId can name; in order and in none. */
static void jobs_of_many_days_are_asked_for_at_once(void **state)
{
    struct store_fixture *f = *state;
    struct job_id jobs[MANY_DAYS], first = job_on(0, 0), last;
    bool known[MANY_DAYS];
    struct err err;

    memset(&last, 0xff, sizeof last);
    for (unsigned i = 0; i < MANY_DAYS; i++)
        jobs[i] = job_on(i < 150 ? 20000 : i < 300 ? 20001 : i < 390 ? 20003 : 3257812u + i - 399, i);
    for (unsigned i = 0; i < MANY_DAYS; i++)
        insert_by(f->db, jobs[i], i);
    store_ok(store_receipt_jobs_known(f->db, jobs, MANY_DAYS, first, last, known, &err));
    for (unsigned i = 0; i < MANY_DAYS; i++)
        assert_int_equal(known[i], i % 4 != 0);
    for (unsigned i = 0; i < MANY_DAYS; i++)
        jobs[i] = jobs[i * 7 % MANY_DAYS];
    store_ok(store_receipt_jobs_known(f->db, jobs, MANY_DAYS, first, last, known, &err));
    for (unsigned i = 0; i < MANY_DAYS; i++)
        assert_int_equal(known[i], jobs[i].b[15] % 4 != 0);
    store_ok(store_receipt_jobs_known(f->db, jobs, 0, first, last, known, &err));
}

static void a_receipt_of_a_bundle_has_no_signature_of_its_own(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1), got;
    struct bundle_row bundle = { .bundle = { some_address(1), some_hash(6), 2 }, .signature = some_signature(7) }, back;
    struct err err;

    buf_init(&bundle.leaves);
    assert_true(buf_add(&bundle.leaves, "leaves", 6));
    store_ok(store_bundle_insert(f->db, &bundle, &err));
    row.signed_.has_signature = false;
    memset(&row.signed_.signature, 0, sizeof row.signed_.signature);
    row.has_bundle = true;
    row.bundle = bundle.id;
    row.bundle_index = 1;
    insert(f->db, row);
    got = found(f->db, 1);
    assert_same_receipt(&got, &row);

    store_ok(store_bundle_find(f->db, bundle.id, &back, &err));
    assert_true(address_eq(back.bundle.provider, bundle.bundle.provider) && hash_eq(back.bundle.root, bundle.bundle.root));
    assert_int_equal(back.bundle.count, 2);
    assert_memory_equal(&back.signature, &bundle.signature, sizeof back.signature);
    assert_int_equal(back.leaves.len, 6);
    assert_memory_equal(back.leaves.data, "leaves", 6);
    store_fails(ERR_NOT_FOUND, store_bundle_find(f->db, bundle.id + 1, &back, &err));
    buf_clear(&back.leaves);
    buf_clear(&bundle.leaves);
}

static void one_receipt_a_provider_and_job(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1), held = some_held_receipt(1);
    struct err err;

    insert(f->db, row);
    store_fails(ERR_CONFLICT, store_receipt_insert(f->db, &row, &err));
    held.signed_.receipt.provider = some_address(77);
    store_ok(store_receipt_insert(f->db, &held, &err));
}

static bool insert_beside(struct db *db, const struct receipt_row *row, struct err *err)
{
    struct db_place place;
    bool ok = db_begin_beside(db, &place, err) && store_receipt_insert(db, row, err) && db_commit(db, err);

    db_rollback(db);
    return ok;
}

/* Several writers that work beside each other look for a job in vain; who has a turn does not, and decides by itself. */
static void beside_others_a_job_is_billed_once_but_for_an_operator(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1);
    struct err err;

    if (!db_is_shared(f->db))
        skip();
    store_ok(insert_beside(f->db, &row, &err));
    row.signed_.receipt.provider = some_address(77);
    store_fails(ERR_CONFLICT, insert_beside(f->db, &row, &err));
    insert(f->db, row);
    row.signed_.receipt.provider = some_address(78);
    snprintf(row.reason, sizeof row.reason, "both worked");
    store_ok(insert_beside(f->db, &row, &err));
}

/* As a store was rebuilt from archives before, which hold no reasons. */
static void the_second_billed_of_a_store_of_before_gets_a_reason(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1);
    struct err err;

    insert(f->db, row);
    for (unsigned provider = 70; provider < 73; provider++) {
        row.signed_.receipt.provider = some_address(provider);
        insert(f->db, row);
    }
    insert(f->db, some_receipt(2));
    store_sql(f->db, db_is_shared(f->db) ? "DROP INDEX receipts_billed" : "SELECT 1");
    store_sql(f->db, "ALTER TABLE receipts DROP COLUMN beside; DELETE FROM migrations WHERE name >= '0023'");
    store_ok(db_migrate(f->db, &err));
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM receipts WHERE reason IS NULL"), 2);
    assert_int_equal(store_number(f->db, "SELECT COUNT(DISTINCT job_id) FROM receipts WHERE reason IS NULL"), 2);
}

static void a_held_receipt_is_accepted_once(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row held = some_held_receipt(1), accepted = some_receipt(1), got;
    struct err err;

    insert(f->db, held);
    memcpy(accepted.reason, "looked at", sizeof "looked at");
    store_ok(store_receipt_accept(f->db, &accepted, &err));
    got = found(f->db, 1);
    assert_same_receipt(&got, &accepted);
    store_fails(ERR_BUG, store_receipt_accept(f->db, &accepted, &err));
    store_fails(ERR_BUG, store_receipt_refuse(f->db, some_job(1), some_address(1), "no", &err));
    store_fails(ERR_BUG, store_receipt_requeue(f->db, &accepted, &err));
}

static void a_refused_receipt_keeps_why(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row held = some_held_receipt(1), got;
    struct err err;

    insert(f->db, held);
    held.code = CODE_LATE;
    memcpy(held.faults, "[2]", sizeof "[2]");
    held.price_version = 5;
    held.amount = some_amount(77);
    store_ok(store_receipt_requeue(f->db, &held, &err));
    got = found(f->db, 1);
    assert_int_equal(got.code, CODE_LATE);
    assert_string_equal(got.faults, "[2]");
    assert_int_equal(got.price_version, 5);
    assert_amount_equal(got.amount, some_amount(77));
    store_ok(store_receipt_refuse(f->db, some_job(1), some_address(1), "a test run", &err));
    got = found(f->db, 1);
    assert_int_equal(got.state, RECEIPT_REFUSED);
    assert_string_equal(got.reason, "a test run");
    assert_string_equal(got.faults, "[2]");
}

static void a_consumer_signature_is_added_once(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row row = some_receipt(1), got;
    struct signature sig = some_signature(200);
    struct err err;

    row.signed_.has_consumer_signature = false;
    row.has_charged = false;
    insert(f->db, row);
    row.signed_.consumer_signature = sig;
    row.has_charged = true;
    row.charged = some_address(9);
    store_ok(store_receipt_countersign(f->db, &row, &err));
    got = found(f->db, 1);
    assert_true(got.signed_.has_consumer_signature);
    assert_memory_equal(&got.signed_.consumer_signature, &sig, sizeof sig);
    assert_true(got.has_charged && address_eq(got.charged, some_address(9)));
    store_fails(ERR_BUG, store_receipt_countersign(f->db, &row, &err));
}

static void a_job_is_billed_by_another_only_when_accepted(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row held = some_held_receipt(1);
    struct err err;
    bool billed = true;

    insert(f->db, held);
    store_ok(store_receipt_job_billed(f->db, some_job(1), some_address(2), &billed, &err));
    assert_false(billed);
    store_ok(store_receipt_accept(f->db, &(struct receipt_row){ .signed_ = held.signed_, .accepted_at_ms = 1, .batch = 1, .price_version = 1 },
                                  &err));
    store_ok(store_receipt_job_billed(f->db, some_job(1), some_address(2), &billed, &err));
    assert_true(billed);
    store_ok(store_receipt_job_billed(f->db, some_job(1), some_address(1), &billed, &err));
    assert_false(billed);
}

struct seen { char jobs[64]; int stop_after; bool fail; };

static bool note_job(void *self, const struct receipt_row *row, struct err *err)
{
    struct seen *seen = self;
    char one[8];

    snprintf(one, sizeof one, "%d ", row->signed_.receipt.job_id.b[15]);
    strncat(seen->jobs, one, sizeof seen->jobs - strlen(seen->jobs) - 1);
    if (seen->fail)
        return err_set(err, ERR_LIMIT, "enough");
    return seen->stop_after == 0 || --seen->stop_after > 0;
}

static void lists_are_in_order_and_may_be_stopped(void **state)
{
    struct store_fixture *f = *state;
    struct seen all = { "", 0, false }, some = { "", 2, false }, bad = { "", 0, true };
    struct err err;

    insert(f->db, some_receipt(3));
    insert(f->db, some_receipt(1));
    insert(f->db, some_receipt(2));
    insert(f->db, some_held_receipt(4));
    store_ok(store_receipts_of_batch(f->db, 1, note_job, &all, &err));
    assert_string_equal(all.jobs, "1 2 3 ");
    store_ok(store_receipts_of_batch(f->db, 1, note_job, &some, &err));
    assert_string_equal(some.jobs, "1 2 ");
    store_fails(ERR_LIMIT, store_receipts_of_batch(f->db, 1, note_job, &bad, &err));
    all.jobs[0] = '\0';
    store_ok(store_receipts_of_job(f->db, some_job(4), note_job, &all, &err));
    assert_string_equal(all.jobs, "4 ");
}

static const struct damage_case { const char *name, *sql; } damages[] = {
    { "a packed receipt that is cut short is noticed", "UPDATE receipts SET packed = zeroblob(207)" },
    { "a hash that is cut short is noticed",           "UPDATE receipts SET hash = zeroblob(31)" },
    { "a signature that is cut short is noticed",      "UPDATE receipts SET signature = zeroblob(64)" },
    { "an amount that is cut short is noticed",        "UPDATE receipts SET amount = zeroblob(31)" },
    { "a state that does not exist is noticed",        "UPDATE receipts SET state = 77" },
    { "a code that does not exist is noticed",         "UPDATE receipts SET code = -1" },
    { "a time before 1970 is noticed",                 "UPDATE receipts SET received_at = -1" },
};
static void damage_is_noticed(void **state)
{
    const struct damage_case *c = *state;
    struct seen seen = { "", 0, false };
    struct store_fixture *f;
    struct receipt_row row;
    void *own = NULL;
    struct err err;
    bool any;

    assert_int_equal(store_db_setup(&own), 0);
    f = own;
    insert(f->db, some_receipt(1));
    store_sql(f->db, c->sql);
    store_fails(ERR_STORE, store_receipt_find(f->db, some_job(1), some_address(1), &row, &any, &err));
    store_fails(ERR_STORE, store_receipts_of_batch(f->db, 1, note_job, &seen, &err));
    assert_string_equal(seen.jobs, "");
    store_teardown(&own);
}

static void receipts_of_a_batch_go_on_into_another(void **state)
{
    struct store_fixture *f = *state;
    struct seen seen = { "", 0, false };
    struct receipt_row row;
    struct err err;
    bool found;

    insert(f->db, some_receipt(1));
    insert(f->db, some_receipt(2));
    insert(f->db, some_held_receipt(3));
    store_ok(store_receipts_rebatch(f->db, 1, 2, &err));
    store_ok(store_receipts_of_batch(f->db, 1, note_job, &seen, &err));
    assert_string_equal(seen.jobs, "");
    store_ok(store_receipt_find(f->db, some_job(1), some_address(1), &row, &found, &err));
    assert_int_equal(row.batch, 2);
    store_ok(store_receipt_delete(f->db, &row, &err));
    store_ok(store_receipt_find(f->db, some_job(1), some_address(1), &row, &found, &err));
    assert_false(found);
    store_fails(ERR_BUG, store_receipt_delete(f->db, &row, &err));
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(a_receipt_comes_back_as_it_went_in),
        WITH_DB(many_jobs_are_asked_for_at_once), WITH_DB(jobs_of_many_days_are_asked_for_at_once),
        WITH_DB(a_receipt_of_a_bundle_has_no_signature_of_its_own),
        WITH_DB(one_receipt_a_provider_and_job), WITH_DB(beside_others_a_job_is_billed_once_but_for_an_operator),
        WITH_DB(the_second_billed_of_a_store_of_before_gets_a_reason), WITH_DB(a_held_receipt_is_accepted_once),
        WITH_DB(a_refused_receipt_keeps_why),
        WITH_DB(a_consumer_signature_is_added_once),
        WITH_DB(a_job_is_billed_by_another_only_when_accepted),
        WITH_DB(receipts_of_a_batch_go_on_into_another),
        WITH_DB(lists_are_in_order_and_may_be_stopped),
    };
    struct CMUnitTest damage[ARRAY_LEN(damages)];
    int failed;

    for (size_t i = 0; i < ARRAY_LEN(damages); i++)
        damage[i] = (struct CMUnitTest){ damages[i].name, damage_is_noticed, NULL, NULL, (void *)(uintptr_t)&damages[i] };
    failed = cmocka_run_group_tests_name("store: receipts", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("store: damaged receipts", damage, NULL, NULL);
}
