/* gateway/core/tree.h - the Merkle trees of design section 5: roots, proofs, leaves, and the steps of `distribute`.
 *
 * Leaves in a fixed order; neighbours are hashed pairwise as keccak256(min || max); an odd last node moves up
 * unchanged; no leaves: 32 zero bytes.  Every leaf is hashed twice, every inner node once. */
#ifndef QUITTANCE_CORE_TREE_H
#define QUITTANCE_CORE_TREE_H

#include "gateway/base/amount.h"
#include "gateway/base/buf.h"

#define TREE_DEPTH_MAX 40

struct proof { struct hash path[TREE_DEPTH_MAX]; size_t len; };       /* sibling hashes from below */

struct hash tree_root(const struct hash *leaves, size_t count);
/* index must be below count. */
void tree_proof(const struct hash *leaves, size_t count, size_t index, struct proof *proof);
struct hash tree_fold(struct hash leaf, const struct proof *proof);     /* the root that leaf and proof lead to */

/* The same root in memory that does not grow with the count. */
struct tree_stream { struct hash node[TREE_DEPTH_MAX]; uint64_t count; };
void tree_stream_init(struct tree_stream *s);
void tree_stream_add(struct tree_stream *s, struct hash leaf);
struct hash tree_stream_root(const struct tree_stream *s);

/* All levels kept, for many proofs of one tree. */
struct tree;
struct tree *tree_new(const struct hash *leaves, size_t count);         /* copies the leaves */
/* The same, where trees over some of its leaves are at hand: known[i] is over those from `first` on, in order and not overlapping.
 * As many of their nodes as stand in the new tree too are taken from there. */
struct tree_known { size_t first; const struct tree *tree; };
struct tree *tree_new_of(const struct hash *leaves, size_t count, const struct tree_known *known, size_t known_count);
/* Whether it is the tree of these leaves. */
bool tree_is_over(const struct tree *tree, const struct hash *leaves, size_t count);
void tree_free(struct tree *tree);
struct hash tree_top(const struct tree *tree);
void tree_prove(const struct tree *tree, size_t index, struct proof *proof);
/* Its nodes on a level, from 0 the leaves; borrowed; NULL: above the root. */
const struct hash *tree_level(const struct tree *tree, size_t level, size_t *width);

/* For proofs without all leaves: the levels from the one on whose nodes stand for TREE_PART leaves, bottom up, 32 bytes a node. */
#define TREE_PART 64u
void tree_upper(const struct tree *tree, struct buf *nodes);
/* part: the leaves from index - index % TREE_PART on, TREE_PART or what is left of count.  false: the nodes do not fit count. */
MUST_USE bool tree_prove_part(const struct hash *part, uint64_t count, const struct buf *nodes, uint64_t index, struct proof *proof);

struct hash tree_rewards_leaf(struct address account, struct address token, struct amount claimable);
struct hash tree_receipts_leaf(uint64_t index, struct job_id job_id, struct address provider, struct hash salt, struct hash struct_hash);
/* The same of many side by side, the first with this index. */
struct receipts_leaf { struct job_id job_id; struct address provider; struct hash salt, struct_hash; };
void tree_receipts_leaves(const struct receipts_leaf *of, size_t count, uint64_t first_index, struct hash *leaves);
struct hash tree_promise_leaf(struct hash struct_hash);                 /* keccak256 of it: of bundle and promise trees */
void tree_promise_leaves(const struct hash *struct_hashes, size_t count, struct hash *leaves);    /* may be one array */
/* HMAC-SHA256(secret, jobId || provider) (design 5). */
struct hash receipt_salt(const uint8_t secret[32], struct job_id job_id, struct address provider);

/* The post-order walk that `distribute` checks (contract.md 3): for the leaves where wanted[i], appends the bare node
 * hashes to `nodes` (32 bytes each) and one byte a pushed node to `steps`. */
void tree_steps(const struct tree *tree, const bool *wanted, struct buf *nodes, struct buf *steps);

#endif
