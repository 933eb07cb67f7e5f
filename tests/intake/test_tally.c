#include "gateway/intake/tally.h"
#include "tests/support/fixture.h"

static struct tally_key key(uint64_t n)
{
    struct tally_key k = { .number = n % 7, .role = (int)(n % 5) };

    k.account.b[19] = (uint8_t)(n >> 8);
    k.model.b[0] = (uint8_t)n;
    return k;
}

static void put(struct tally *s, uint64_t n, uint64_t amount)
{
    struct err err = { 0 };
    struct tally_key k = key(n);

    assert_true(tally_add(s, &k, amount_from_u64(amount), &err));
}

static uint64_t get(const struct tally *s, uint64_t n)
{
    struct tally_key k = key(n);
    const struct tally_row *sum = tally_find(s, &k);
    uint64_t v = 0;

    assert_true(sum == NULL || u256_to_u64(sum->amount.base_units, &v));
    return v;
}

static void equal_keys_are_summed(void **state)
{
    struct tally s = { 0 };

    (void)state;
    assert_int_equal(get(&s, 1), 0);
    for (uint64_t n = 0; n < 3000; n++)
        put(&s, n % 1000, n);
    for (uint64_t n = 0; n < 1000; n++)
        assert_int_equal(get(&s, n), 3 * n + 3000);
    assert_int_equal(s.count, 1000);
    tally_clear(&s);
}

/* Rounds of the same keys, as receipts add, broken by others at any place; with marks and undoing between. */
static void any_order_of_keys_is_summed(void **state)
{
    enum { KEYS = 40 };
    uint64_t want[KEYS] = { 0 }, since[KEYS] = { 0 };
    struct rng rng = { 3 };
    struct tally s = { 0 };

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t n = rng_below(&rng, 10) < 8 ? i % 5 : rng_below(&rng, KEYS), amount = rng_below(&rng, 1000);

        put(&s, n, amount);
        since[n] += amount;
        assert_int_equal(get(&s, n), want[n] + since[n]);
        if (rng_below(&rng, 50) != 0)
            continue;
        if (rng_below(&rng, 2) == 0)
            tally_undo(&s);
        else
            for (size_t k = 0; k < KEYS; k++)
                want[k] += since[k];
        tally_mark(&s);
        memset(since, 0, sizeof since);
        for (uint64_t k = 0; k < KEYS; k++)
            assert_int_equal(get(&s, k), want[k]);
    }
    tally_clear(&s);
}

static void undo_goes_back_to_the_mark(void **state)
{
    struct tally s = { 0 };

    (void)state;
    put(&s, 1, 10);
    tally_mark(&s);
    put(&s, 1, 5);
    put(&s, 2, 6);
    tally_undo(&s);
    assert_int_equal(get(&s, 1), 10);
    assert_null(tally_find(&s, &(struct tally_key[]){ key(2) }[0]));
    put(&s, 2, 7);
    assert_int_equal(get(&s, 2), 7);
    tally_clear(&s);
}

static void a_reset_forgets_all(void **state)
{
    struct tally s = { 0 };

    (void)state;
    put(&s, 1, 10);
    tally_reset(&s);
    assert_int_equal(get(&s, 1), 0);
    put(&s, 1, 3);
    assert_int_equal(get(&s, 1), 3);
    tally_clear(&s);
}

static void rows_are_sorted_by_key(void **state)
{
    struct tally s = { 0 };

    (void)state;
    for (uint64_t n = 0; n < 100; n++)
        put(&s, n * 37 % 100, 1);
    tally_sort(&s);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.list[i - 1].key.number <= s.list[i].key.number);
    tally_clear(&s);
}

static void a_sum_over_256_bits_is_refused(void **state)
{
    struct tally s = { 0 };
    struct amount most;
    struct err err = { 0 };

    (void)state;
    memset(&most, 0xff, sizeof most);
    assert_true(tally_add(&s, &(struct tally_key){ .number = 1 }, most, &err));
    assert_false(tally_add(&s, &(struct tally_key){ .number = 1 }, amount_from_u64(1), &err));
    assert_int_equal(err.code, ERR_OVERFLOW);
    tally_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_are_summed),
        cmocka_unit_test(any_order_of_keys_is_summed),
        cmocka_unit_test(undo_goes_back_to_the_mark),
        cmocka_unit_test(a_reset_forgets_all),
        cmocka_unit_test(rows_are_sorted_by_key),
        cmocka_unit_test(a_sum_over_256_bits_is_refused),
    };

    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
