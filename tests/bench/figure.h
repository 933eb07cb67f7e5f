/* tests/bench/figure.h - one JSON line a figure: {"figure","value","unit","limit","ratio"}; false: it is worse than its limit.  One that
 * others are measured against has no limit of its own.  scripts/bench reads these lines. */
#ifndef QUITTANCE_TESTS_BENCH_FIGURE_H
#define QUITTANCE_TESTS_BENCH_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

static inline void figure_tell(const char *name, double value, const char *unit, double limit, double ratio)
{
    printf("{\"figure\":\"%s\",\"value\":%.2f,\"unit\":\"%s\",\"limit\":%.2f,\"ratio\":%.2f}\n", name, value, unit, limit, ratio);
}

static inline void figure_info(const char *name, double value, const char *unit)
{
    printf("{\"figure\":\"%s\",\"value\":%.2f,\"unit\":\"%s\"}\n", name, value, unit);
}

static inline bool figure_at_least(const char *name, double value, const char *unit, double limit)
{
    figure_tell(name, value, unit, limit, value / limit);
    return value >= limit;
}

static inline bool figure_at_most(const char *name, double value, const char *unit, double limit)
{
    figure_tell(name, value, unit, limit, limit / value);
    return value <= limit;
}

#endif
