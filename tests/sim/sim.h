/* tests/sim/sim.h - one simulated life: a clock, a chain, endpoints, a disk and the process that settles, from one seed.
 *
 * Everything is drawn from `rng` in one thread, so a seed is a life: the same calls in the same order. */
#ifndef QUITTANCE_SIM_H
#define QUITTANCE_SIM_H

#include <stdio.h>

#include "gateway/settle/settle.h"
#include "tests/sim/chain.h"
#include "tests/sim/faults.h"
#include "tests/support/rng.h"

#define SIM_NODES 3u
#define SIM_LATE 32u
#define SIM_REPLICAS 3u
#define SIM_URL 320u

/* What this life is like; drawn first. */
struct plan {
    unsigned endpoints, people, batches, reorg_max;
    uint64_t block_ms, confirmations, finality_lag;      /* lag 0: no `finalized` tag */
    uint64_t activation_delay_s, set_gas, in_flight, minimum, gas_limit, faulty_ms;
    uint64_t base_gwei;
    bool rotates;
    unsigned rate[FAULTS];                               /* in 10 000 */
};

struct node {
    size_t head;
    bool fresh[SIM_REPLICAS];                            /* the next exchange of this process needs a new connection */
    uint64_t down_until, lags_until, other_until, hides_until;      /* block numbers */
    bool geth;                                           /* speaks geth's words, else any client's */
    struct pool pool;
};

struct late { uint64_t at_ms; unsigned node; size_t tx; };

/* One gateway; of several on one store (replicas.c) the rest counts, too. */
struct process {
    struct writer *writer;
    struct db *db;
    struct rpc *rpc;
    struct settle *settle;
    struct lease *lease;
    int64_t skew_ms;                                     /* of its clock */
    bool busy;                                           /* it is under way: on the stack */
    bool settling;                                       /* in the code that settles */
    uint64_t down_until_ms, stopped_until_ms, look_at_ms;
};

/* One attempt, as it was first seen on the wire. */
struct wire_slot { unsigned key; uint64_t nonce; struct hash content, hash; uint64_t max_fee, tip; };

struct sim {
    uint64_t seed;
    struct rng rng;
    struct clock clock, steady;                          /* the process's: of the day, and that never goes back */
    uint64_t now_ms, next_block_ms;
    struct plan plan;
    bool calm;                                           /* no faults but --crash */
    bool faulty;
    struct chain chain;
    struct node nodes[SIM_NODES];
    struct late late[SIM_LATE];
    size_t late_count;

    /* the process */
    char dir[64], store_url[SIM_URL], plain_url[SIM_URL], archive[96];
    uint8_t secret[32];
    struct settle_config config;
    struct signer *signers[SIM_KEYS];                    /* borrowed */
    unsigned key;
    const char *server;                                  /* the url of a database server; NULL: a file */
    unsigned replicas;                                   /* 1: it has the store alone */
    struct process processes[SIM_REPLICAS], *at;         /* whose code runs */
    bool crashed;                                        /* that one */
    bool ticking, storing;                               /* leases are looked after; a transaction is being begun */
    unsigned stops;                                      /* of those on the stack, so many are stopped */
    uint64_t events;                                     /* store writes and exchanges so far */
    uint64_t crash_at;                                   /* --crash: this event and no other; 0: drawn */
    bool crash_after;
    unsigned crashes;
    struct db *look;                                     /* the checks' own reader */
    uint64_t jobs;
    unsigned batches_fed;
    bool wants_close;

    /* what was seen on the wire and in the store */
    struct wire_slot *wire;
    size_t wire_count;
    uint64_t payments_seen, group_seen;
    uint8_t *tx_states;                                  /* by id, as of the last look */
    size_t tx_state_count;

    bool failed;
    char failure[600];
    uint64_t digest;
    FILE *trace;                                         /* NULL: only the digest */
    uint64_t hits[FAULTS];
};

/* The one that lives; http.c, disk.c and the wrapped clock find it here. */
extern struct sim *sim_here;

/* -- sim.c -- */
void sim_say(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first failure counts. */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sim_fault(struct sim *s, enum sim_fault f);             /* whether it happens now */
uint64_t sim_between(struct sim *s, uint64_t least, uint64_t most);
bool sim_chance(struct sim *s, unsigned in_100);
unsigned sim_number(const struct sim *s);                    /* of the process at hand, from 0 */
void sim_advance(struct sim *s, uint64_t ms);
/* One store write or exchange begins or has taken effect: whether the process ends here. */
bool sim_crash(struct sim *s, bool after);

/* -- plan.c -- */
void plan_draw(struct sim *s);

/* -- world.c -- */
void world_run(struct sim *s);
struct sim_look { bool ok, moved; struct settle_report report; struct err err; };
void world_look(struct sim *s, struct sim_look *l);              /* one look of the process at hand */
bool world_start(struct sim *s, struct err *err);            /* it; one try */
void world_stop(struct sim *s);

/* -- replicas.c -- */
void replicas_tick(struct sim *s);                           /* time has passed: leases are looked after */
void replicas_stop_here(struct sim *s);                      /* whether the process at hand is stopped now, and goes on later */
bool replicas_turn(struct sim *s, struct sim_look *l);           /* one of them runs for a while; false: it had nothing to settle */
void replicas_look(struct sim *s, struct sim_look *l);           /* until one that settles has looked */
void replicas_trouble(struct sim *s);                        /* what happens to one that is not under way */
void replicas_end(struct sim *s);                            /* the one at hand is dead, for a while */
void replicas_heal(struct sim *s);
bool replicas_choose(struct sim *s);                         /* s->at: one that runs */
/* The highest block that nothing may replace any more; 0: none. */
uint64_t world_final_height(const struct sim *s);

/* -- outsiders.c -- */
void outsiders_act(struct sim *s);
void outsiders_heal(struct sim *s);
void outsiders_rotate(struct sim *s);
bool outsiders_are_done(const struct sim *s);

/* -- check.c -- */
void check_sent(struct sim *s, const struct sim_tx *tx);       /* raw bytes leave the process */
void check_settler(struct sim *s);                             /* a group was committed: by who settles, where it is his */

#endif
