/* gateway/base/clock.h - the only place that reads the time.  Unix milliseconds; injected, so tests set it. */
#ifndef QUITTANCE_BASE_CLOCK_H
#define QUITTANCE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    uint64_t (*now_ms)(void *self);
    void *self;
};

extern const struct clock clock_system;              /* the machine's real-time clock */
uint64_t clock_now_ms(const struct clock *clock);
uint64_t clock_monotonic_ms(void);                   /* for time-outs only */
void clock_sleep_ms(uint64_t ms);

#define DAY_MS (UINT64_C(24) * 3600 * 1000)          /* days are UTC: leap seconds do not show in Unix time */
/* "YYYY-MM", from 1970-01 to 9999-12: the month of UTC, its first moment and that of the next.  false: it is no month. */
bool month_from_text(const char *text, uint64_t *from_ms, uint64_t *until_ms);

#define CLOCK_TEXT 25
/* RFC 3339 in UTC with milliseconds: 2026-03-01T12:00:00.000Z */
void clock_to_text(uint64_t unix_ms, char text[CLOCK_TEXT]);

#endif
