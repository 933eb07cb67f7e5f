/* gateway/alarm.h - a command of the operator's own, told about what a person must look at. */
#ifndef QUITTANCE_ALARM_H
#define QUITTANCE_ALARM_H

#include "gateway/base/err.h"

#define ALARM_WAIT_MS 30000u

/* Runs the program with the message as its only argument and waits for its end, ALARM_WAIT_MS at most (then it is killed).
 * No shell: the message may hold what a stranger published.  path NULL: nothing.  A failure is for the log only. */
MUST_USE bool alarm_run(const char *path, const char *message, struct err *err);

#endif
