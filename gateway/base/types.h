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
/* By words: they are asked of each key that is looked up, and memcmp would be called. */
static inline bool address_eq(struct address a, struct address b)
{
    struct { uint64_t w[2]; uint32_t last; } x, y;

    memcpy(&x, a.b, 20);
    memcpy(&y, b.b, 20);
    return ((x.w[0] ^ y.w[0]) | (x.w[1] ^ y.w[1]) | (x.last ^ y.last)) == 0;
}
static inline bool hash_eq(struct hash a, struct hash b)
{
    uint64_t x[4], y[4];

    memcpy(x, a.b, sizeof x);
    memcpy(y, b.b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}
static inline bool job_id_eq(struct job_id a, struct job_id b) { return memcmp(a.b, b.b, 16) == 0; }
bool address_is_zero(struct address a);
bool hash_is_zero(struct hash h);

#endif
