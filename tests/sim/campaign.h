/* tests/sim/campaign.h - many lives on several cores: each worker is a process of its own, as a life has global seams. */
#ifndef QUITTANCE_SIM_CAMPAIGN_H
#define QUITTANCE_SIM_CAMPAIGN_H

#include "tests/sim/mutations.h"
#include "tests/sim/seams.h"
#include "tests/sim/sim.h"

#define JOBS_MOST 64u

struct life { uint64_t seed, crash_at; bool crash_after, calm; enum sim_mutation mutation; FILE *trace; };
struct campaign_plan {
    struct life (*life)(const void *self, uint64_t index);
    const void *self;
    uint64_t count;
    uint64_t rounds;                               /* enough when so many gateways ended, stood still or lost their database; 0: all lives */
    unsigned jobs;
    bool progress;                                 /* a line on stderr every few seconds */
};
struct campaign {
    uint64_t lives, events, took_ms;
    uint64_t digest;                               /* of all, whatever their order */
    uint64_t hits[FAULTS], reached[FAULTS];        /* times; lives that met it */
    struct told told[TOLD_MOST];
    bool failed;
    struct life failing;
    char failure[600];
};

/* Once a process.  server: the url of a PostgreSQL that nobody else uses (borrowed), for so many gateways; NULL: one, on SQLite. */
void campaign_start(const char *server, unsigned replicas);
void campaign_stop(void);
/* Until all are done or one has failed; free with campaign_free. */
struct campaign *campaign_run(const struct campaign_plan *plan);
/* Times that a gateway ended, was stopped, or lost its connection to the database. */
uint64_t campaign_rounds(const struct campaign *c);
void campaign_free(struct campaign *c);

#endif
