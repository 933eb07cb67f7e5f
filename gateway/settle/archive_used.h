/* gateway/settle/archive_used.h - what the receipts of a batch lean on: price versions, provider and consumer revisions,
 * models with their ancestors, delegated keys, and the bundles they came in.  For archive.c only. */
#ifndef QUITTANCE_SETTLE_ARCHIVE_USED_H
#define QUITTANCE_SETTLE_ARCHIVE_USED_H

#include "gateway/core/archive.h"
#include "gateway/settle/archive_offers.h"
#include "store/receipts.h"

/* Rows of the catalog, borrowed from it, each once. */
struct rows { const void **list; size_t count, capacity; };
/* Which of a bundle's receipts are in the batch: a bit each, as a batch may hold millions. */
struct bundle_use {
    uint64_t bundle;
    struct address key;                       /* delegated, that signed it; zero: the provider itself */
    size_t size;                              /* bytes of bits */
    uint8_t *bits;                            /* owned */
};
bool bundle_use_has(const struct bundle_use *use, uint64_t index);

struct used {
    struct catalog *catalog;                  /* owned */
    /* sorted for output by used_sort, until then by address in memory */
    struct rows prices, providers, models, consumers, delegations, revocations;
    struct offers offers;                     /* markets, capacity and quotes behind the prices */
    struct bundle_use *bundles;               /* by bundle */
    size_t bundle_count, bundle_capacity;
    /* Who signed each receipt that was signed alone and whose provider ever lent a key, in the order of the receipts: found out
     * from the signature, which is all that is kept of it, and once only.  Zero: the provider itself. */
    struct address *keys;
    size_t key_count, key_capacity;
};
/* domain: of the signatures. */
MUST_USE bool used_collect(struct db *db, const struct domain *domain, struct batch_receipts *receipts, struct used *used, struct err *err);
/* archive_published.c.  Leaves out what an earlier, not cancelled settlement has published already, told by the heads of its archive; the secret
 * opens what is sealed there. */
MUST_USE bool used_leave_out_published(struct used *used, const char *dir, struct db *db, const uint8_t secret[32],
                                       uint64_t sequence, struct err *err);
void used_drop(struct rows *rows, const void *row);     /* NULL, or a row that is not there: nothing */
/* Prices by version, providers and consumers by (address, since), models by digest, the others by provider and key. */
void used_sort(struct used *used);
void used_clear(struct used *used);

#endif
