/* What a seed's life is like.  Each seed has some of the faults only, so that rare meetings of two are not drowned. */
#include "tests/sim/sim.h"

static uint64_t one_of(struct sim *s, const uint64_t *list, size_t count)
{
    return list[rng_below(&s->rng, count)];
}

static void draw_finality(struct sim *s)
{
    struct plan *p = &s->plan;

    switch (sim_between(s, 0, 9)) {
    case 0:                                        /* the block it is mined in is believed: a chain without reorgs */
        p->confirmations = 1;
        break;
    case 1:                                        /* no tag: the gateway's own depth */
        p->reorg_max = 63;
        break;
    case 2:
    case 3:
    case 4:
        p->finality_lag = sim_between(s, 2, 64);
        p->reorg_max = (unsigned)p->finality_lag;
        break;
    default:
        p->confirmations = sim_between(s, 2, 12);
        p->reorg_max = (unsigned)p->confirmations - 1;
    }
}

static void draw_rates(struct sim *s)
{
    static const unsigned scales[] = { 1, 2, 4, 10 };
    unsigned scale = scales[rng_below(&s->rng, 4)];

    if (sim_chance(s, 4))
        return;
    for (unsigned f = 0; f < SIM_FAULTS_ALONE; f++)
        if (sim_chance(s, 40))
            s->plan.rate[f] = (unsigned)sim_between(s, 1, fault_most((enum sim_fault)f)) / scale;
    for (unsigned f = SIM_FAULTS_ALONE; s->replicas > 1 && f < FAULTS; f++)
        s->plan.rate[f] = (unsigned)sim_between(s, 1, fault_most((enum sim_fault)f));
}

void plan_draw(struct sim *s)
{
    static const uint64_t block_ms[] = { 1000, 2000, 12000, 12000 }, gas[] = { 30000000, 30000000, 36000000, 1000000 };
    static const uint64_t sets[] = { 0, 0, 100000, 150000, 300000 }, in_flight[] = { 0, 0, 1, 2, 5 };
    struct plan *p = &s->plan;

    p->endpoints = (unsigned)sim_between(s, 1, SIM_NODES);
    p->people = (unsigned)sim_between(s, 1, SIM_PEOPLE - 3);
    p->batches = s->calm ? 1 : (unsigned)sim_between(s, 1, 2);
    p->block_ms = one_of(s, block_ms, ARRAY_LEN(block_ms));
    p->gas_limit = one_of(s, gas, ARRAY_LEN(gas));
    p->set_gas = one_of(s, sets, ARRAY_LEN(sets));
    p->in_flight = one_of(s, in_flight, ARRAY_LEN(in_flight));
    p->base_gwei = sim_between(s, 1, 30);
    p->minimum = sim_chance(s, 20) ? sim_between(s, 1, 400) : 0;
    p->activation_delay_s = sim_chance(s, 50) ? 0 : sim_between(s, 1, 20) * p->block_ms / 1000;
    p->faulty_ms = sim_between(s, 20, 70) * p->block_ms;
    p->rotates = sim_chance(s, 5);
    draw_finality(s);
    draw_rates(s);
}
