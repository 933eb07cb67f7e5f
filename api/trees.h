/* api/trees.h - proofs out of settled trees.  A tree is built once from the store and kept while there is room.
 *
 * Receipts trees, of up to five million leaves, lie in files without a name in the archive's folder (tree_file.h); rewards
 * trees in memory, of 32 MiB together.
 *
 * Both kinds never change once they exist: the receipts of a closed batch, and the leaves of a sequence. */
#ifndef QUITTANCE_API_TREES_H
#define QUITTANCE_API_TREES_H

#include "gateway/core/tree.h"
#include "store/db.h"

struct trees;
/* Borrows the gateway's secret (salts) and the folder. */
struct trees *trees_new(const uint8_t secret[32], const char *dir);
void trees_free(struct trees *trees);
/* The place of one receipt in the receipts tree of its closed batch. */
MUST_USE bool trees_receipt(struct trees *trees, struct db *db, uint64_t batch, struct job_id job,
                            struct address provider, uint64_t *index, struct proof *proof, bool *found,
                            struct err *err);
/* The leaf of an account in the rewards tree of a settlement. */
MUST_USE bool trees_reward(struct trees *trees, struct db *db, uint64_t sequence, struct address token,
                           struct address account, struct amount *claimable, struct proof *proof, bool *found,
                           struct err *err);

#endif
