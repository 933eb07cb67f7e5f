/* Who waits for the pool's threads, and who is next (under the intake's lock). */
#include "gateway/intake/inside.h"

#define TURN_CHUNKS 4u                        /* 256 signatures are 15 ms of a core */

struct submission *queue_next(const struct submission *s)
{
    return ((const struct work *)s->work)->next;
}

static void link_to(struct submission *s, struct submission *next)
{
    ((struct work *)s->work)->next = next;
}

static void append(struct intake *intake, struct submission *s)
{
    link_to(s, NULL);
    if (intake->last != NULL)
        link_to(intake->last, s);
    else
        intake->first = s;
    intake->last = s;
    intake->waiting++;
}

static struct submission *take_first(struct intake *intake)
{
    struct submission *s = intake->first;

    intake->first = queue_next(s);
    if (intake->first == NULL)
        intake->last = NULL;
    link_to(s, NULL);
    intake->waiting--;
    return s;
}

void queue_add(struct intake *intake, struct submission *s)
{
    append(intake, s);
    pthread_cond_signal(&intake->work_waits);
}

/* The next chunk.  A submission is first for a turn of some: the chunks of all that wait by turns, they would all be done when the last
 * one is.  Then it goes to the end of the queue: one receipt does not wait for the ten thousand of somebody else, and they get as much
 * at a time as any that is short. */
static struct turn take_chunk(struct intake *intake)
{
    struct submission *s = intake->first;
    struct turn turn = { .first = s, .chunk = s->next_chunk++ };
    bool more = s->next_chunk * verify_chunk_size(s) < s->count;
    bool turn_ends = s->next_chunk % TURN_CHUNKS == 0;

    if (turn_ends || !more)
        take_first(intake);
    if (turn_ends && more)
        append(intake, s);
    if (more)
        pthread_cond_signal(&intake->work_waits);
    return turn;
}

static bool is_short(const struct submission *s)
{
    return !s->is_bundle && s->count <= WHOLE_MOST;
}

/* Hashed side by side and handed on at once they cost less than each by itself.  No more than this thread's share of all that wait: none
 * of the others stands idle meanwhile. */
static struct turn take_whole(struct intake *intake)
{
    size_t share = (intake->waiting + intake->thread_count - 1) / intake->thread_count;
    struct turn turn = { .first = take_first(intake), .whole = true };
    struct submission *last = turn.first;
    size_t items = last->count;

    for (; share > 1 && intake->first != NULL && is_short(intake->first) && items + intake->first->count <= WHOLE_MOST; share--) {
        link_to(last, take_first(intake));
        last = queue_next(last);
        items += last->count;
    }
    return turn;
}

struct turn queue_take(struct intake *intake)
{
    return is_short(intake->first) ? take_whole(intake) : take_chunk(intake);
}
