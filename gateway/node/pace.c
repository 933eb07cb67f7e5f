#include "gateway/node/pace.h"

#define PAUSE_FIRST_MS 200u
#define PAUSE_MAX_MS 8000u
#define SPREAD_MS 250u
#define NS_A_MS UINT64_C(1000000)
#define NS_A_SECOND UINT64_C(1000000000)

uint64_t pace_book(struct pace *pace, uint64_t count, uint64_t now_ms)
{
    uint64_t now_ns = now_ms * NS_A_MS, earliest_ns, at_ns;

    if (pace->per_second == 0)
        return 0;
    /* Senders wake late by a millisecond or more: without this the rate would be lost to that, at small groups most of it. */
    earliest_ns = now_ns > PACE_CATCH_UP_MS * NS_A_MS ? now_ns - PACE_CATCH_UP_MS * NS_A_MS : 0;
    at_ns = pace->free_at_ns > earliest_ns ? pace->free_at_ns : earliest_ns;
    pace->free_at_ns = at_ns + (count * NS_A_SECOND + pace->per_second - 1) / pace->per_second;
    return at_ns > now_ns ? (at_ns - now_ns + NS_A_MS - 1) / NS_A_MS : 0;
}

uint64_t pace_backoff_ms(unsigned attempt, unsigned retry_after_s, uint64_t random)
{
    uint64_t pause = attempt < 6 ? (uint64_t)PAUSE_FIRST_MS << attempt : PAUSE_MAX_MS;
    uint64_t asked = (uint64_t)retry_after_s * 1000;

    if (pause > PAUSE_MAX_MS)
        pause = PAUSE_MAX_MS;
    pause = pause / 2 + random % (pause / 2 + 1);
    return asked == 0 ? pause : (asked > pause ? asked : pause) + random % SPREAD_MS;
}
