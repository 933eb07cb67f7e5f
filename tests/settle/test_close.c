/* What closes a batch that holds corrections alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/settle/parts.h"
#include "store/adjustments.h"
#include "tests/support/settle_world.h"

static bool add(void *self, struct group *group, struct err *err)
{
    struct adjustment *a = self;

    a->recorded_at_ms = group->now_ms;
    return store_adjustment_add(group->db, a, err);
}

static void correct(struct settle_session *s, const struct settle_world *w, bool up, uint64_t amount)
{
    struct adjustment a = { .batch = 1, .account = settle_world_account(1), .counter_account = w->config.protocol_account, .up = up,
                            .amount = amount_from_u64(amount), .reason = "a test" };
    struct err err = { 0 };

    if (!writer_do(s->writer, add, &a, &err))
        fail_msg("%s", err.text);
}

/* Nobody earned anything yet, nor was anything settled. */
static const struct close_case { const char *name; uint64_t up, down; bool closes; } cases[] = {
    { "nothing at all",                                   0, 0, false },
    { "one upwards is paid",                              5, 0, true },
    { "one downwards is a debt, and no leaf",             0, 5, false },
    { "up and down the same leave nothing to pay",        5, 5, false },
    { "up by more than down is paid",                     5, 4, true },
    { "up by less than down is a debt",                   4, 5, false },
};

static void a_batch_is_closed_that_pays(void **state)
{
    const struct close_case *c = *state;
    struct settle_world w;
    struct settle_session s;
    struct settle settle;
    struct err err = { 0 };
    bool closed;

    settle_world_init(&w);
    settle_session_open(&w, &s);
    settle = (struct settle){ .config = w.config, .db = s.db, .writer = s.writer, .clock = &w.clock, .level = true };
    if (c->up > 0)
        correct(&s, &w, true, c->up);
    if (c->down > 0)
        correct(&s, &w, false, c->down);
    if (!settle_close(&settle, &closed, &err))
        fail_msg("%s", err.text);
    assert_int_equal(closed, c->closes);
    settle_session_close(&s);
    settle_world_clear(&w);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union { const struct close_case *in; void *state; } u = { .in = &cases[i] };

        tests[i] = (struct CMUnitTest){ cases[i].name, a_batch_is_closed_that_pays, NULL, NULL, u.state };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
