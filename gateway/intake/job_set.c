/* Open addressing, at most half full; no job of a receipt is all zero (UUIDv7). */
#include "gateway/intake/inside.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

_Static_assert(sizeof(struct job_id) == 2 * sizeof(uint64_t), "a job is hashed as two words");
__extension__ typedef unsigned __int128 wide;

/* Both halves of the product, so that without the seed nobody can tell which jobs meet. */
static size_t hash_of(const struct job_set *set, struct job_id job)
{
    uint64_t words[2];
    wide product;

    memcpy(words, job.b, sizeof words);
    product = (wide)(words[0] ^ set->seed[0]) * (words[1] ^ set->seed[1]);
    return (size_t)(product ^ product >> 64);
}

/* The slot that holds the job, or the empty one where it belongs. */
static size_t slot_of(const struct job_set *set, struct job_id job)
{
    static const struct job_id none;
    size_t slot = hash_of(set, job) & (set->slot_count - 1);

    while (!job_id_eq(set->slots[slot], none) && !job_id_eq(set->slots[slot], job))
        slot = (slot + 1) & (set->slot_count - 1);
    return slot;
}

static void make_room(struct job_set *set)
{
    struct job_set before = *set;

    if (2 * (set->count + 1) <= set->slot_count)
        return;
    if (set->slot_count == 0)
        crypt_random(set->seed, sizeof set->seed);
    set->slot_count = before.slot_count == 0 ? 128 : 2 * before.slot_count;
    set->slots = mem_array(set->slot_count, sizeof *set->slots);
    for (size_t i = 0; i < before.slot_count; i++)
        set->slots[slot_of(set, before.slots[i])] = before.slots[i];
    free(before.slots);
}

void job_set_add(struct job_set *set, struct job_id job)
{
    size_t slot;

    make_room(set);
    slot = slot_of(set, job);
    if (job_id_eq(set->slots[slot], job))
        return;
    set->slots[slot] = job;
    set->count++;
}

bool job_set_has(const struct job_set *set, struct job_id job)
{
    return set->count > 0 && job_id_eq(set->slots[slot_of(set, job)], job);
}

void job_set_clear(struct job_set *set)
{
    free(set->slots);
    *set = (struct job_set){ 0 };
}
