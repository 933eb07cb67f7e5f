/* Many messages of one length: trees and bundles hash little else.  One permutation cannot use wide registers well; eight or
 * four of them side by side can.  `bench_hash` prints what that gives on the machine at hand. */
#include "gateway/lib/keccak.h"

#if defined __x86_64__

#define STATE 25
#define ROUNDS 24

/* FIPS 202: 3.2.5, and the walk of 3.2.2 and 3.2.3 from lane (1, 0) on. */
static const uint64_t round_constant[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};
static const uint8_t rho_offset[STATE - 1] = { 1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44 };
static const uint8_t pi_target[STATE - 1] = { 10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1 };

static inline uint64_t le64(const uint8_t *bytes)
{
    uint64_t v;

    memcpy(&v, bytes, sizeof v);
    return v;
}

/* Keccak's own padding, see keccak_final. */
static inline void pad(const uint8_t *tail, size_t len, uint8_t block[KECCAK_RATE])
{
    memcpy(block, tail, len);
    memset(block + len, 0, KECCAK_RATE - len);
    block[len] ^= 0x01;
    block[KECCAK_RATE - 1] ^= 0x80;
}

#define LANES 8
#define TARGET "avx512f"
#define LANES_T lanes_8
#define PERMUTE permute_8
#define HASH_LANES hash_8
#include "gateway/lib/keccak_lanes.h"

#define LANES 4
#define TARGET "avx2"
#define LANES_T lanes_4
#define PERMUTE permute_4
#define HASH_LANES hash_4
#include "gateway/lib/keccak_lanes.h"

typedef void hash_lanes(const uint8_t *messages, size_t stride, size_t len, size_t count, struct hash *digests);

static hash_lanes *widest(size_t *lanes)
{
    if (__builtin_cpu_supports("avx512f")) {
        *lanes = 8;
        return hash_8;
    }
    *lanes = 4;
    return __builtin_cpu_supports("avx2") ? hash_4 : NULL;
}

/* How many were hashed side by side.  Lanes that stay empty cost less than a second permutation of a single message. */
static size_t hash_wide(const uint8_t *messages, size_t stride, size_t len, size_t count, struct hash *digests)
{
    size_t lanes, done = 0;
    hash_lanes *hash = count > 1 ? widest(&lanes) : NULL;

    if (hash == NULL)
        return 0;
    for (size_t part; count - done > 1; done += part) {
        part = count - done < lanes ? count - done : lanes;
        hash(messages + done * stride, stride, len, part, digests + done);
    }
    return done;
}

#else

static size_t hash_wide(const uint8_t *messages, size_t stride, size_t len, size_t count, struct hash *digests)
{
    (void)messages, (void)stride, (void)len, (void)count, (void)digests;
    return 0;
}

#endif

void keccak256_many(const void *messages, size_t stride, size_t len, size_t count, struct hash *digests)
{
    const uint8_t *first = messages;

    for (size_t i = hash_wide(first, stride, len, count, digests); i < count; i++)
        digests[i] = keccak256(first + i * stride, len);
}
