/* Latencies in log-scaled buckets: every value has one, figures are never too low and at most a quarter too high. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "gateway/base/types.h"
#include "gateway/node/histogram.h"
#include "tests/support/fixture.h"

static size_t bucket_of(uint64_t ms)
{
    struct histogram h = { 0 };

    histogram_add(&h, ms);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (h.bucket[i] == 1)
            return i;
    fail_msg("%llu ms is in no bucket", (unsigned long long)ms);
    return 0;
}

static void buckets_follow_each_other_without_gap_or_overlap(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        assert_int_equal(bucket_of(histogram_bucket_top(i)), i);
        assert_int_equal(bucket_of(histogram_bucket_top(i) + 1), i + 1);
    }
    assert_int_equal(bucket_of(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void an_empty_one_has_zeros(void **state)
{
    const struct histogram h = { 0 };

    (void)state;
    assert_int_equal(histogram_quantile(&h, 500), 0);
    assert_int_equal(histogram_quantile(&h, 1000), 0);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void quantiles_are_those_of_the_sorted_values_or_a_quarter_more(void **state)
{
    static const unsigned wanted[] = { 1, 500, 900, 990, 999, 1000 };
    static uint64_t values[5000];
    struct rng rng = { 3 };
    struct histogram h = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        values[i] = rng_below(&rng, UINT64_C(1) << rng_below(&rng, 25));
        histogram_add(&h, values[i]);
    }
    qsort(values, ARRAY_LEN(values), sizeof *values, compare);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        uint64_t exact = values[(ARRAY_LEN(values) * wanted[i] + 999) / 1000 - 1], got = histogram_quantile(&h, wanted[i]);

        assert_true(got >= exact && got <= exact + exact / 4);
    }
    assert_int_equal(histogram_quantile(&h, 1000), h.max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_follow_each_other_without_gap_or_overlap),
        cmocka_unit_test(an_empty_one_has_zeros),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values_or_a_quarter_more),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
