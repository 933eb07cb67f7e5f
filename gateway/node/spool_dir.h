/* gateway/node/spool_dir.h - the folder of a spool: who may use it, and which segments are in it.  Part of spool.c. */
#ifndef QUITTANCE_NODE_SPOOL_DIR_H
#define QUITTANCE_NODE_SPOOL_DIR_H

#include "gateway/base/types.h"

/* Makes the folder where it is missing, its name durable.  ERR_AGAIN: another process has it.  *fd holds the lock until it is
 * closed, by kill -9 too. */
MUST_USE bool spool_dir_open(const char *dir, int *fd, struct err *err);
/* The numbers of the files NUMBER + ending (".spool"), rising; list is the caller's to free. */
struct spool_numbers { uint64_t *list; size_t count; };
MUST_USE bool spool_dir_list(const char *dir, const char *ending, struct spool_numbers *numbers, struct err *err);

#endif
