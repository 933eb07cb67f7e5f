#include "gateway/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

static uint64_t month_ms(int year, int month)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month, .tm_mday = 1 };

    return (uint64_t)timegm(&tm) * 1000;      /* a thirteenth month is January */
}

bool month_from_text(const char *text, uint64_t *from_ms, uint64_t *until_ms)
{
    unsigned digit[6];

    if (strlen(text) != 7 || text[4] != '-')
        return false;
    for (size_t i = 0; i < 6; i++) {
        char c = text[i < 4 ? i : i + 1];

        if (c < '0' || c > '9')
            return false;
        digit[i] = (unsigned)(c - '0');
    }
    unsigned year = ((digit[0] * 10 + digit[1]) * 10 + digit[2]) * 10 + digit[3], month = digit[4] * 10 + digit[5];

    if (year < 1970 || month < 1 || month > 12)
        return false;
    *from_ms = month_ms((int)year, (int)month - 1);
    *until_ms = month_ms((int)year, (int)month);
    return true;
}
