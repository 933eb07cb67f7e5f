#include "api/room.h"

void room_init(struct room *room, size_t max)
{
    room->max = max;
    atomic_init(&room->used, 0);
    atomic_init(&room->refused, 0);
}

static size_t limit_of(const struct room_share *share, size_t more)
{
    return share->bytes + more > ROOM_LITTLE ? share->room->max / 4 * 3 : share->room->max;
}

bool room_has(const struct room_share *share, size_t more)
{
    size_t limit = limit_of(share, more);
    bool has = more <= limit && atomic_load(&share->room->used) <= limit - more;

    if (!has)
        atomic_fetch_add(&share->room->refused, 1);
    return has;
}

bool room_take(struct room_share *share, size_t more)
{
    size_t limit = limit_of(share, more), before = atomic_fetch_add(&share->room->used, more);

    if (more > limit || before > limit - more) {
        atomic_fetch_sub(&share->room->used, more);
        atomic_fetch_add(&share->room->refused, 1);
        return false;
    }
    share->bytes += more;
    return true;
}

bool room_fit(struct room_share *share, size_t bytes)
{
    if (bytes > share->bytes)
        return room_take(share, bytes - share->bytes);
    room_set(share, bytes);
    return true;
}

void room_set(struct room_share *share, size_t bytes)
{
    if (bytes > share->bytes)
        atomic_fetch_add(&share->room->used, bytes - share->bytes);
    else
        atomic_fetch_sub(&share->room->used, share->bytes - bytes);
    share->bytes = bytes;
}
