/* gateway/settle/archive_again.h - the boxes of a batch that was published before, under a sequence that was cancelled.
 * For archive.c only.
 *
 * A line's key seals one text.  A consumer's signature may have come in since, so a batch that is carried takes over the
 * boxes as they were published, byte for byte. */
#ifndef QUITTANCE_SETTLE_ARCHIVE_AGAIN_H
#define QUITTANCE_SETTLE_ARCHIVE_AGAIN_H

#include "gateway/core/archive.h"
#include "store/db.h"

struct again;
/* *again NULL: nothing of this batch was published sealed.  ERR_NOT_FOUND: it was, and the file is gone. */
MUST_USE bool again_open(struct db *db, const char *dir, uint64_t batch, struct again **again, struct err *err);
void again_close(struct again *again);
/* sealed: a sealed receipt line; its box becomes the one published before.  Lines are asked for in their order. */
MUST_USE bool again_take_box(struct again *again, struct archive_line *sealed, struct err *err);

#endif
