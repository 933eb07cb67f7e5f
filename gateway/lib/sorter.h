/* gateway/lib/sorter.h - sorts any number of records of one size in bounded memory.
 *
 * Records are ordered by their first `key` bytes, as bytes.  What does not fit in memory is written as sorted runs to one file
 * without a name in $TMPDIR, else /var/tmp, and merged.  A sorter is for one thread.  ERR_IO: the file. */
#ifndef QUITTANCE_LIB_SORTER_H
#define QUITTANCE_LIB_SORTER_H

#include <stddef.h>

#include "gateway/base/err.h"

struct sorter;
/* memory: bytes for records, at least one. */
struct sorter *sorter_new(size_t record, size_t key, size_t memory);
void sorter_free(struct sorter *sorter);      /* NULL is fine */
MUST_USE bool sorter_add(struct sorter *sorter, const void *record, struct err *err);
/* After the last one; nothing is added from then on.  Again: back to the first record. */
MUST_USE bool sorter_finish(struct sorter *sorter, struct err *err);
/* The next in order, borrowed until the next call; *record NULL: no more. */
MUST_USE bool sorter_next(struct sorter *sorter, const void **record, struct err *err);

#endif
