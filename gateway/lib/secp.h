/* gateway/lib/secp.h - the only door to libsecp256k1.
 *
 * One context, made and randomised by secp_start(), then read-only and shared by all threads.  Signatures are 65
 * bytes r || s || v with v 27 or 28; high s is refused, as EIP-2 does for transactions: recovery alone would let
 * anyone turn one signature into a second valid one.
 *
 * There is no verify against a known key, so nobody keeps public keys.  secp256k1_ecdsa_verify never sees v: it would pass a
 * signature that recovery (ours, an audit's, the contract's) gives to another address.  What tells them apart is the parity of
 * R's y, and that is either a square root or all of R in affine form, which only recovery gives.  In instructions (0.2.0): recovery
 * 453 000, verify 392 000, the square root 48 000; so a verify with its missing check would save under 3 %. */
#ifndef QUITTANCE_LIB_SECP_H
#define QUITTANCE_LIB_SECP_H

#include "gateway/base/types.h"

struct secret_key { uint8_t b[32]; };                       /* keep in secret_new() memory */
struct public_key { uint8_t b[64]; };                       /* x || y, big-endian, as libsecp256k1 checked it */

MUST_USE bool secp_start(struct err *err);                  /* once, before threads */
void secp_stop(void);
/* ERR_INVALID: zero or not below the group order. */
MUST_USE bool secp_public_key(const struct secret_key *key, struct public_key *pub, struct err *err);
struct address secp_address(const struct public_key *pub);  /* last 20 bytes of keccak256(x || y) */
void secp_addresses(const struct public_key *keys, size_t count, struct address *addresses);      /* the same of each, side by side */
/* Deterministic (RFC 6979), low s. */
MUST_USE bool secp_sign(const struct secret_key *key, struct hash digest, struct signature *sig, struct err *err);
/* ERR_AUTH: v not 27 or 28, high s, r or s out of range, or no such point. */
MUST_USE bool secp_recover(const struct signature *sig, struct hash digest, struct address *signer, struct err *err);
MUST_USE bool secp_recover_key(const struct signature *sig, struct hash digest, struct public_key *pub,
                               struct err *err);
/* A fresh key from the kernel's randomness; after secp_start. */
void secp_new_key(struct secret_key *key);

#endif
