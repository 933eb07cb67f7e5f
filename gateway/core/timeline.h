/* gateway/core/timeline.h - which row of a key was in force at a time: sorted once, then searched by halves.
 *
 * Entries are few bytes beside the rows they stand for, so a search stays in the cache; keys come from strangers, and
 * a sorted array has no worst case that they could choose.  Inside the catalog only. */
#ifndef QUITTANCE_CORE_TIMELINE_H
#define QUITTANCE_CORE_TIMELINE_H

#include "gateway/base/types.h"

struct timeline_entry {
    struct hash key;
    uint64_t at;
    size_t row;                                /* index into the rows; later rows win at one time */
};
struct timeline {
    struct timeline_entry *list;               /* owned */
    size_t count, capacity;
};
void timeline_clear(struct timeline *t);
void timeline_add(struct timeline *t, struct hash key, uint64_t at, size_t row);
void timeline_sort(struct timeline *t);
/* All borrowed, NULL where there is none: the key's latest entry at or before a time, the one before an entry of the
 * same key, and its first. */
const struct timeline_entry *timeline_at(const struct timeline *t, struct hash key, uint64_t at);
const struct timeline_entry *timeline_before(const struct timeline *t, const struct timeline_entry *entry);
const struct timeline_entry *timeline_first(const struct timeline *t, struct hash key);
struct hash timeline_address_key(struct address a);

#endif
