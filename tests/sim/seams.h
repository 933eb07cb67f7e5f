/* tests/sim/seams.h - what of the gateway's log lines is kept. */
#ifndef QUITTANCE_SIM_SEAMS_H
#define QUITTANCE_SIM_SEAMS_H

#include <stdlib.h>

#include "tests/sim/sim.h"

#define TOLD_MOST 64u
struct told { char event[40]; uint64_t count; };
extern struct told told[TOLD_MOST];                /* log lines by event, of this process; the last holds the rest */

#endif
