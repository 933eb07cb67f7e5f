/* What closes a batch that holds corrections alone; and that a closed one is prepared as it was found, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/settle/parts.h"
#include "store/adjustments.h"
#include "tests/support/libraries.h"
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

static void a_batch_that_changed_while_it_was_read_is_prepared_later(void **state)
{
    struct settle_world w;
    struct settle_session s;
    struct batch_row batch, was;
    struct err err = { 0 };
    bool done = false;

    (void)state;
    settle_world_init_chain(&w, 1000, 0);
    settle_world_receipt(&w, 1, 100);
    settle_session_open(&w, &s);
    assert_true(settle_close(s.settle, &done, &err) && done);
    assert_true(store_batch_find(s.db, 1, &was, &done, &err) && done);
    for (int i = 0; i < 3; i++) {
        bool moved = false;

        batch = was;
        batch.receipts += i == 0;
        batch.amount = i == 1 ? AMOUNT_ZERO : was.amount;
        batch.state = i == 2 ? BATCH_PREPARED : BATCH_CLOSED;
        err.code = ERR_NONE;
        assert_false(prepare_batch(s.settle, &batch, &moved, &err));
        /* Rewards that do not add up to the amount are told first. */
        assert_int_equal(err.code, i == 1 ? ERR_HALT : ERR_AGAIN);
        assert_false(moved);
    }
    if (!prepare_batch(s.settle, &was, &done, &err))
        fail_msg("%s", err.text);
    settle_session_close(&s);
    settle_world_clear(&w);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union { const struct close_case *in; void *state; } u = { .in = &cases[i] };

        tests[i] = (struct CMUnitTest){ cases[i].name, a_batch_is_closed_that_pays, NULL, NULL, u.state };
    }
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(a_batch_that_changed_while_it_was_read_is_prepared_later);
    return cmocka_run_group_tests(tests, secp_and_http_setup, secp_and_http_teardown);
}
