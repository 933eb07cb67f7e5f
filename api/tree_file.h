/* api/tree_file.h - a Merkle tree with its keys in a file without a name: millions of leaves take no memory but the kernel's
 * cache, and the file is gone with its descriptor, however the process ends.
 *
 * Layout: a record of key and leaf for each leaf, in order; then each level above, one hash a node (core/tree.h's shape). */
#ifndef QUITTANCE_API_TREE_FILE_H
#define QUITTANCE_API_TREE_FILE_H

#include "gateway/core/tree.h"

#define TREE_KEY 36
struct tree_key { uint8_t b[TREE_KEY]; };

struct tree_file;
/* In this folder; ERR_IO. */
MUST_USE bool tree_file_new(const char *dir, struct tree_file **file, struct err *err);
void tree_file_free(struct tree_file *file);  /* NULL is fine */
uint64_t tree_file_count(const struct tree_file *file);
/* In ascending order of keys. */
MUST_USE bool tree_file_add(struct tree_file *file, const struct tree_key *key, struct hash leaf, struct err *err);
/* After the last; then proofs may be asked for, by any thread. */
MUST_USE bool tree_file_end(struct tree_file *file, struct err *err);
MUST_USE bool tree_file_find(const struct tree_file *file, const struct tree_key *key, uint64_t *index, bool *found, struct err *err);
MUST_USE bool tree_file_prove(const struct tree_file *file, uint64_t index, struct proof *proof, struct err *err);

#endif
