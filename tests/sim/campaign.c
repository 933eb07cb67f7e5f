#include "tests/sim/campaign.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "tests/sim/disk.h"
#include "tests/sim/node.h"

#define PROGRESS_S 10u

/* In memory that the workers share; each worker writes its own sums. */
struct shared {
    _Atomic uint64_t next, done, rounds;
    _Atomic bool failed;
    struct campaign of[JOBS_MOST];
};

static struct signer *signers[SIM_KEYS];
static const char *server;
static unsigned replicas;

void campaign_start(const char *server_url, unsigned replica_count)
{
    struct err err = { 0 };

    if (!secp_start(&err) || !signer_open("keystore:1", NULL, &signers[0], &err)
        || !signer_open("keystore:2", NULL, &signers[1], &err))
        bug("%s", err.text);
    server = server_url;
    replicas = replica_count;
    words_load();
    disk_register(server != NULL);
}

void campaign_stop(void)
{
    for (unsigned k = 0; k < SIM_KEYS; k++)
        signer_free(signers[k]);
    secp_stop();
}

/* -- one life -- */

static char schema[SIM_URL];                       /* the worker's own, on a server */

static void place(struct sim *s, const char *dir)
{
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    s->server = server;
    s->replicas = replicas;
    if (server != NULL) {
        snprintf(s->plain_url, sizeof s->plain_url, "%s", schema);
        snprintf(s->store_url, sizeof s->store_url, "sim:%s", strchr(schema, ':') + 1);
    } else {
        snprintf(s->store_url, sizeof s->store_url, "sim:%s/store.db", dir);
        snprintf(s->plain_url, sizeof s->plain_url, "sqlite:%s/store.db", dir);
    }
    snprintf(s->archive, sizeof s->archive, "%s/archive", dir);
}

static void live(struct sim *s, const char *dir, const struct life *life)
{
    *s = (struct sim){ .seed = life->seed, .crash_at = life->crash_at, .crash_after = life->crash_after,
                       .calm = life->calm, .trace = life->trace };
    place(s, dir);
    memcpy(s->signers, signers, sizeof signers);
    mutation = life->mutation;
    world_run(s);
}

static void add_life(struct campaign *c, const struct sim *s, const struct life *life)
{
    c->lives++;
    c->events += s->events;
    c->digest += s->digest;
    for (unsigned f = 0; f < FAULTS; f++) {
        c->hits[f] += s->hits[f];
        c->reached[f] += s->hits[f] > 0;
    }
    if (!s->failed)
        return;
    c->failed = true;
    c->failing = *life;
    snprintf(c->failure, sizeof c->failure, "%s", s->failure);
}

static uint64_t rounds_in(const uint64_t hits[FAULTS])
{
    return hits[FAULT_CRASH_BEFORE] + hits[FAULT_CRASH_AFTER] + hits[FAULT_STOPPED] + hits[FAULT_KILLED] + hits[FAULT_CUT];
}

uint64_t campaign_rounds(const struct campaign *c)
{
    return rounds_in(c->hits);
}

/* -- a worker, in a folder of its own -- */

static void make_folder(const char *dir, const char *archive)
{
    if (mkdir(dir, 0700) != 0 || mkdir(archive, 0700) != 0)
        bug("%s cannot be made", dir);
}

static void drop_folder(const char *dir)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        bug("%s", command);
}

static void work(const struct campaign_plan *plan, struct shared *all, struct campaign *mine)
{
    struct sim *s = mem_new(sizeof *s);
    char dir[64], archive[80];
    uint64_t index;

    /* In memory: nothing here may outlive the machine, and a sync costs nothing. */
    snprintf(dir, sizeof dir, "%s/quittance-sim-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
    snprintf(archive, sizeof archive, "%s/archive", dir);
    make_folder(dir, archive);
    if (server != NULL)
        server_template(server, (long)getpid(), schema, sizeof schema);
    else
        disk_template(dir);
    memset(told, 0, sizeof told);
    while (!all->failed && (plan->rounds == 0 || all->rounds < plan->rounds) && (index = atomic_fetch_add(&all->next, 1)) < plan->count) {
        struct life life = plan->life(plan->self, index);

        live(s, dir, &life);
        add_life(mine, s, &life);
        all->done++;
        all->rounds += rounds_in(s->hits);
        if (s->failed)
            all->failed = true;
    }
    memcpy(mine->told, told, sizeof told);
    if (server != NULL)
        server_template_clear();
    else
        disk_template_clear();
    sim_here = NULL;
    free(s);
    drop_folder(dir);
}

/* -- all of them -- */

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void add_told(struct campaign *sum, const struct campaign *part)
{
    for (unsigned i = 0; i < TOLD_MOST && part->told[i].count > 0; i++) {
        unsigned k = 0;

        while (k < TOLD_MOST - 1 && sum->told[k].count > 0 && strcmp(sum->told[k].event, part->told[i].event) != 0)
            k++;
        memcpy(sum->told[k].event, part->told[i].event, sizeof sum->told[k].event);
        sum->told[k].count += part->told[i].count;
    }
}

static void add_part(struct campaign *sum, const struct campaign *part)
{
    sum->lives += part->lives;
    sum->events += part->events;
    sum->digest += part->digest;
    for (unsigned f = 0; f < FAULTS; f++) {
        sum->hits[f] += part->hits[f];
        sum->reached[f] += part->reached[f];
    }
    add_told(sum, part);
    /* The lowest of those that failed at once: the same whoever was faster. */
    if (!part->failed || (sum->failed && sum->failing.seed <= part->failing.seed))
        return;
    sum->failed = true;
    sum->failing = part->failing;
    memcpy(sum->failure, part->failure, sizeof sum->failure);
}

static void tell_progress(const struct campaign_plan *plan, const struct shared *all, uint64_t began_ms)
{
    uint64_t ms = now_ms() - began_ms;

    fprintf(stderr, "sim: %" PRIu64 " of %" PRIu64 " lives, %.0f/s\n", all->done, plan->count,
            (double)all->done * 1000 / (double)(ms + 1));
}

static void wait_for(const struct campaign_plan *plan, const struct shared *all, uint64_t began_ms)
{
    unsigned left = plan->jobs;
    uint64_t told_ms = began_ms;
    int status;

    while (left > 0) {
        pid_t pid = waitpid(-1, &status, plan->progress ? WNOHANG : 0);

        if (pid > 0) {
            left--;
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                bug("a worker died");
        } else if (plan->progress) {
            (void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
            if (now_ms() - told_ms >= PROGRESS_S * 1000) {
                told_ms = now_ms();
                tell_progress(plan, all, began_ms);
            }
        }
    }
}

struct campaign *campaign_run(const struct campaign_plan *plan)
{
    struct campaign *sum = mem_new(sizeof *sum);
    uint64_t began_ms = now_ms();
    struct shared *all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (all == MAP_FAILED)
        bug("no shared memory");
    fflush(stdout);
    if (plan->jobs == 1)
        work(plan, all, &all->of[0]);
    for (unsigned j = 0; plan->jobs > 1 && j < plan->jobs; j++)
        if (fork() == 0) {
            work(plan, all, &all->of[j]);
            _exit(0);
        }
    if (plan->jobs > 1)
        wait_for(plan, all, began_ms);
    for (unsigned j = 0; j < plan->jobs; j++)
        add_part(sum, &all->of[j]);
    sum->took_ms = now_ms() - began_ms;
    munmap(all, sizeof *all);
    return sum;
}

void campaign_free(struct campaign *c)
{
    free(c);
}
