/* chain/abi.h - contract ABI encoding (Solidity ABI specification): calls out, results and logs in. */
#ifndef QUITTANCE_CHAIN_ABI_H
#define QUITTANCE_CHAIN_ABI_H

#include "gateway/base/amount.h"
#include "gateway/base/buf.h"

/* Head and tail of one argument list.  Add all arguments in order, then abi_finish. */
struct abi_out { struct buf head, tail; size_t head_words; };
void abi_begin(struct abi_out *a, size_t head_words);       /* words of the head: one a static or dynamic argument */
void abi_add_u256(struct abi_out *a, struct u256 v);
void abi_add_u64(struct abi_out *a, uint64_t v);
void abi_add_address(struct abi_out *a, struct address v);
void abi_add_hash(struct abi_out *a, struct hash v);
void abi_add_bool(struct abi_out *a, bool v);
void abi_add_bytes(struct abi_out *a, const void *bytes, size_t len);          /* also string */
void abi_add_addresses(struct abi_out *a, const struct address *list, size_t count);
void abi_add_amounts(struct abi_out *a, const struct amount *list, size_t count);
void abi_add_hashes(struct abi_out *a, const struct hash *list, size_t count);
/* Appends the arguments to out and clears a. */
void abi_finish(struct abi_out *a, struct buf *out);
/* The first four bytes of keccak256(signature), appended. */
void abi_add_selector(struct buf *out, const char *signature);
struct hash abi_topic(const char *event_signature);

/* A cursor over static words; every reader is false when the data ends or padding is not zero. */
struct abi_in { const uint8_t *data; size_t len, at; };
MUST_USE bool abi_get_u256(struct abi_in *a, struct u256 *v);
MUST_USE bool abi_get_u64(struct abi_in *a, uint64_t *v);
MUST_USE bool abi_get_address(struct abi_in *a, struct address *v);
MUST_USE bool abi_get_hash(struct abi_in *a, struct hash *v);
MUST_USE bool abi_get_bool(struct abi_in *a, bool *v);
/* A dynamic bytes or string whose offset is the next head word; borrowed. */
MUST_USE bool abi_get_bytes(struct abi_in *a, const uint8_t **bytes, size_t *len);

#endif
