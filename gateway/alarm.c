#include "gateway/alarm.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

#define STEP_MS 50u

static bool wait_for(pid_t child, int *status, struct err *err)
{
    uint64_t start = clock_monotonic_ms();

    for (;;) {
        pid_t got = waitpid(child, status, WNOHANG);

        if (got == child)
            return true;
        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "wait for the alarm command: %s", strerror(errno));
        if (clock_monotonic_ms() - start > ALARM_WAIT_MS)
            break;
        clock_sleep_ms(STEP_MS);
    }
    kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        continue;
    return err_set(err, ERR_AGAIN, "the alarm command did not end within %u s", ALARM_WAIT_MS / 1000);
}

bool alarm_run(const char *path, const char *message, struct err *err)
{
    char *argv[3] = { NULL };
    posix_spawnattr_t attributes;
    int failed, status = 0;
    sigset_t none;
    pid_t child;
    bool ok;

    if (path == NULL)
        return true;
    argv[0] = mem_text(path);                 /* posix_spawn wants pointers it may write to */
    argv[1] = mem_text(message);
    /* Threads of `serve` block what ends it; the command must not inherit that. */
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    failed = posix_spawnp(&child, path, NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    free(argv[0]);
    free(argv[1]);
    if (failed != 0)
        return err_set(err, ERR_IO, "run %s: %s", path, strerror(failed));
    ok = wait_for(child, &status, err);
    if (ok && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        return err_set(err, ERR_IO, "%s ended with %d", path, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return ok;
}
