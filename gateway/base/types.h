/* gateway/base/types.h - bytes with a meaning, each its own struct, passed by value up to 32 bytes.
 *
 * All are plain big-endian bytes as they appear in hex.  Equality and order are bytewise; for an address that is
 * its order as a number, which the trees use (design 5). */
#ifndef QUITTANCE_BASE_TYPES_H
#define QUITTANCE_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/u256.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

struct address { uint8_t b[20]; };
struct hash    { uint8_t b[32]; };
struct tx_hash { struct hash h; };             /* never passes for a receipt's hash */
struct job_id  { uint8_t b[16]; };             /* a UUIDv7, RFC 9562 section 5.7 */
struct signature { uint8_t b[65]; };           /* r || s || v, v 27 or 28, low s (EIP-2) */
struct amount  { struct u256 base_units; };    /* of the settlement token */
struct wei     { struct u256 v; };             /* gas money: cannot be added to an amount */

static inline int address_cmp(const struct address *a, const struct address *b) { return memcmp(a->b, b->b, 20); }
static inline bool address_eq(struct address a, struct address b) { return memcmp(a.b, b.b, 20) == 0; }
static inline bool hash_eq(struct hash a, struct hash b) { return memcmp(a.b, b.b, 32) == 0; }
static inline bool job_id_eq(struct job_id a, struct job_id b) { return memcmp(a.b, b.b, 16) == 0; }
bool address_is_zero(struct address a);
bool hash_is_zero(struct hash h);

#endif
