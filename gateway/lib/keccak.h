/* gateway/lib/keccak.h - Keccak-256 as Ethereum uses it, on nettle's permutation with Keccak's own padding 0x01. */
#ifndef QUITTANCE_LIB_KECCAK_H
#define QUITTANCE_LIB_KECCAK_H

#include "gateway/base/types.h"

#define KECCAK_RATE 136

struct keccak {
    uint64_t state[25];
    uint8_t block[KECCAK_RATE];
    size_t used;
};

void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, const void *bytes, size_t len);
struct hash keccak_final(struct keccak *k);                 /* k must be initialised again before the next use */
struct hash keccak256(const void *bytes, size_t len);
struct hash keccak256_pair(struct hash left, struct hash right);
/* count messages of len bytes each, stride bytes from one to the next: several at once where the processor can. */
void keccak256_many(const void *messages, size_t stride, size_t len, size_t count, struct hash *digests);

#endif
