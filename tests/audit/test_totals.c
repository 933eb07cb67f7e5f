/* Sums per account and the marks of jobs, over more rows than their first room holds. */
#include "gateway/audit/seen.h"
#include "gateway/audit/totals.h"
#include "tests/support/fixture.h"

#define ACCOUNTS 700
#define ROUNDS 9

static void parts_add_up_whatever_their_order(void **state)
{
    struct rng rng = { 5 };
    struct address accounts[ACCOUNTS];
    struct totals totals = { 0 };
    struct amount sum;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ACCOUNTS; i++)
        accounts[i] = rng_address(&rng);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < ACCOUNTS; i++)
            assert_true(totals_add(&totals, accounts[(i * 31 + round) % ACCOUNTS], amount_from_u64(3), &err));
    assert_true(totals_sort(&totals, &err));
    assert_int_equal(totals.count, ACCOUNTS);
    for (size_t i = 1; i < totals.count; i++)
        assert_true(address_cmp(&totals.list[i - 1].account, &totals.list[i].account) < 0);
    assert_u256_is(totals_of(&totals, accounts[17]).base_units, u256_from_u64(3 * ROUNDS));
    assert_true(amount_is_zero(totals_of(&totals, rng_address(&rng))));
    assert_true(totals_sum(&totals, &sum, &err));
    assert_u256_is(sum.base_units, u256_from_u64(3 * ROUNDS * ACCOUNTS));
    totals_clear(&totals);
}

static void a_job_is_new_once_for_each_provider(void **state)
{
    struct rng rng = { 6 };
    struct address a = rng_address(&rng), b = rng_address(&rng);
    struct seen seen;

    (void)state;
    seen_init(&seen);
    for (uint8_t round = 0; round < 2; round++)
        for (unsigned i = 0; i < 9000; i++) {
            struct job_id job = { { (uint8_t)i, (uint8_t)(i >> 8) } };

            assert_int_equal(seen_add(&seen, job, a), round == 0);
            assert_int_equal(seen_add(&seen, job, b), round == 0);
        }
    assert_int_equal(seen.count, 18000);
    seen_clear(&seen);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up_whatever_their_order),
        cmocka_unit_test(a_job_is_new_once_for_each_provider),
    };

    return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
