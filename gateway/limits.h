/* gateway/limits.h - what the service may take of the machine: descriptors and memory.
 *
 * Memory after the keys are unlocked stays under 256 MiB at any load.  Its parts, each with a bound of its own: connections
 * (4 KiB and their bookkeeping), requests (api/room.h), one body that is unfolded (api/unfold.h), SQLite's caches
 * (store/sqlite.c), trees (api/trees.h). */
#ifndef QUITTANCE_LIMITS_H
#define QUITTANCE_LIMITS_H

#include <stdint.h>

#include "gateway/base/err.h"

/* Raises RLIMIT_NOFILE to the hard limit and counts what is left for connections: *connections is `wanted`, or fewer, which
 * is logged.  ERR_CONFIG: not even 16.  Before any thread starts; also sets how the allocator gives memory back. */
MUST_USE bool limits_raise(uint64_t wanted, unsigned *connections, struct err *err);

#endif
