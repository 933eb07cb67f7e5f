/* Preloaded by credit.test.mjs: the time of day, CLOCK_AHEAD_S seconds later.  Everything else goes on as it is. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int failed = (int)syscall(SYS_clock_gettime, id, ts);
    const char *ahead = getenv("CLOCK_AHEAD_S");

    if (failed == 0 && id == CLOCK_REALTIME && ahead != NULL)
        ts->tv_sec += atol(ahead);
    return failed;
}
