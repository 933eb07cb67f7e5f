/* chain/rpc_health.h - how the endpoints of an rpc fare: who is asked, who is left out and why.
 *
 *   up     -> down     RPC_FAILURES_MAX failures in a row; the first where it never answered yet
 *          -> slow     one failure, or so many answers in a row, that took RPC_SLOW_MS and more
 *          -> stale    its head is over RPC_LAG_MAX blocks behind the others'
 *          -> forked   another block than the others' RPC_LAG_MAX below their head
 *          -> lying    another answer than two that agree, or a finalized height that went back
 *          -> other-chain
 *
 * Down, slow and other-chain come back by one good answer once their pause is over: 1 s, then up to twice as long with
 * each failure, 60 s at most, anywhere between by chance (full jitter), so that many gateways do not come back at once.
 * Lying ones wait 60 s, twice as long each time within a day, 1 h at most.  Stale and forked ones are looked at with every head.
 * A single endpoint is never left out: there is none to ask in its place, and its caller's pauses are the backoff. */
#ifndef QUITTANCE_CHAIN_RPC_HEALTH_H
#define QUITTANCE_CHAIN_RPC_HEALTH_H

#include "chain/rpc.h"
#include "gateway/base/clock.h"

#define RPC_FAILURES_MAX 3u
#define RPC_SLOW_MS 5000u
#define RPC_LAG_MAX 5u                        /* blocks */
#define RPC_BACKOFF_MIN_MS 1000u
#define RPC_BACKOFF_MAX_MS 60000u
#define RPC_LYING_MAX_MS 3600000u

enum endpoint_state {
    ENDPOINT_UP, ENDPOINT_DOWN, ENDPOINT_SLOW, ENDPOINT_STALE, ENDPOINT_FORKED, ENDPOINT_LYING, ENDPOINT_OTHER_CHAIN
};
const char *endpoint_state_name(enum endpoint_state state);

struct rpc_health {
    const char *name;                         /* borrowed from the rpc: scheme://host:port */
    enum endpoint_state state;
    char why[200];                            /* "" while up */
    uint64_t head, lag;                       /* blocks, when its head was last asked for; a single endpoint is behind nobody */
    uint64_t finalized;                       /* the highest that it called so; 0: it was not asked, or knows none */
    uint64_t failures, errors;                /* in a row; since the start */
    uint64_t latency_ms;                      /* of the last answer */
    uint64_t retry_in_ms;                     /* 0: asked now */
};
/* From any thread; the number of endpoints. */
size_t rpc_health(struct rpc *rpc, struct rpc_health list[RPC_URLS_MAX]);

/* Told on the rpc's own thread, once a change of state. */
typedef void rpc_listener(void *self, const struct rpc_health *health);
void rpc_set_listener(struct rpc *rpc, rpc_listener *listener, void *self);

/* Time and chance from outside, for tests and simulations; NULL: the machine's.  The clock is one that never goes back. */
typedef uint64_t rpc_random(void *self);
void rpc_set_clock(struct rpc *rpc, const struct clock *clock, rpc_random *random, void *self);

/* Whether the last ERR_AGAIN means that too few endpoints agree. */
bool rpc_waits_for_agreement(const struct rpc *rpc);

#endif
