/* Several gateways on one store: whose turn it is, and who is killed, stopped, or cut off from the database.
 *
 * All of it is one thread.  A process that is stopped in the middle of something stays on the stack while the others have their turns
 * above it, past its lease and longer, and then goes on where it was: as after SIGSTOP and SIGCONT. */
#include "gateway/settle/parts.h"
#include "tests/sim/sim.h"

#define LOOK_EVERY_MS 3000u            /* a gateway looks after its lease each half second: here less often, as each look is work */
#define TAKEN_OVER_MS (LEASE_MS + 2 * LOOK_EVERY_MS + 10000u)
#define STOPPED_MOST_MS 40000u
#define DOWN_MOST_MS 30000u
#define TURNS_MOST 400u

static bool is_up(const struct process *p)
{
    return p->settle != NULL;
}

static bool may_run(const struct sim *s, const struct process *p)
{
    return !p->busy && s->now_ms >= p->stopped_until_ms && s->now_ms >= p->down_until_ms;
}

static unsigned number_of(const struct sim *s, const struct process *p)
{
    return (unsigned)(p - s->processes) + 1;
}

void replicas_end(struct sim *s)
{
    struct process *p = s->at;

    sim_say(s, "gateway %u ends", number_of(s, p));
    world_stop(s);
    s->crashed = false;
    p->down_until_ms = s->now_ms + sim_between(s, 10, s->faulty ? DOWN_MOST_MS : 1000);
}

static void start_one(struct sim *s)
{
    struct err err = { 0 };

    if (world_start(s, &err)) {
        sim_say(s, "gateway %u starts", number_of(s, s->at));
        return;
    }
    sim_say(s, "gateway %u does not start: %s", number_of(s, s->at), err.text);
    replicas_end(s);
}

/* As runner_others.c has it. */
static bool settles(const struct process *p)
{
    uint64_t generation = lease_generation(p->lease);

    if (generation != p->settle->generation)
        settle_renew(p->settle);
    return p->settle->generation != 0;
}

static struct process *pick(struct sim *s)
{
    unsigned first = (unsigned)rng_below(&s->rng, s->replicas);

    for (unsigned i = 0; i < s->replicas; i++) {
        struct process *p = &s->processes[(first + i) % s->replicas];

        if (may_run(s, p))
            return p;
    }
    return NULL;
}

bool replicas_choose(struct sim *s)
{
    struct process *p = pick(s);

    if (p == NULL || !is_up(p))
        return false;
    s->at = p;
    return true;
}

bool replicas_turn(struct sim *s, struct sim_look *l)
{
    struct process *before = s->at, *p = pick(s);
    bool looked = false;

    if (p == NULL) {
        sim_advance(s, 500);
        return false;
    }
    s->at = p;
    p->busy = true;
    if (!is_up(p)) {
        start_one(s);
    } else if (settles(p)) {
        sim_say(s, "gateway %u settles", number_of(s, p));
        world_look(s, l);
        looked = true;
    } else {
        sim_advance(s, sim_between(s, 200, 1500));
        if (s->crashed)
            replicas_end(s);
    }
    p->busy = false;
    s->at = before;
    return looked;
}

void replicas_look(struct sim *s, struct sim_look *l)
{
    uint64_t began_ms = s->now_ms;

    while (!s->failed && !replicas_turn(s, l))
        if (s->now_ms > began_ms + TAKEN_OVER_MS)
            sim_fail(s, "nobody settles for %u s", (unsigned)TAKEN_OVER_MS / 1000);
}

/* One look after a lease may end its process by itself, as each write may. */
static void tick_one(struct sim *s, struct process *p)
{
    struct process *before = s->at;
    struct err err = { 0 };

    p->look_at_ms = s->now_ms + LOOK_EVERY_MS;
    s->at = p;
    if (!lease_look(p->lease, &err))
        sim_say(s, "gateway %u, its lease: %s", number_of(s, p), err.text);
    if (s->crashed && !p->busy)
        replicas_end(s);
    s->at = before;
}

void replicas_tick(struct sim *s)
{
    if (s->ticking || s->storing)
        return;
    s->ticking = true;
    for (unsigned i = 0; i < s->replicas && !s->crashed; i++) {
        struct process *p = &s->processes[i];

        if (is_up(p) && (!p->busy || p == s->at) && s->now_ms >= p->stopped_until_ms && s->now_ms >= p->look_at_ms)
            tick_one(s, p);
    }
    s->ticking = false;
}

void replicas_stop_here(struct sim *s)
{
    struct process *p = s->at;
    struct sim_look l;

    if (s->replicas == 1 || s->crashed || s->ticking || s->stops > 0 || !p->busy || !sim_fault(s, FAULT_STOPPED))
        return;
    p->stopped_until_ms = s->now_ms + sim_between(s, 100, STOPPED_MOST_MS);
    sim_say(s, "gateway %u is stopped", number_of(s, p));
    s->stops++;
    for (unsigned i = 0; i < TURNS_MOST && s->now_ms < p->stopped_until_ms && !s->failed; i++) {
        replicas_trouble(s);
        (void)replicas_turn(s, &l);
    }
    s->stops--;
    s->at = p;
    sim_say(s, "gateway %u goes on", number_of(s, p));
}

/* kill -9, so that it lets go of nothing; or it is stopped. */
void replicas_trouble(struct sim *s)
{
    struct process *before = s->at, *p = &s->processes[rng_below(&s->rng, s->replicas)];

    if (!is_up(p) || !may_run(s, p) || !sim_fault(s, FAULT_KILLED))
        return;
    if (sim_chance(s, 50)) {
        p->stopped_until_ms = s->now_ms + sim_between(s, 100, STOPPED_MOST_MS);
        sim_say(s, "gateway %u is stopped for a while", number_of(s, p));
        return;
    }
    s->at = p;
    s->crashed = true;
    replicas_end(s);
    s->at = before;
}

void replicas_heal(struct sim *s)
{
    for (unsigned i = 0; i < s->replicas; i++) {
        s->processes[i].stopped_until_ms = 0;
        if (s->replicas > 1)
            s->processes[i].skew_ms = 0;
    }
}
