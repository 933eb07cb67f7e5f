#include "gateway/lib/keccak.h"

#include <nettle/sha3.h>

#define LANE_BYTES 8

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof *k);
}

/* Lanes are little-endian (FIPS 202, B.1); nettle keeps them as host integers. */
static void absorb(struct keccak *k)
{
    struct sha3_state permuted;

    for (size_t i = 0; i < KECCAK_RATE / LANE_BYTES; i++) {
        uint64_t lane = 0;

        for (size_t j = LANE_BYTES; j-- > 0;)
            lane = lane << 8 | k->block[LANE_BYTES * i + j];
        k->state[i] ^= lane;
    }
    memcpy(permuted.a, k->state, sizeof k->state);
    sha3_permute(&permuted);
    memcpy(k->state, permuted.a, sizeof k->state);
    k->used = 0;
}

void keccak_update(struct keccak *k, const void *bytes, size_t len)
{
    const uint8_t *next = bytes;

    while (len > 0) {
        size_t part = len < KECCAK_RATE - k->used ? len : KECCAK_RATE - k->used;

        memcpy(k->block + k->used, next, part);
        k->used += part;
        next += part;
        len -= part;
        if (k->used == KECCAK_RATE)
            absorb(k);
    }
}

struct hash keccak_final(struct keccak *k)
{
    struct hash h;

    /* Keccak pads with 0x01, SHA3-256 with 0x06 (FIPS 202, 6.1 and B.2: two suffix bits).  Ethereum kept the older
     * rule, so nettle's SHA-3 digest gives the wrong hash: we pad here and only permute there. */
    memset(k->block + k->used, 0, KECCAK_RATE - k->used);
    k->block[k->used] ^= 0x01;
    k->block[KECCAK_RATE - 1] ^= 0x80;
    absorb(k);
    for (size_t i = 0; i < sizeof h.b; i++)
        h.b[i] = (uint8_t)(k->state[i / LANE_BYTES] >> (8 * (i % LANE_BYTES)));
    return h;
}

struct hash keccak256(const void *bytes, size_t len)
{
    struct keccak k;

    keccak_init(&k);
    keccak_update(&k, bytes, len);
    return keccak_final(&k);
}

struct hash keccak256_pair(struct hash left, struct hash right)
{
    struct hash pair[2] = { left, right };

    return keccak256(pair, sizeof pair);
}
