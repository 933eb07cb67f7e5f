#include "gateway/audit/seen.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/keccak.h"

#define CAPACITY_FIRST 4096

void seen_init(struct seen *s)
{
    *s = (struct seen){ 0 };
    crypt_random(s->seed, sizeof s->seed);
}

void seen_clear(struct seen *s)
{
    free(s->slots);
    *s = (struct seen){ 0 };
}

static struct seen_mark mark_of(const struct seen *s, struct job_id job_id, struct address provider)
{
    struct seen_mark mark;
    struct keccak k;
    struct hash h;

    keccak_init(&k);
    keccak_update(&k, s->seed, sizeof s->seed);
    keccak_update(&k, job_id.b, sizeof job_id.b);
    keccak_update(&k, provider.b, sizeof provider.b);
    h = keccak_final(&k);
    memcpy(&mark, h.b, sizeof mark);
    mark.low |= 1;                            /* never all zero */
    return mark;
}

/* The slot that holds the mark, or the empty one where it belongs. */
static struct seen_mark *slot_of(struct seen *s, struct seen_mark mark)
{
    size_t at = (size_t)mark.high & (s->capacity - 1);

    while (s->slots[at].low != 0 && (s->slots[at].high != mark.high || s->slots[at].low != mark.low))
        at = (at + 1) & (s->capacity - 1);
    return &s->slots[at];
}

static void grow(struct seen *s)
{
    struct seen_mark *old = s->slots;
    size_t old_capacity = s->capacity;

    s->capacity = old_capacity == 0 ? CAPACITY_FIRST : old_capacity * 2;
    s->slots = mem_array(s->capacity, sizeof *s->slots);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].low != 0)
            *slot_of(s, old[i]) = old[i];
    free(old);
}

bool seen_add(struct seen *s, struct job_id job_id, struct address provider)
{
    struct seen_mark mark = mark_of(s, job_id, provider), *slot;

    if (s->count * 4 >= s->capacity * 3)
        grow(s);
    slot = slot_of(s, mark);
    if (slot->low != 0)
        return false;
    *slot = mark;
    s->count++;
    return true;
}
