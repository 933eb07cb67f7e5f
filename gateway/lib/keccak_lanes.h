/* gateway/lib/keccak_lanes.h - Keccak-f[1600] on LANES messages side by side; included once a width by keccak_many.c.
 *
 * Given: LANES, TARGET (the instruction set), and the names LANES_T, PERMUTE and HASH_LANES.  Steps and constants are those of FIPS
 * 202, 3.2; the state is lane x + 5y, as there. */

typedef uint64_t LANES_T __attribute__((vector_size(8 * LANES)));

#define ROTATED(v, n) ((v) << (n) | (v) >> (64 - (n)))

__attribute__((target(TARGET))) static void PERMUTE(LANES_T s[STATE])
{
    for (size_t round = 0; round < ROUNDS; round++) {
        LANES_T column[5], moved, kept;

#pragma GCC unroll 5
        for (size_t x = 0; x < 5; x++)                                      /* theta */
            column[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
#pragma GCC unroll 5
        for (size_t x = 0; x < 5; x++) {
            LANES_T d = column[(x + 4) % 5] ^ ROTATED(column[(x + 1) % 5], 1);

#pragma GCC unroll 5
            for (size_t y = 0; y < STATE; y += 5)
                s[x + y] ^= d;
        }
        moved = s[1];
#pragma GCC unroll 24
        for (size_t i = 0; i < STATE - 1; i++) {                            /* rho and pi */
            kept = s[pi_target[i]];
            s[pi_target[i]] = ROTATED(moved, rho_offset[i]);
            moved = kept;
        }
#pragma GCC unroll 5
        for (size_t y = 0; y < STATE; y += 5) {                             /* chi */
            LANES_T row[5] = { s[y], s[y + 1], s[y + 2], s[y + 3], s[y + 4] };

#pragma GCC unroll 5
            for (size_t x = 0; x < 5; x++)
                s[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        s[0] ^= round_constant[round];                                      /* iota */
    }
}

/* Where there are fewer than LANES, the lanes left over hash the last one again. */
__attribute__((target(TARGET))) static void HASH_LANES(const uint8_t *messages, size_t stride, size_t len, size_t count,
                                                       struct hash *digests)
{
    uint8_t last[LANES][KECCAK_RATE];
    const uint8_t *message[LANES];
    size_t tail = len % KECCAK_RATE;
    LANES_T s[STATE];

    for (size_t k = 0; k < LANES; k++)
        message[k] = messages + (k < count ? k : count - 1) * stride;
    memset(s, 0, sizeof s);
    for (size_t at = 0; at + KECCAK_RATE <= len; at += KECCAK_RATE) {
        for (size_t i = 0; i < KECCAK_RATE / 8; i++)
            for (size_t k = 0; k < LANES; k++)
                s[i][k] ^= le64(message[k] + at + 8 * i);
        PERMUTE(s);
    }
    for (size_t k = 0; k < LANES; k++)
        pad(message[k] + len - tail, tail, last[k]);
    for (size_t i = 0; i < KECCAK_RATE / 8; i++)
        for (size_t k = 0; k < LANES; k++)
            s[i][k] ^= le64(last[k] + 8 * i);
    PERMUTE(s);
    for (size_t k = 0; k < LANES && k < count; k++)
        for (size_t i = 0; i < sizeof digests->b; i++)
            digests[k].b[i] = (uint8_t)(s[i / 8][k] >> (8 * (i % 8)));
}

#undef ROTATED
#undef LANES
#undef TARGET
#undef LANES_T
#undef PERMUTE
#undef HASH_LANES
