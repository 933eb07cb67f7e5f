#include "tests/support/store_fixture.h"

#include <stdio.h>

#include "store/ledger.h"

static struct share share_of(unsigned account, enum role role, unsigned model, uint64_t amount)
{
    return (struct share){ some_address(account), role, some_hash(model), some_amount(amount) };
}

static bool note_posting(void *self, const struct posting *p, struct err *err)
{
    char *seen = self, one[64];
    uint64_t amount = 0;

    if (!u256_to_u64(p->share.amount.base_units, &amount))
        return err_set(err, ERR_BUG, "more than this test writes");
    snprintf(one, sizeof one, "%u:%s:%u=%u*%u ", p->share.account.b[19], role_name(p->share.role), p->share.model.b[31],
             (unsigned)amount, (unsigned)p->count);
    strcat(seen, one);
    return true;
}

static void postings_of_one_account_role_and_model_are_summed(void **state)
{
    static const struct { unsigned account; enum role role; unsigned model; uint64_t amount, count; } rows[] = {
        { 2, ROLE_CREATOR,  5, 10, 1 },
        { 1, ROLE_PROVIDER, 5, 20, 1 },
        { 1, ROLE_PROVIDER, 5, 22, 2 },
        { 1, ROLE_PROVIDER, 4, 7,  1 },
        { 1, ROLE_CREATOR,  5, 1,  1 },
    };
    struct store_fixture *f = *state;
    char seen[400] = "";
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct share share = share_of(rows[i].account, rows[i].role, rows[i].model, rows[i].amount);

        store_ok(store_posting_add(f->db, 1, &share, rows[i].count, &err));
    }
    store_ok(store_postings_of_batch(f->db, 1, note_posting, seen, &err));
    assert_string_equal(seen, "1:provider:4=7*1 1:provider:5=42*3 1:creator:5=1*1 2:creator:5=10*1 ");
    seen[0] = '\0';
    store_ok(store_postings_of_account(f->db, some_address(2), note_posting, seen, &err));
    assert_string_equal(seen, "2:creator:5=10*1 ");
}

static void a_posting_holds_256_bits_and_not_one_more(void **state)
{
    struct store_fixture *f = *state;
    struct share share = share_of(1, ROLE_PROVIDER, 1, 1), most = share;
    struct amount got;
    struct stmt st;
    struct err err;
    bool row;

    most.amount = amount_of_256_bits();
    store_ok(store_posting_add(f->db, 1, &most, 1, &err));
    store_fails(ERR_OVERFLOW, store_posting_add(f->db, 1, &share, 1, &err));
    store_ok(db_prepare(f->db, "SELECT amount FROM postings", &st, &err));
    store_ok(stmt_step(&st, &row, &err));
    got = stmt_amount(&st);
    stmt_end(&st);
    assert_amount_equal(got, amount_of_256_bits());
}

static void a_posting_needs_its_batch(void **state)
{
    struct store_fixture *f = *state;
    struct share share = share_of(1, ROLE_PROVIDER, 1, 1);
    struct err err;

    store_fails(ERR_STORE, store_posting_add(f->db, 99, &share, 1, &err));
}

static void payments_are_kept_once_and_summed(void **state)
{
    struct store_fixture *f = *state;
    struct payment p = { 10, 1, some_address(1), some_amount(5), { some_hash(1) } };
    struct payment later = { 11, 0, some_address(1), some_amount(6), { some_hash(2) } };
    struct payment others = { 10, 2, some_address(2), some_amount(100), { some_hash(1) } };
    struct amount got;
    struct tx_hash last;
    struct err err;
    bool any = true;

    store_ok(store_account_paid(f->db, some_address(1), &got, &last, &any, &err));
    assert_false(any);
    assert_amount_equal(got, AMOUNT_ZERO);
    store_ok(store_payment_add(f->db, &later, &err));
    store_ok(store_payment_add(f->db, &p, &err));
    store_ok(store_payment_add(f->db, &p, &err));
    store_ok(store_payment_add(f->db, &others, &err));
    store_ok(store_account_paid(f->db, some_address(1), &got, &last, &any, &err));
    assert_true(any);
    assert_amount_equal(got, some_amount(11));
    assert_true(hash_eq(last.h, some_hash(2)));
    store_ok(store_payments_total(f->db, &got, &err));
    assert_amount_equal(got, some_amount(111));
}

static void another_payment_in_the_place_of_one_is_a_conflict(void **state)
{
    struct store_fixture *f = *state;
    struct payment p = { 10, 1, some_address(1), some_amount(5), { some_hash(1) } };
    struct err err;

    store_ok(store_payment_add(f->db, &p, &err));
    p.amount = some_amount(6);
    store_fails(ERR_CONFLICT, store_payment_add(f->db, &p, &err));
}

#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, store_db_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(postings_of_one_account_role_and_model_are_summed),
        WITH_DB(a_posting_holds_256_bits_and_not_one_more),
        WITH_DB(a_posting_needs_its_batch),
        WITH_DB(payments_are_kept_once_and_summed),
        WITH_DB(another_payment_in_the_place_of_one_is_a_conflict),
    };

    return cmocka_run_group_tests_name("store: ledger", tests, NULL, NULL);
}
