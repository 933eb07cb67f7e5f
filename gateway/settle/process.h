/* gateway/settle/process.h - a process by a name that no other ever has, so that another on the same machine can tell that it is dead.
 *
 * The name is the kernel's boot (/proc/sys/kernel/random/boot_id), the namespace of process numbers, the number, and when it started
 * (proc(5), stat, field 22): a number is given again, the four together are not.  Of another boot or namespace nothing can be told.  Linux
 * only; without /proc nobody has a name, and nobody is dead. */
#ifndef QUITTANCE_SETTLE_PROCESS_H
#define QUITTANCE_SETTLE_PROCESS_H

#include <stdbool.h>

#define PROCESS_NAME 128
void process_self(char name[PROCESS_NAME]);   /* empty: it has none */
/* Certainly: it runs no more.  false: it runs, or nobody here can tell. */
bool process_is_dead(const char *name);

#endif
