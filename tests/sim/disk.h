/* tests/sim/disk.h - the simulated process's store; its url has the scheme "sim". */
#ifndef QUITTANCE_SIM_DISK_H
#define QUITTANCE_SIM_DISK_H

#include "tests/sim/sim.h"

#define DISK_BIRTH_MS UINT64_C(1790000000000)      /* when the template was made; lives begin later */

void disk_register(void);                          /* once, before anything is opened */
void disk_template(const char *dir);               /* makes the store that all lives begin with */
void disk_template_clear(void);
void disk_reset(struct sim *s);

#endif
