/* gateway/settle/crash.h - places where a test may kill the process, to prove that the next one goes on, or stop it for a
 * while, to prove that it notices what another did meanwhile.
 *
 * Always compiled, so that what is tested is what ships; does nothing unless QUITTANCE_CRASH_AT (SIGKILL) or
 * QUITTANCE_PAUSE_AT (SIGSTOP) names the place.
 * Places: closed, prepared, commit-stored, commit-sent, committed, active, distribute-stored, distribute-sent,
 * distribute-mined, distributed; and off that way: void-stored, replacement-stored, filling-stored (a gap's). */
#ifndef QUITTANCE_SETTLE_CRASH_H
#define QUITTANCE_SETTLE_CRASH_H

void settle_crash_point(const char *name);

#endif
