/* Time, chance, what is told, and when the process ends. */
#include "tests/sim/sim.h"

#include <stdarg.h>

#include "tests/sim/node.h"

#define TICK_MS 1000u

struct sim *sim_here;

static const struct fault_row { const char *name, *text; unsigned most; } rows[FAULTS] = {
#define ROW(name, most, text) { #name, text, most },
    SIM_FAULTS(ROW)
#undef ROW
};

const char *fault_name(enum sim_fault f) { return rows[f].name; }
const char *fault_text(enum sim_fault f) { return rows[f].text; }
unsigned fault_most(enum sim_fault f) { return rows[f].most; }

void sim_say(struct sim *s, const char *format, ...)
{
    char line[512];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (int i = 0; i < len && i < (int)sizeof line - 1; i++)      /* FNV-1a */
        s->digest = (s->digest ^ (uint8_t)line[i]) * UINT64_C(0x100000001b3);
    s->digest ^= s->now_ms;
    if (s->trace != NULL)
        fprintf(s->trace, "%10.3f %s\n", (double)(s->now_ms % 100000000) / 1000, line);
}

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    va_start(args, format);
    vsnprintf(s->failure, sizeof s->failure, format, args);
    va_end(args);
    sim_say(s, "FAILED: %s", s->failure);
}

bool sim_fault(struct sim *s, enum sim_fault f)
{
    if (!s->faulty || s->plan.rate[f] == 0 || rng_below(&s->rng, 10000) >= s->plan.rate[f])
        return false;
    s->hits[f]++;
    sim_say(s, "  fault %s", rows[f].name);
    return true;
}

uint64_t sim_between(struct sim *s, uint64_t least, uint64_t most)
{
    return least + rng_below(&s->rng, most - least + 1);
}

bool sim_chance(struct sim *s, unsigned in_100)
{
    return rng_below(&s->rng, 100) < in_100;
}

unsigned sim_number(const struct sim *s)
{
    return (unsigned)(s->at - s->processes);
}

bool sim_crash(struct sim *s, bool after)
{
    if (s->crash_at != 0)
        s->crashed = s->events == s->crash_at && s->crash_after == after && s->crashes == 0;
    else
        s->crashed = sim_fault(s, after ? FAULT_CRASH_AFTER : FAULT_CRASH_BEFORE);
    s->crashes += s->crashed;
    return s->crashed;
}

/* -- time -- */

static unsigned draw_depth(struct sim *s)
{
    uint64_t most = s->plan.reorg_max, number = s->chain.blocks[s->chain.head].number - SIM_DEPLOY_BLOCK - 1;
    unsigned kind = (unsigned)rng_below(&s->rng, 10);

    if (kind < 5 && most > 2)
        most = 2;
    else if (kind < 8 && most > 8)
        most = 8;
    return (unsigned)sim_between(s, 1, most < number ? most : number);
}

static void block_comes(struct sim *s)
{
    s->next_block_ms = s->now_ms + s->plan.block_ms * sim_between(s, 80, 120) / 100;
    outsiders_act(s);
    if (s->plan.reorg_max > 0 && sim_fault(s, FAULT_REORG))
        chain_reorg(s, draw_depth(s));
    else
        chain_mine(s);
}

static bool next_late(const struct sim *s, size_t *at)
{
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < s->late_count; i++)
        if (first == SIZE_MAX || s->late[i].at_ms < s->late[first].at_ms)
            first = i;
    *at = first;
    return first != SIZE_MAX && s->late[first].at_ms < s->next_block_ms;
}

static void advance(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now_ms + ms;
    size_t at;

    for (;;) {
        bool late = next_late(s, &at);
        uint64_t next = late ? s->late[at].at_ms : s->next_block_ms;

        if (next > end)
            break;
        if (next > s->now_ms)
            s->now_ms = next;
        if (!late) {
            block_comes(s);
            continue;
        }
        node_receive(s, s->late[at].node, s->late[at].tx);
        s->late[at] = s->late[--s->late_count];
    }
    s->now_ms = end;
}

void sim_advance(struct sim *s, uint64_t ms)
{
    for (; s->replicas > 1 && ms > TICK_MS; ms -= TICK_MS) {
        advance(s, TICK_MS);
        replicas_tick(s);
    }
    advance(s, ms);
    if (s->replicas > 1)
        replicas_tick(s);
}
