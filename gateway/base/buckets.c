#include "gateway/base/buckets.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

#define ROWS 1024u
#define WAYS 4u
#define TOKEN 1000u                           /* kept in thousandths: what a millisecond brings at one a second */

struct bucket { struct address key; uint64_t level, at_ms; bool used; };
struct buckets {
    uint64_t rate, full, seed;
    struct bucket list[ROWS][WAYS];
};

struct buckets *buckets_new(uint64_t rate, uint64_t burst, uint64_t seed)
{
    struct buckets *b = mem_new(sizeof *b);

    /* No product below passes 64 bits. */
    b->rate = rate < UINT32_MAX ? rate : UINT32_MAX;
    b->full = (burst == 0 ? 1 : burst < UINT32_MAX ? burst : UINT32_MAX) * TOKEN;
    b->seed = seed;
    return b;
}

void buckets_free(struct buckets *b)
{
    free(b);
}

/* FNV-1a over seed and key, its high bits folded in. */
static size_t row_of(const struct buckets *b, struct address key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ b->seed;

    for (size_t i = 0; i < sizeof key.b; i++)
        h = (h ^ key.b[i]) * UINT64_C(0x100000001b3);
    return (size_t)((h ^ h >> 32) % ROWS);
}

static uint64_t level_now(const struct buckets *b, const struct bucket *at, uint64_t now_ms)
{
    uint64_t passed = now_ms > at->at_ms ? now_ms - at->at_ms : 0, missing = b->full - at->level;

    return !at->used || passed > missing / b->rate ? b->full : at->level + passed * b->rate;
}

/* The key's own bucket, an empty place, or the fullest. */
static struct bucket *find(struct buckets *b, struct address key, uint64_t now_ms)
{
    struct bucket *row = b->list[row_of(b, key)], *fullest = row;

    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].used && address_eq(row[i].key, key))
            return &row[i];
        if (level_now(b, &row[i], now_ms) > level_now(b, fullest, now_ms) || (fullest->used && !row[i].used))
            fullest = &row[i];
    }
    *fullest = (struct bucket){ .key = key, .level = b->full, .at_ms = now_ms, .used = true };
    return fullest;
}

bool buckets_take(struct buckets *b, struct address key, uint64_t now_ms, uint64_t *wait_ms)
{
    struct bucket *at;

    if (b->rate == 0)
        return true;
    at = find(b, key, now_ms);
    at->level = level_now(b, at, now_ms);
    if (now_ms > at->at_ms)
        at->at_ms = now_ms;
    if (at->level < TOKEN) {
        *wait_ms = (TOKEN - at->level + b->rate - 1) / b->rate;
        return false;
    }
    at->level -= TOKEN;
    return true;
}
