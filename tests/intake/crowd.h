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

static inline void crowd_submit(struct crowd *c, struct world *w, atomic_int *left)
{
    struct err err = { 0 };

    c->left = left;
    c->s.owner = c;
    c->s.done = crowd_done;
    assert_true(intake_submit(w->intake, &c->s, &err));
}

/* in_turns: none is verified before the one ahead of it is, so that their order is kept whatever the number of threads. */
static inline void crowd_post(struct world *w, struct crowd *crowd, size_t count, bool in_turns)
{
    atomic_int left = (int)count;
    uint64_t weight = 0;

    world_block(w);
    for (size_t i = 0; i < count; i++) {
        crowd_submit(&crowd[i], w, &left);
        weight += crowd[i].s.count + 1;
        if (in_turns)
            world_wait_for_queue(w, weight);
    }
    world_wait_for_queue(w, weight);
    world_unblock(w);
    while (atomic_load(&left) > 0)
        clock_sleep_ms(1);
}

static inline void post_together(struct world *w, struct crowd *crowd, size_t count)
{
    crowd_post(w, crowd, count, true);
}

static inline void post_at_once(struct world *w, struct crowd *crowd, size_t count)
{
    crowd_post(w, crowd, count, false);
}

#endif
