/* Months of UTC, as periods of statements are named. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/base/clock.h"

static void a_month_is_from_its_first_moment_to_that_of_the_next(void **state)
{
    static const struct { const char *text; uint64_t from_ms, until_ms; } rows[] = {
        { "1970-01", 0, UINT64_C(31) * DAY_MS },
        { "2024-02", UINT64_C(1706745600000), UINT64_C(1709251200000) },          /* of a leap year */
        { "2026-12", UINT64_C(1796083200000), UINT64_C(1798761600000) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t from_ms, until_ms;

        assert_true(month_from_text(rows[i].text, &from_ms, &until_ms));
        assert_int_equal(from_ms, rows[i].from_ms);
        assert_int_equal(until_ms, rows[i].until_ms);
    }
}

static void anything_else_is_no_month(void **state)
{
    static const char *const texts[] = { "", "2026", "2026-1", "2026-13", "2026-00", "1969-12", "2026-01-01", "2026/01", "20 6-01", "-026-01" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t from_ms, until_ms;

        if (month_from_text(texts[i], &from_ms, &until_ms))
            fail_msg("%s is taken for a month", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_is_from_its_first_moment_to_that_of_the_next),
        cmocka_unit_test(anything_else_is_no_month),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
