/* gateway/base/thread.h - what a thread tells the system of itself. */
#ifndef QUITTANCE_BASE_THREAD_H
#define QUITTANCE_BASE_THREAD_H

/* The name of the calling thread, at most 15 characters, as `top -H` and /proc/PID/task/N/comm show it: each kind of work of a service
 * that stands still or takes a core is seen from outside. */
void thread_name(const char *name);

/* From here on the calling thread runs when the others of this machine leave it time, and next to never else: building trees and
 * archives of millions of receipts must not make those wait who post the next ones.  There is no way back. */
void thread_background(void);

#endif
