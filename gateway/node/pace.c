#include "gateway/node/pace.h"

#define PAUSE_FIRST_MS 200u
#define PAUSE_MAX_MS 8000u
#define SPREAD_MS 250u
#define US_A_SECOND UINT64_C(1000000)

uint64_t pace_book(struct pace *pace, uint64_t count, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000, at_us = pace->free_at_us > now_us ? pace->free_at_us : now_us;

    if (pace->per_second == 0)
        return 0;
    pace->free_at_us = at_us + (count * US_A_SECOND + pace->per_second - 1) / pace->per_second;
    return (at_us - now_us + 999) / 1000;
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
