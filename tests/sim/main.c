/* The command: which lives to run, on how many cores, and what is told about them (README.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "tests/sim/campaign.h"

#define MUTATION_LIVES 300u
#define TWICE_LIVES 40u
#define TWICE_LIVES_SERVER 6u                 /* a server is slower */
#define SWEEP_SEEDS 1u

static const char usage[] =
    "usage: sim [--seeds N] [--from N] [--jobs N]    lives N, N+1, ...; the first that fails is told and ends it\n"
    "       sim --seed N [--trace]                   one life, told step by step\n"
    "       sim --twice                              some lives twice: the same to the last step\n"
    "       sim --sweep                              the process ends at every store write and exchange, before and after\n"
    "       sim --mutations                          every planted bug is found\n"
    "       --store URL --replicas N                 with any of these: N gateways (2 or 3) on that PostgreSQL, which nobody else uses;\n"
    "                                                --rounds N: lives until so many ends, stops and cuts are through\n"
    "       also: --mutation NAME, --crash EVENT, --crash-after EVENT, --progress\n";

struct options { uint64_t first, count, rounds; const char *store; unsigned replicas; unsigned jobs; bool twice, sweep, mutations, progress; struct life life; };

static const char *value_of(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc) {
        fputs(usage, stderr);
        exit(64);
    }
    return argv[++*i];
}

static uint64_t number_of(int argc, char **argv, int *i)
{
    return strtoull(value_of(argc, argv, i), NULL, 10);
}

static enum sim_mutation mutation_of(const char *name)
{
    for (unsigned m = 1; m < MUTATIONS; m++)
        if (strcmp(mutation_name((enum sim_mutation)m), name) == 0)
            return (enum sim_mutation)m;
    fprintf(stderr, "sim: no mutation %s\n", name);
    exit(64);
}

static void read_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0)
            o->first = number_of(argc, argv, &i), o->count = o->jobs = 1;
        else if (strcmp(argv[i], "--seeds") == 0)
            o->count = number_of(argc, argv, &i);
        else if (strcmp(argv[i], "--from") == 0)
            o->first = number_of(argc, argv, &i);
        else if (strcmp(argv[i], "--replicas") == 0)
            o->replicas = (unsigned)number_of(argc, argv, &i);
        else if (strcmp(argv[i], "--store") == 0)
            o->store = value_of(argc, argv, &i);
        else if (strcmp(argv[i], "--rounds") == 0)
            o->rounds = number_of(argc, argv, &i);
        else if (strcmp(argv[i], "--jobs") == 0)
            o->jobs = (unsigned)number_of(argc, argv, &i);
        else if (strcmp(argv[i], "--trace") == 0)
            o->life.trace = stdout;
        else if (strcmp(argv[i], "--mutation") == 0)
            o->life.mutation = mutation_of(value_of(argc, argv, &i));
        else if (strcmp(argv[i], "--crash") == 0 || strcmp(argv[i], "--crash-after") == 0) {
            o->life.crash_after = argv[i][7] != '\0';
            o->life.crash_at = number_of(argc, argv, &i);
        } else if (strcmp(argv[i], "--twice") == 0)
            o->twice = true;
        else if (strcmp(argv[i], "--sweep") == 0)
            o->sweep = true;
        else if (strcmp(argv[i], "--mutations") == 0)
            o->mutations = true;
        else if (strcmp(argv[i], "--progress") == 0)
            o->progress = true;
        else {
            fputs(usage, stderr);
            exit(64);
        }
    }
    if (o->jobs == 0 || o->jobs > JOBS_MOST || o->count == 0 || o->replicas == 0 || o->replicas > SIM_REPLICAS
        || (o->replicas > 1 && o->store == NULL)) {
        fputs(usage, stderr);
        exit(64);
    }
}

static void tell_failure(const struct options *o, const struct campaign *c)
{
    const struct life *l = &c->failing;

    printf("FAILED: seed %" PRIu64 ": %s\n  replay: build/tests/sim/sim --seed %" PRIu64, l->seed, c->failure, l->seed);
    if (l->crash_at != 0)
        printf(" --crash%s %" PRIu64, l->crash_after ? "-after" : "", l->crash_at);
    if (l->mutation != MUTATION_NONE)
        printf(" --mutation %s", mutation_name(l->mutation));
    if (o->replicas > 1)
        printf(" --replicas %u --store URL", o->replicas);
    printf(" --trace\n");
}

/* -- lives from seeds -- */

static struct life from_seed(const void *self, uint64_t index)
{
    const struct options *o = self;
    struct life life = o->life;

    life.seed = o->first + index;
    return life;
}

static void tell_sums(const struct campaign *c)
{
    printf("%-20s %12s %10s\n", "fault", "times", "lives");
    for (unsigned f = 0; f < FAULTS; f++)
        printf("%-20s %12" PRIu64 " %10" PRIu64 "  %s\n", fault_name((enum sim_fault)f), c->hits[f], c->reached[f],
               fault_text((enum sim_fault)f));
    printf("%-20s %12s\n", "the gateway's log", "lines");
    for (unsigned i = 0; i < TOLD_MOST && c->told[i].count > 0; i++)
        printf("%-20s %12" PRIu64 "\n", c->told[i].event, c->told[i].count);
}

static bool run_seeds(const struct options *o)
{
    struct campaign *c = campaign_run(&(struct campaign_plan){ from_seed, o, o->count, o->rounds, o->jobs, o->progress });
    bool ok = !c->failed;

    if (o->count > 1) {
        tell_sums(c);
        printf("sim: %" PRIu64 " lives, %" PRIu64 " store writes and exchanges, %.0f lives/s, digest %016" PRIx64 "\n", c->lives,
               c->events, (double)c->lives * 1000 / (double)(c->took_ms + 1), c->digest);
    }
    if (o->replicas > 1)
        printf("sim: %u gateways, %" PRIu64 " rounds\n", o->replicas, campaign_rounds(c));
    if (ok && campaign_rounds(c) < o->rounds) {
        printf("FAILED: fewer than %" PRIu64 " rounds\n", o->rounds);
        ok = false;
    } else if (!ok)
        tell_failure(o, c);
    campaign_free(c);
    return ok;
}

/* -- the same life twice -- */

static struct life pair(const void *self, uint64_t index)
{
    const struct options *o = self;

    return (struct life){ .seed = o->first + index };
}

static bool run_twice(const struct options *o)
{
    unsigned lives = o->replicas > 1 ? TWICE_LIVES_SERVER : TWICE_LIVES;
    uint64_t digests[2];

    for (int i = 0; i < 2; i++) {
        struct campaign *c = campaign_run(&(struct campaign_plan){ pair, o, lives, 0, i == 0 ? 1 : o->jobs, false });

        digests[i] = c->digest;
        campaign_free(c);
    }
    printf("twice: %u lives, %s\n", lives, digests[0] == digests[1] ? "the same again" : "NOT the same again");
    return digests[0] == digests[1];
}

/* -- an end at every event of a calm life -- */

static struct life ends_at(const void *self, uint64_t index)
{
    const struct life *calm = self;
    struct life life = *calm;

    life.crash_at = index / 2 + 1;
    life.crash_after = index % 2 != 0;
    return life;
}

static struct life alone(const void *self, uint64_t index)
{
    (void)index;
    return *(const struct life *)self;
}

static bool run_sweep(const struct options *o)
{
    bool ok = true;

    for (uint64_t i = 0; ok && i < SWEEP_SEEDS; i++) {
        struct life calm = { .seed = o->first + i, .calm = true };
        struct campaign *c = campaign_run(&(struct campaign_plan){ alone, &calm, 1, 0, 1, false });
        uint64_t events = c->events;

        campaign_free(c);
        c = campaign_run(&(struct campaign_plan){ ends_at, &calm, 2 * events, 0, o->jobs, o->progress });
        ok = !c->failed;
        if (!ok)
            tell_failure(o, c);
        printf("sweep: seed %" PRIu64 ", an end before and after each of %" PRIu64 " store writes and exchanges\n", calm.seed, events);
        campaign_free(c);
    }
    return ok;
}

/* -- planted bugs -- */

static bool run_mutations(const struct options *o)
{
    /* Those of several gateways alone: the others are found in one, which is faster. */
    unsigned m = o->replicas > 1 ? SIM_MUTATIONS_ALONE : 1, end = o->replicas > 1 ? MUTATIONS : SIM_MUTATIONS_ALONE;
    bool all = true;

    for (; m < end; m++) {
        struct options with = { .first = o->first, .life = { .mutation = (enum sim_mutation)m } };
        struct campaign *c = campaign_run(&(struct campaign_plan){ from_seed, &with, MUTATION_LIVES, 0, o->jobs, false });

        if (c->failed)
            printf("mutation %-22s found after %3" PRIu64 " lives: %s\n", mutation_name((enum sim_mutation)m), c->lives,
                   c->failure);
        else
            printf("mutation %-22s NOT FOUND: %s\n", mutation_name((enum sim_mutation)m),
                   mutation_text((enum sim_mutation)m));
        all = all && c->failed;
        campaign_free(c);
    }
    return all;
}

int main(int argc, char **argv)
{
    struct options o = { .first = 1, .count = 2000, .replicas = 1, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
    bool ok;

    read_options(argc, argv, &o);
    campaign_start(o.store, o.replicas);
    ok = o.twice ? run_twice(&o) : o.sweep ? run_sweep(&o) : o.mutations ? run_mutations(&o) : run_seeds(&o);
    campaign_stop();
    return ok ? 0 : 1;
}
