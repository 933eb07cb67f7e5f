/* chain/rlp.h - Recursive Length Prefix (Ethereum yellow paper, appendix B): writing, and strict reading. */
#ifndef QUITTANCE_CHAIN_RLP_H
#define QUITTANCE_CHAIN_RLP_H

#include "gateway/base/buf.h"
#include "gateway/base/types.h"

void rlp_add_bytes(struct buf *out, const void *bytes, size_t len);
void rlp_add_u256(struct buf *out, struct u256 v);          /* minimal big-endian; zero is the empty string */
void rlp_add_u64(struct buf *out, uint64_t v);
/* Wraps what is in items (encoded one after the other) into a list. */
void rlp_add_list(struct buf *out, const struct buf *items);

struct rlp_item { bool is_list; const uint8_t *data; size_t len; };      /* borrowed */
/* Reads the item at the start of bytes; *used is its whole length.  ERR_INVALID for every non-canonical form. */
MUST_USE bool rlp_read(const uint8_t *bytes, size_t len, struct rlp_item *item, size_t *used, struct err *err);

#endif
