/* tests/sim/check.h - what must hold during a life and at its end (README.md names each). */
#ifndef QUITTANCE_SIM_CHECK_H
#define QUITTANCE_SIM_CHECK_H

#include "tests/sim/sim.h"

void check_look(struct sim *s);                    /* after each look of the process */
void check_end(struct sim *s);
/* A batch that was cancelled and not carried yet. */
bool check_cancelled(struct sim *s, uint64_t *sequence);
/* Nothing is closed, under way or cancelled, and the open batch holds nothing. */
bool check_is_idle(struct sim *s);
/* Somebody is due at least the minimum. */
bool check_is_any_due(struct sim *s);

#endif
