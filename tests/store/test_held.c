/* Receipts in quarantine: in order, and how much strangers make us keep. */
#include <stdio.h>
#include <string.h>

#include "tests/support/store_fixture.h"

static void insert(struct db *db, struct receipt_row row)
{
    struct err err;

    store_ok(store_receipt_insert(db, &row, &err));
}

struct seen { char jobs[64]; };

static bool note_job(void *self, const struct receipt_row *row, struct err *err)
{
    struct seen *seen = self;
    char one[8];

    (void)err;
    snprintf(one, sizeof one, "%d ", row->signed_.receipt.job_id.b[15]);
    strncat(seen->jobs, one, sizeof seen->jobs - strlen(seen->jobs) - 1);
    return true;
}

static void held_receipts_are_paged_oldest_first(void **state)
{
    struct store_fixture *f = *state;
    struct seen first = { "" }, rest = { "" };
    struct held_cursor cursor = { 7002, some_job(2), some_address(1) };
    struct receipt_row late = some_held_receipt(1);
    uint64_t strangers, all;
    struct err err;

    for (unsigned n = 4; n > 0; n--)
        insert(f->db, some_held_receipt(n));
    insert(f->db, some_receipt(9));
    late.code = CODE_LATE;
    store_ok(store_receipt_requeue(f->db, &late, &err));
    store_ok(store_receipts_held(f->db, NULL, 2, note_job, &first, &err));
    assert_string_equal(first.jobs, "1 2 ");
    store_ok(store_receipts_held(f->db, &cursor, 100, note_job, &rest, &err));
    assert_string_equal(rest.jobs, "3 4 ");
    store_ok(store_receipts_of_strangers(f->db, &strangers, &err));
    assert_int_equal(strangers, 3);
    store_ok(store_receipts_held_count(f->db, 100, &all, &err));
    assert_int_equal(all, 4);
    store_ok(store_receipts_held_count(f->db, 3, &all, &err));
    assert_int_equal(all, 3);
}

static void a_strangers_bundle_counts_whole(void **state)
{
    struct store_fixture *f = *state;
    struct bundle_row bundle = { .bundle = { some_address(1), some_hash(6), 5000 }, .signature = some_signature(7) };
    struct receipt_row row;
    uint64_t strangers;
    struct err err;

    buf_init(&bundle.leaves);
    store_ok(store_bundle_insert(f->db, &bundle, &err));
    for (unsigned n = 1; n <= 3; n++) {
        row = some_held_receipt(n);
        row.has_bundle = n > 1;
        row.bundle = bundle.id;
        insert(f->db, row);
    }
    store_ok(store_receipts_of_strangers(f->db, &strangers, &err));
    assert_int_equal(strangers, 1 + 5000);
    store_ok(store_receipt_refuse(f->db, some_job(2), some_address(1), "no", &err));
    store_ok(store_receipt_refuse(f->db, some_job(3), some_address(1), "no", &err));
    store_ok(store_receipts_of_strangers(f->db, &strangers, &err));
    assert_int_equal(strangers, 1);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(held_receipts_are_paged_oldest_first),
        WITH_DB(a_strangers_bundle_counts_whole),
    };

    return cmocka_run_group_tests_name("store: held receipts", tests, NULL, NULL);
}
