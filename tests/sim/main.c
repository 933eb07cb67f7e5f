/* Runs lives, many at once; see README.md. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/signer.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "tests/sim/disk.h"
#include "tests/sim/node.h"
#include "tests/sim/seams.h"

struct options {
    uint64_t first, last, crash_at;
    unsigned jobs;
    bool trace, crash_after;
};

/* Of one worker; in memory that all share. */
struct tally {
    _Atomic uint64_t lives;
    uint64_t hits[FAULTS], reached[FAULTS], digest, events, most_events;
    struct told told[TOLD_MOST];
    _Atomic bool failed;
    uint64_t failing_seed;
    char failure[600];
};

static void place(struct sim *s, const char *dir)
{
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    snprintf(s->store_url, sizeof s->store_url, "sim:%s/store.db", dir);
    snprintf(s->plain_url, sizeof s->plain_url, "sqlite:%s/store.db", dir);
    snprintf(s->archive, sizeof s->archive, "%s/archive", dir);
}

static struct signer *signers[SIM_KEYS];

static void live_once(const char *dir, const struct options *o, uint64_t seed, struct sim *s)
{
    *s = (struct sim){ .seed = seed, .crash_at = o->crash_at, .crash_after = o->crash_after,
                       .trace = o->trace ? stdout : NULL };
    place(s, dir);
    memcpy(s->signers, signers, sizeof signers);
    world_run(s);
}

static void add_up(struct tally *t, const struct sim *s)
{
    for (unsigned f = 0; f < FAULTS; f++) {
        t->hits[f] += s->hits[f];
        t->reached[f] += s->hits[f] > 0;
    }
    t->digest = t->digest * 31 + s->digest;
    t->events += s->events;
    if (s->events > t->most_events)
        t->most_events = s->events;
}

static void work(const struct options *o, unsigned job, struct tally *t)
{
    struct sim *s = mem_new(sizeof *s);
    char dir[64], command[96];

    snprintf(dir, sizeof dir, "/dev/shm/quittance-sim-%ld", (long)getpid());
    snprintf(command, sizeof command, "mkdir -p %s/archive", dir);
    if (system(command) != 0)
        bug("%s", command);
    disk_template(dir);
    for (uint64_t seed = o->first + job; seed <= o->last && !t->failed; seed += o->jobs) {
        live_once(dir, o, seed, s);
        add_up(t, s);
        atomic_fetch_add(&t->lives, 1);
        if (s->failed) {
            t->failing_seed = seed;
            snprintf(t->failure, sizeof t->failure, "%s", s->failure);
            t->failed = true;
        }
    }
    memcpy(t->told, told, sizeof told);
    free(s);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        bug("%s", command);
}

int main(int argc, char **argv)
{
    struct options o = { .first = 1, .last = 100, .jobs = 2 };
    struct tally *tallies;
    struct err err = { 0 };
    bool failed = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0)
            o.first = o.last = strtoull(argv[++i], NULL, 10), o.jobs = 1;
        else if (strcmp(argv[i], "--seeds") == 0)
            o.last = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--from") == 0)
            o.first = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--jobs") == 0)
            o.jobs = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--trace") == 0)
            o.trace = true;
    }
    if (!secp_start(&err))
        bug("%s", err.text);
    words_load();
    disk_register();
    if (!signer_open("keystore:1", NULL, &signers[0], &err) || !signer_open("keystore:2", NULL, &signers[1], &err))
        bug("%s", err.text);
    tallies = mmap(NULL, o.jobs * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned j = 0; j < o.jobs; j++)
        if (o.jobs == 1)
            work(&o, j, &tallies[j]);
        else if (fork() == 0) {
            work(&o, j, &tallies[j]);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
    for (unsigned j = 0; j < o.jobs; j++) {
        printf("job %u: %llu lives, events %llu most %llu digest %016llx\n", j, (unsigned long long)tallies[j].lives, (unsigned long long)tallies[j].events, (unsigned long long)tallies[j].most_events, (unsigned long long)tallies[j].digest);
        if (tallies[j].failed) {
            printf("seed %llu: %s\n", (unsigned long long)tallies[j].failing_seed, tallies[j].failure);
            failed = true;
        }
    }
    return failed;
}
