/* gateway/watchdog/watchdog.h - the latest facts and findings of a running service, where its threads meet.
 *
 * The thread that gathers publishes; /readyz and /metrics read.  A change of a finding's level is one log line:
 * alarm_raised, alarm_cleared.  Thread-safe. */
#ifndef QUITTANCE_WATCHDOG_WATCHDOG_H
#define QUITTANCE_WATCHDOG_WATCHDOG_H

#include "gateway/watchdog/findings.h"

struct watchdog;
struct watchdog *watchdog_new(const struct watchdog_limits *limits);
void watchdog_free(struct watchdog *w);       /* NULL is fine */
/* told, where it is not NULL, is called for each change, with nothing locked. */
typedef void watchdog_told_fn(void *self, enum finding_code code, enum finding_level level, const char *text);
void watchdog_publish(struct watchdog *w, const struct facts *facts, watchdog_told_fn *told, void *self);
/* false: nothing was published yet, or w is NULL. */
bool watchdog_read(struct watchdog *w, struct facts *facts, struct findings *findings);

#endif
