#include "store/writer_beside.h"

#define BUSY_WAIT_MS 2u                       /* who waited so long for a turn is in others' way, and they in his */
#define BUSY_MS 3000u
#define REFUSED_MS 50u                        /* doubled with each refusal, */
#define REFUSED_MOST 6u                       /* up to so often */

static bool all_may(const struct task *first)
{
    while (first != NULL && first->beside)
        first = first->next;
    return first == NULL;
}

static bool is_time(const struct beside *b, uint64_t now_ms)
{
    if (b->groups >= FOLD_GROUPS || (b->oldest_ms != 0 && now_ms >= b->oldest_ms + FOLD_MS))
        return false;
    return b->when == BESIDE_ALWAYS || (now_ms < b->until_ms && now_ms >= b->not_before_ms);
}

bool beside_is_wanted(const struct beside *b, const struct db *db, const struct task *first)
{
    return b->when != BESIDE_NEVER && db_is_shared(db) && all_may(first) && is_time(b, clock_monotonic_ms());
}

void beside_note_wait(struct beside *b, uint64_t waited_ms)
{
    if (waited_ms >= BUSY_WAIT_MS)
        b->until_ms = clock_monotonic_ms() + BUSY_MS;
}

void beside_note_others(struct beside *b)
{
    if (b->oldest_ms == 0)
        b->oldest_ms = clock_monotonic_ms();
}

void beside_note_kept(struct beside *b)
{
    beside_note_others(b);
    b->groups++;
    b->refusals /= 2;
}

void beside_note_refused(struct beside *b)
{
    b->not_before_ms = clock_monotonic_ms() + ((uint64_t)REFUSED_MS << b->refusals);
    b->refusals += b->refusals < REFUSED_MOST;
}

void beside_note_turn(struct beside *b, uint64_t number)
{
    if (b->turn == number)
        return;
    b->turn = number;
    b->oldest_ms = 0;
    b->groups = 0;
    b->steps = 0;
}

uint64_t beside_number(struct beside *b, struct db_place place)
{
    return b->turn + 1 + b->steps++ * place.writers + place.rank;
}

uint64_t beside_time(uint64_t now_ms, struct db_place place)
{
    return now_ms + (place.rank + place.writers - now_ms % place.writers) % place.writers;
}
