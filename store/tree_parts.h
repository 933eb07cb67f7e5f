/* store/tree_parts.h - the path of one receipt in its bundle or promise, from a part of the leaves (tree_upper). */
#ifndef QUITTANCE_STORE_TREE_PARTS_H
#define QUITTANCE_STORE_TREE_PARTS_H

#include "gateway/core/tree.h"
#include "store/receipts.h"

/* Right after the bundle's or the promise's own row; a tree of one part is not kept. */
MUST_USE bool store_bundle_nodes_insert(struct db *db, uint64_t bundle, const struct tree *tree, struct err *err);
MUST_USE bool store_promise_nodes_insert(struct db *db, uint64_t promise, const struct tree *tree, struct err *err);

/* The row without its leaves, and the path; ERR_NOT_FOUND: there is no such row.  *found false: it has not all leaves (a rebuilt
 * store may not), or no such place. */
MUST_USE bool store_bundle_path(struct db *db, uint64_t bundle, uint64_t index, struct bundle_row *row, struct proof *path, bool *found,
                                struct err *err);
MUST_USE bool store_promise_path(struct db *db, uint64_t promise, uint64_t index, struct promise_row *row, struct proof *path,
                                 bool *found, struct err *err);

#endif
