/* gateway/settle/archive_used.h - what the receipts of a batch lean on: price versions, provider and consumer revisions,
 * models with their ancestors, and the bundles they came in.  For archive.c only. */
#ifndef QUITTANCE_SETTLE_ARCHIVE_USED_H
#define QUITTANCE_SETTLE_ARCHIVE_USED_H

#include "gateway/core/archive.h"
#include "store/receipts.h"

/* Rows of the catalog, borrowed from it, each once. */
struct rows { const void **list; size_t count, capacity; };
/* Which of a bundle's receipts are in the batch: a bit each, as a batch may hold millions. */
struct bundle_use { uint64_t bundle; size_t size; uint8_t *bits; };       /* size: bytes of bits; owned */
bool bundle_use_has(const struct bundle_use *use, uint64_t index);

struct used {
    struct catalog *catalog;                  /* owned */
    struct rows prices, providers, models, consumers;    /* sorted for output by used_sort, until then by address in memory */
    struct bundle_use *bundles;               /* by bundle */
    size_t bundle_count, bundle_capacity;
};
MUST_USE bool used_collect(struct db *db, struct batch_receipts *receipts, struct used *used, struct err *err);
/* Leaves out what an earlier, not cancelled settlement has published already, told by the heads of its archive; the secret
 * opens what is sealed there. */
MUST_USE bool used_leave_out_published(struct used *used, const char *dir, struct db *db, const uint8_t secret[32],
                                       uint64_t sequence, struct err *err);
void used_sort(struct used *used);            /* prices by version, providers and consumers by (address, since), models by digest */
void used_clear(struct used *used);

#endif
