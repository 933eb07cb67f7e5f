/* api/usage.h - how much each model was used: receipts and what they brought, summed from the ledger.
 * Batches that are closed are added once; the open one is read anew, once for all models of an answer. */
#ifndef QUITTANCE_API_USAGE_H
#define QUITTANCE_API_USAGE_H

#include "store/db.h"

struct usage;
struct usage *usage_new(void);
void usage_free(struct usage *usage);
struct model_usage { uint64_t receipts; struct amount amount; };
struct usage_row { struct hash model; struct model_usage sum; };
struct usage_sums { struct usage_row *rows; size_t count, capacity; };         /* sorted by model */
MUST_USE bool usage_of_open_batch(struct db *db, struct usage_sums *open, struct err *err);   /* usage_sums_clear */
void usage_sums_clear(struct usage_sums *sums);
/* open: of the same snapshot of the store as db. */
MUST_USE bool usage_of_model(struct usage *usage, struct db *db, const struct usage_sums *open, struct hash model,
                             struct model_usage *sum, struct err *err);

#endif
