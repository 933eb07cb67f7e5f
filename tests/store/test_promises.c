/* Promises, evidence and daily sums: what stands beside a receipt. */
#include "tests/support/store_fixture.h"

static void a_promise_comes_back_as_it_went_in(void **state)
{
    struct store_fixture *f = *state;
    struct promise_row p = { .id = 9, .promise = { some_hash(1), 2, 3, 4 }, .signature = some_signature(5), .signer = some_address(6) };
    struct promise_row back;
    struct err err;

    buf_init(&p.leaves);
    assert_true(buf_add_zeros(&p.leaves, 64));
    store_ok(store_promise_insert(f->db, &p, &err));
    store_ok(store_promise_find(f->db, 9, &back, &err));
    assert_true(hash_eq(back.promise.root, p.promise.root) && address_eq(back.signer, p.signer));
    assert_int_equal(back.promise.count, 2);
    assert_int_equal(back.promise.accepted_at_ms, 3);
    assert_int_equal(back.promise.settle_by_ms, 4);
    assert_int_equal(back.leaves.len, 64);
    store_fails(ERR_CONFLICT, store_promise_insert(f->db, &p, &err));
    store_fails(ERR_NOT_FOUND, store_promise_find(f->db, 10, &back, &err));
    buf_clear(&back.leaves);
    buf_clear(&p.leaves);
}

static void evidence_is_kept_once_and_not_without_end(void **state)
{
    struct store_fixture *f = *state;
    struct err err;

    for (unsigned n = 0; n < 5; n++) {
        struct receipt_row other = some_receipt(1);

        other.hash = some_hash(100 + n);
        store_ok(store_conflict_add(f->db, &other, NULL, 3, &err));
        store_ok(store_conflict_add(f->db, &other, NULL, 3, &err));
    }
    assert_int_equal(store_number(f->db, "SELECT COUNT(*) FROM conflicts"), 3);
}

struct seen { unsigned count; struct receipt_row row; bool in_bundle; struct bundle_proof proof; };

static bool see(void *self, const struct receipt_row *other, const struct bundle_proof *proof, struct err *err)
{
    struct seen *s = self;

    (void)err;
    s->count++;
    s->row = *other;
    s->in_bundle = proof != NULL;
    if (proof != NULL)
        s->proof = *proof;
    return true;
}

static void evidence_out_of_a_bundle_keeps_what_proves_it(void **state)
{
    struct store_fixture *f = *state;
    struct receipt_row other = some_receipt(1);
    struct bundle_proof proof = { { some_address(1), some_hash(6), 7000 }, some_signature(8), 6999, { .len = 2 } };
    struct seen seen = { 0 };
    struct err err;

    proof.path.path[0] = some_hash(30);
    proof.path.path[1] = some_hash(31);
    other.signed_.has_signature = false;
    store_ok(store_conflict_add(f->db, &other, &proof, 3, &err));
    store_ok(store_conflicts_of(f->db, some_job(1), some_address(1), see, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_true(hash_eq(seen.row.hash, other.hash) && !seen.row.signed_.has_signature && seen.in_bundle);
    assert_true(address_eq(seen.proof.bundle.provider, some_address(1)) && hash_eq(seen.proof.bundle.root, some_hash(6)));
    assert_int_equal(seen.proof.bundle.count, 7000);
    assert_int_equal(seen.proof.index, 6999);
    assert_memory_equal(&seen.proof.signature, &proof.signature, sizeof proof.signature);
    assert_int_equal(seen.proof.path.len, 2);
    assert_true(hash_eq(seen.proof.path.path[1], some_hash(31)));
    store_sql(f->db, "UPDATE conflicts SET bundle = zeroblob(100)");
    store_fails(ERR_STORE, store_conflicts_of(f->db, some_job(1), some_address(1), see, &seen, &err));
}

static void what_a_provider_earned_in_a_day_is_kept(void **state)
{
    struct store_fixture *f = *state;
    struct amount got;
    struct err err;

    store_ok(store_provider_day(f->db, some_address(1), 20000, &got, &err));
    assert_amount_equal(got, AMOUNT_ZERO);
    store_ok(store_provider_day_set(f->db, some_address(1), 20000, some_amount(5), &err));
    store_ok(store_provider_day_set(f->db, some_address(1), 20000, amount_of_256_bits(), &err));
    store_ok(store_provider_day(f->db, some_address(1), 20000, &got, &err));
    assert_amount_equal(got, amount_of_256_bits());
    store_ok(store_provider_day(f->db, some_address(1), 20001, &got, &err));
    assert_amount_equal(got, AMOUNT_ZERO);
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(a_promise_comes_back_as_it_went_in),
        WITH_DB(evidence_is_kept_once_and_not_without_end),
        WITH_DB(evidence_out_of_a_bundle_keeps_what_proves_it),
        WITH_DB(what_a_provider_earned_in_a_day_is_kept),
    };

    return cmocka_run_group_tests_name("store: beside receipts", tests, NULL, NULL);
}
