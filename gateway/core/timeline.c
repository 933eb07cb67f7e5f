#include "gateway/core/timeline.h"

#include "gateway/base/mem.h"

#include <stdlib.h>

void timeline_clear(struct timeline *t)
{
    free(t->list);
    *t = (struct timeline){ 0 };
}

void timeline_add(struct timeline *t, struct hash key, uint64_t at, size_t row)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 16 : t->capacity * 2;
        t->list = mem_grow(t->list, t->capacity, sizeof *t->list);
    }
    t->list[t->count++] = (struct timeline_entry){ key, at, row };
}

static int compare(const void *left, const void *right)
{
    const struct timeline_entry *a = left, *b = right;
    int keys = memcmp(a->key.b, b->key.b, sizeof a->key.b);

    if (keys != 0)
        return keys;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

void timeline_sort(struct timeline *t)
{
    if (t->count > 1)
        qsort(t->list, t->count, sizeof *t->list, compare);
}

/* How many entries are not after (key, at, row). */
static size_t position(const struct timeline *t, const struct timeline_entry *bound)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&t->list[middle], bound) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct timeline_entry *timeline_at(const struct timeline *t, struct hash key, uint64_t at)
{
    size_t after = position(t, &(struct timeline_entry){ key, at, SIZE_MAX });

    return after > 0 && hash_eq(t->list[after - 1].key, key) ? &t->list[after - 1] : NULL;
}

const struct timeline_entry *timeline_before(const struct timeline *t, const struct timeline_entry *entry)
{
    return entry > t->list && hash_eq(entry[-1].key, entry->key) ? entry - 1 : NULL;
}

const struct timeline_entry *timeline_first(const struct timeline *t, struct hash key)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(t->list[middle].key.b, key.b, sizeof key.b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && hash_eq(t->list[low].key, key) ? &t->list[low] : NULL;
}

struct hash timeline_address_key(struct address a)
{
    struct hash key = { { 0 } };

    memcpy(key.b, a.b, sizeof a.b);
    return key;
}
