/* gateway/core/word.h - ABI words of 32 bytes, from which structs, leaves and headers are hashed (design 2 and 5). */
#ifndef QUITTANCE_CORE_WORD_H
#define QUITTANCE_CORE_WORD_H

#include "gateway/base/types.h"

#define WORD 32

static inline void be64_put(uint8_t *bytes, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        bytes[i] = (uint8_t)v;
}

static inline uint64_t be64_get(const uint8_t *bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | bytes[i];
    return v;
}

static inline void be32_put(uint8_t *bytes, uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        bytes[i] = (uint8_t)v;
}

static inline uint32_t be32_get(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void word_u64(uint8_t word[WORD], uint64_t v)
{
    memset(word, 0, WORD - 8);
    be64_put(word + WORD - 8, v);
}

static inline void word_address(uint8_t word[WORD], struct address a)
{
    memset(word, 0, 12);
    memcpy(word + 12, a.b, 20);
}

/* bytes16 is left-aligned, unlike numbers and addresses. */
static inline void word_job_id(uint8_t word[WORD], struct job_id id)
{
    memcpy(word, id.b, 16);
    memset(word + 16, 0, 16);
}

static inline void word_hash(uint8_t word[WORD], struct hash h)
{
    memcpy(word, h.b, WORD);
}

#endif
