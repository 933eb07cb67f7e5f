/* api/room.h - memory that requests may hold, all of them together: bodies, what they are unpacked and decoded to while it
 * waits, answers until they are taken.  Beyond it the answer is 503, so load is refused and never piles up.
 *
 * What holds more than ROOM_LITTLE leaves the last quarter to those that hold less: large bodies, sent slowly or not, never
 * keep a single receipt out.  A share is what one request holds; several threads hold shares, one share has one owner at a time. */
#ifndef QUITTANCE_API_ROOM_H
#define QUITTANCE_API_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define ROOM_BYTES ((size_t)64 * 1024 * 1024)
#define ROOM_LITTLE ((size_t)64 * 1024)

struct room { size_t max; atomic_size_t used; atomic_ulong refused; };
struct room_share { struct room *room; size_t bytes; };

void room_init(struct room *room, size_t max);
bool room_has(const struct room_share *share, size_t more);    /* as things are; takes nothing, counts a refusal */
bool room_take(struct room_share *share, size_t more);    /* false: there is no room; nothing changed */
bool room_fit(struct room_share *share, size_t bytes);    /* it is this much now; false: more than there is room for, nothing changed */
/* The same, for what must not be refused any more: what is taken over the limit is refused to those who come after. */
void room_set(struct room_share *share, size_t bytes);

#endif
