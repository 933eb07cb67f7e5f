/* api/usage.h - how much each model was used: receipts and what they brought, summed from the ledger.
 * Batches that are closed are added once; the open one is read anew. */
#ifndef QUITTANCE_API_USAGE_H
#define QUITTANCE_API_USAGE_H

#include "store/db.h"

struct usage;
struct usage *usage_new(void);
void usage_free(struct usage *usage);
struct model_usage { uint64_t receipts; struct amount amount; };
MUST_USE bool usage_of_model(struct usage *usage, struct db *db, struct hash model, struct model_usage *sum,
                             struct err *err);

#endif
