/* Rate and pauses, by the clock that the test holds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/base/types.h"
#include "gateway/node/pace.h"

#define NOW_MS UINT64_C(5000000)

static void the_first_group_goes_at_once_and_the_next_when_it_is_paid_for(void **state)
{
    struct pace pace = { .per_second = 1000 };

    (void)state;
    assert_int_equal(pace_book(&pace, 500, NOW_MS), 0);
    assert_int_equal(pace_book(&pace, 10, NOW_MS), 500 - PACE_CATCH_UP_MS);
    assert_int_equal(pace_book(&pace, 1, NOW_MS + 100), 510 - PACE_CATCH_UP_MS - 100);
}

static void time_unused_is_not_saved_up_beyond_what_is_caught_up(void **state)
{
    struct pace pace = { .per_second = 100 };

    (void)state;
    assert_int_equal(pace_book(&pace, 1, NOW_MS), 0);
    assert_int_equal(pace_book(&pace, 50, NOW_MS + 60000), 0);
    assert_int_equal(pace_book(&pace, 50, NOW_MS + 60000), 500 - PACE_CATCH_UP_MS);
}

static void without_a_rate_nothing_waits(void **state)
{
    struct pace pace = { .per_second = 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(pace_book(&pace, 10000, NOW_MS), 0);
}

/* Rates that no millisecond divides: over a long time exactly the rate, never more. */
static void no_span_gets_more_than_the_rate_and_one_group(void **state)
{
    static const uint64_t rates[] = { 1, 3, 7, 999, 1000, 3001, 77777, 1000000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct pace pace = { .per_second = rates[i] };
        uint64_t now = NOW_MS, sent = 0;

        for (uint64_t group = 0; group < 1000; group++) {
            now += pace_book(&pace, 13, now);
            assert_true(sent * 1000 <= (now - NOW_MS + PACE_CATCH_UP_MS) * rates[i]);
            sent += 13;
            now += group % 3;                 /* woken late */
        }
        /* Where the rate allows the groups so soon, hardly less either: what was late is caught up. */
        if (rates[i] * 2 < 13 * 1000)
            assert_true((now - NOW_MS) * rates[i] <= sent * 1000 + 2 * rates[i]);
    }
}

static const struct pause { const char *name; unsigned attempt, retry_after_s; uint64_t random, want_ms; } pauses[] = {
    { "the first pause is half of 200 ms at least",         0,  0, 0,          100 },
    { "and 200 ms at most",                                 0,  0, 100,        200 },
    { "it doubles",                                         3,  0, 0,          800 },
    { "up to 8 s",                                          60, 0, 4000,       8000 },
    { "spread over its upper half",                         60, 0, 1,          4001 },
    { "Retry-After is kept",                                0,  7, 0,          7000 },
    { "and spread by less than a quarter second",           0,  7, UINT64_MAX, 7000 + UINT64_MAX % 250 },
    { "a pause that grew beyond Retry-After stays",         60, 1, 4000,       8000 },
};

static void pause_matches(void **state)
{
    const struct pause *p = *state;

    assert_int_equal(pace_backoff_ms(p->attempt, p->retry_after_s, p->random), p->want_ms);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(pauses) + 4];
    size_t n = 0;

    for (; n < ARRAY_LEN(pauses); n++)
        tests[n] = (struct CMUnitTest){ pauses[n].name, pause_matches, NULL, NULL, (void *)(uintptr_t)&pauses[n] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_first_group_goes_at_once_and_the_next_when_it_is_paid_for);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(time_unused_is_not_saved_up_beyond_what_is_caught_up);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(without_a_rate_nothing_waits);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(no_span_gets_more_than_the_rate_and_one_group);
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
