/* tests/intake/crowd.h - submissions that are committed together, in their order. */
#ifndef QUITTANCE_TESTS_INTAKE_CROWD_H
#define QUITTANCE_TESTS_INTAKE_CROWD_H

#include "tests/support/world.h"

struct crowd { struct submission s; struct world *w; atomic_int *left; bool ok; enum err_code code; };

static inline void crowd_done(struct submission *s, bool ok, const struct err *err)
{
    struct crowd *c = s->owner;

    c->ok = ok;
    c->code = ok ? ERR_NONE : err->code;
    atomic_fetch_sub(c->left, 1);
}

static inline void post_together(struct world *w, struct crowd *crowd, size_t count)
{
    atomic_int left = (int)count;
    uint64_t weight = 0;
    struct err err = { 0 };

    world_block(w);
    for (size_t i = 0; i < count; i++) {
        crowd[i].left = &left;
        crowd[i].s.owner = &crowd[i];
        crowd[i].s.done = crowd_done;
        weight += crowd[i].s.count + 1;
        assert_true(intake_submit(w->intake, &crowd[i].s, &err));
        world_wait_for_queue(w, weight);      /* keeps their order */
    }
    world_unblock(w);
    while (atomic_load(&left) > 0)
        clock_sleep_ms(1);
}

#endif
