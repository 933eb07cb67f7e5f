/* gateway/node/pace.h - when to send next: so many receipts a second, and how long to wait after a no.  Pure: time and
 * randomness are given. */
#ifndef QUITTANCE_NODE_PACE_H
#define QUITTANCE_NODE_PACE_H

#include <stdint.h>

#define PACE_CATCH_UP_MS 100u

/* Receipts in any span of t ms: at most one group and (t + PACE_CATCH_UP_MS) * per_second / 1000.  More unused time than that is
 * not saved up. */
struct pace {
    uint64_t per_second;                    /* 0: no bound */
    uint64_t free_at_ns;                    /* when the group before is paid for */
};
/* Books a group of count receipts; returns how many ms from now_ms on it may be sent. */
uint64_t pace_book(struct pace *pace, uint64_t count, uint64_t now_ms);

/* The pause after the attempt-th no in a row (from 0): between half and all of 200 ms doubled each time, 8 s at most; never less than
 * what Retry-After asks, and up to a quarter second more, so that many clients do not come back at once. */
uint64_t pace_backoff_ms(unsigned attempt, unsigned retry_after_s, uint64_t random);

#endif
