#include "gateway/base/thread.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#define NICE 19                               /* setpriority(2), the least: 15 shares of a core against 1024 */

void thread_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);           /* longer ones are cut, PR_SET_NAME(2const); there is no other error */
}

void thread_background(void)
{
    /* Linux gives each thread a priority of its own; lowering it needs no privilege, so a failure would change nothing but speed. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
}
