#include "gateway/settle/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_named(const char *variable, const char *name)
{
    const char *wanted = getenv(variable);

    return wanted != NULL && strcmp(wanted, name) == 0;
}

void settle_crash_point(const char *name)
{
    /* SIGKILL, not exit: nothing may be flushed, closed or tidied up on the way out. */
    if (is_named("QUITTANCE_CRASH_AT", name))
        raise(SIGKILL);
    if (is_named("QUITTANCE_PAUSE_AT", name))
        raise(SIGSTOP);
}
