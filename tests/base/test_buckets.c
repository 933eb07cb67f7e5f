/* Token buckets of many keys in a table that never grows. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/base/buckets.h"

static struct address key(uint32_t number)
{
    struct address a = { { 0 } };

    memcpy(a.b, &number, sizeof number);
    return a;
}

static unsigned take_all(struct buckets *b, struct address who, uint64_t now_ms, uint64_t *wait_ms)
{
    unsigned taken = 0;

    while (taken < 1000 && buckets_take(b, who, now_ms, wait_ms))
        taken++;
    return taken;
}

static void a_burst_then_the_rate(void **state)
{
    struct buckets *b = buckets_new(10, 5, 1);
    uint64_t wait_ms = 0;

    (void)state;
    assert_int_equal(take_all(b, key(1), 1000, &wait_ms), 5);
    assert_int_equal(wait_ms, 100);
    assert_int_equal(take_all(b, key(1), 1099, &wait_ms), 0);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(take_all(b, key(1), 1100, &wait_ms), 1);
    assert_int_equal(take_all(b, key(1), 1350, &wait_ms), 2);      /* half a token stays for later */
    assert_int_equal(take_all(b, key(1), 1400, &wait_ms), 1);
    assert_int_equal(take_all(b, key(1), 999999, &wait_ms), 5);    /* never more than the burst */
    buckets_free(b);
}

static void keys_do_not_share(void **state)
{
    struct buckets *b = buckets_new(1, 3, 7);
    uint64_t wait_ms;

    (void)state;
    assert_int_equal(take_all(b, key(1), 5, &wait_ms), 3);
    assert_int_equal(take_all(b, key(2), 5, &wait_ms), 3);
    assert_int_equal(take_all(b, key(1), 5, &wait_ms), 0);
    buckets_free(b);
}

static void no_rate_is_no_limit(void **state)
{
    struct buckets *b = buckets_new(0, 1, 7);
    uint64_t wait_ms;

    (void)state;
    assert_int_equal(take_all(b, key(1), 5, &wait_ms), 1000);
    buckets_free(b);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    struct buckets *b = buckets_new(1000, 2, 7);
    uint64_t wait_ms;

    (void)state;
    assert_int_equal(take_all(b, key(1), 1000000, &wait_ms), 2);
    assert_int_equal(take_all(b, key(1), 10, &wait_ms), 0);
    assert_int_equal(take_all(b, key(1), 1000000, &wait_ms), 0);
    assert_int_equal(take_all(b, key(1), 1000001, &wait_ms), 1);
    buckets_free(b);
}

static void an_endless_stretch_overflows_nothing(void **state)
{
    struct buckets *b = buckets_new(UINT64_MAX, UINT64_MAX, 7);
    uint64_t wait_ms;

    (void)state;
    assert_int_equal(take_all(b, key(1), 0, &wait_ms), 1000);
    assert_int_equal(take_all(b, key(1), UINT64_MAX, &wait_ms), 1000);
    buckets_free(b);
}

/* Whoever used up its bucket stays without tokens while hundreds of thousands of fresh keys pass through the table. */
static void strangers_do_not_wash_out_who_is_over_the_rate(void **state)
{
    struct buckets *b = buckets_new(1, 100, 99);
    uint64_t wait_ms;

    (void)state;
    assert_int_equal(take_all(b, key(1), 1000, &wait_ms), 100);
    for (uint32_t i = 2; i < 300000; i++)
        assert_true(buckets_take(b, key(i), 1000, &wait_ms));
    assert_false(buckets_take(b, key(1), 1000, &wait_ms));
    buckets_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_the_rate), cmocka_unit_test(keys_do_not_share), cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing), cmocka_unit_test(an_endless_stretch_overflows_nothing),
        cmocka_unit_test(strangers_do_not_wash_out_who_is_over_the_rate),
    };

    return cmocka_run_group_tests_name("buckets", tests, NULL, NULL);
}
