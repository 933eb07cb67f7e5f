#include "gateway/base/background.h"

#include <sys/resource.h>

#define NICE 19                               /* setpriority(2), the least: 15 shares of a core against 1024 */

void background_begin(void)
{
    /* Linux gives each thread a priority of its own; lowering it needs no privilege, so a failure would change nothing but speed. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
}
