#include "gateway/lib/keccak.h"

#include <nettle/sha3.h>

#define LANE_BYTES 8

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof *k);
}

/* Lanes are little-endian (FIPS 202, B.1); nettle keeps them as host integers.  Written out, the compiler sees one load. */
static uint64_t lane_at(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24
        | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static void absorb(struct keccak *k)
{
    struct sha3_state permuted;

    for (size_t i = 0; i < KECCAK_RATE / LANE_BYTES; i++)
        k->state[i] ^= lane_at(k->block + LANE_BYTES * i);
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
