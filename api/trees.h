/* api/trees.h - proofs out of the rewards trees of settlements.  A tree is built once from the store and kept while there is room, 32 MiB
 * together; it never changes.  Receipts are proven from archives: store/archived.h. */
#ifndef QUITTANCE_API_TREES_H
#define QUITTANCE_API_TREES_H

#include "gateway/core/tree.h"
#include "store/db.h"

struct trees;
struct trees *trees_new(void);
void trees_free(struct trees *trees);
/* The leaf of an account in the rewards tree of a settlement. */
MUST_USE bool trees_reward(struct trees *trees, struct db *db, uint64_t sequence, struct address token,
                           struct address account, struct amount *claimable, struct proof *proof, bool *found,
                           struct err *err);

#endif
