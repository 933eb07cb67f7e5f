#include "gateway/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "gateway/base/err.h"

static uint64_t read_ms(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) != 0 || ts.tv_sec < 0)
        bug("clock %d cannot be read", (int)id);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t system_now_ms(void *self)
{
    (void)self;
    return read_ms(CLOCK_REALTIME);
}

const struct clock clock_system = { system_now_ms, NULL };

uint64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock->self);
}

uint64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void clock_sleep_ms(uint64_t ms)
{
    struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

void clock_to_text(uint64_t unix_ms, char text[CLOCK_TEXT])
{
    /* The last millisecond of year 9999: RFC 3339 has four digits for the year. */
    const uint64_t last_ms = 253402300799999;
    uint64_t ms = unix_ms <= last_ms ? unix_ms : last_ms;
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    size_t len;

    if (gmtime_r(&seconds, &tm) == NULL)
        bug("time %llu", (unsigned long long)ms);
    len = strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, CLOCK_TEXT - len, ".%03uZ", (unsigned)(ms % 1000));
}
