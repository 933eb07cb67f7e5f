/* gateway/node/spool.h - receipts that are taken and not yet done with: nothing of it is lost by kill -9 or a power cut.
 *
 *   add ─▶ sync ─▶ waiting ─take─▶ taken ─release─▶ gone            (both durable when sync and release return)
 *                     ▲              └────keep────▶ kept ─release─▶ gone
 *                     └──────────────again──────────┘
 *
 * A crash puts whatever was not released back to waiting.  Lies in a folder of its own as segments (segment.h), which one
 * process at a time may use; a segment with nothing left is deleted.  dir NULL: in memory, lost with the process.
 * add and sync are for one thread; the rest may be called by several.  Errors are ERR_IO: stop, all that was synced is kept. */
#ifndef QUITTANCE_NODE_SPOOL_H
#define QUITTANCE_NODE_SPOOL_H

#include "gateway/node/segment.h"

#define SPOOL_BYTES_MIN (1 * MIB)

struct spool_place { struct segment *segment; uint32_t index; };
struct spool_item { struct signed_receipt receipt; struct spool_place place; };

struct spool;
/* ERR_AGAIN: another process uses dir, which is made where it is missing. */
MUST_USE bool spool_open(const char *dir, uint64_t max_bytes, struct spool **spool, struct err *err);
void spool_free(struct spool *spool);                            /* deletes no receipt */
const struct segment_faults *spool_faults(const struct spool *spool);     /* met by spool_open */

bool spool_full(struct spool *spool);                            /* no room for one more within max_bytes */
void spool_add(struct spool *spool, const struct signed_receipt *receipt);
size_t spool_unsynced(const struct spool *spool);
MUST_USE bool spool_sync(struct spool *spool, struct err *err);

uint64_t spool_waiting(struct spool *spool);
uint64_t spool_left(struct spool *spool);                        /* synced and not released */
uint64_t spool_bytes(struct spool *spool);
/* Up to max of the waiting ones, oldest first. */
MUST_USE bool spool_take(struct spool *spool, struct spool_item *items, size_t max, size_t *count, struct err *err);
MUST_USE bool spool_release(struct spool *spool, const struct spool_item *items, size_t count, struct err *err);
void spool_keep(struct spool *spool, const struct spool_item *items, size_t count);
void spool_again(struct spool *spool, const struct spool_item *item);     /* a kept one waits once more */
/* The first kept one at or after *from in order, and from the beginning again where there is none; *from moves past it. */
struct spool_cursor { uint64_t number; size_t index; };
MUST_USE bool spool_next_kept(struct spool *spool, struct spool_cursor *from, struct spool_item *item, bool *found, struct err *err);

#endif
