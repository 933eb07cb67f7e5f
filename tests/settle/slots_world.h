/* tests/settle/slots_world.h - one process's life as a session that is stepped by hand, and a look into its store. */
#ifndef QUITTANCE_TESTS_SETTLE_SLOTS_WORLD_H
#define QUITTANCE_TESTS_SETTLE_SLOTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "store/ledger.h"
#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/settle_world.h"

#define FUNDS 1000000000u

static inline struct settle_world *world_new(uint64_t funds, uint64_t delay_s)
{
    struct settle_world *w;

    if (!anvil_available())
        skip();
    w = mem_new(sizeof *w);
    settle_world_init_chain(w, funds, delay_s);
    return w;
}

static inline void world_free(struct settle_world *w)
{
    settle_world_clear(w);
    free(w);
}

static inline void close_batch(struct settle_session *s)
{
    struct err err = { 0 };
    bool closed;

    if (!settle_close(s->settle, &closed, &err))
        fail_msg("%s", err.text);
    assert_true(closed);
}

static inline struct settle_report step_well(struct settle_session *s)
{
    struct settle_report report = { 0 };
    struct err err = { 0 };
    bool moved;

    if (!settle_step(s->settle, &moved, &report, &err))
        fail_msg("%s", err.text);
    return report;
}

static inline struct err step_fails(struct settle_session *s)
{
    struct settle_report report;
    struct err err = { 0 };
    bool moved;

    assert_false(settle_step(s->settle, &moved, &report, &err));
    return err;
}

/* Steps, time and blocks until this batch is in this state. */
static inline struct settle_report steps_until(struct settle_world *w, struct settle_session *s, enum batch_state state)
{
    struct settle_report report = { 0 };
    struct err err = { 0 };
    bool moved;

    for (unsigned i = 0; i < 60; i++) {
        if (settle_step(s->settle, &moved, &report, &err) && report.state == state)
            return report;
        anvil_do(&w->anvil, "evm_mine", "[]");
        w->ahead_ms += 6000;
    }
    fail_msg("it is %s: %s", report.state != 0 ? batch_state_name(report.state) : "nowhere", err.text);
    return report;
}

static inline struct transaction_row tx_row(struct settle_session *s, uint64_t id)
{
    struct transaction_row t = { 0 };
    struct err err = { 0 };
    bool found = false;

    assert_true(store_tx_find(s->db, id, &t, &found, &err));
    assert_true(found);
    return t;
}

static inline void assert_amount(struct amount got, uint64_t want)
{
    char text[U256_DECIMAL_MAX];

    u256_to_decimal(got.base_units, text);
    if (amount_cmp(got, amount_from_u64(want)) != 0)
        fail_msg("%s instead of %llu", text, (unsigned long long)want);
}

static inline void assert_u256_equal(struct u256 got, struct u256 want)
{
    char got_text[U256_DECIMAL_MAX], want_text[U256_DECIMAL_MAX];

    u256_to_decimal(got, got_text);
    u256_to_decimal(want, want_text);
    assert_string_equal(got_text, want_text);
}

static inline void assert_tx_state(struct settle_session *s, uint64_t id, enum tx_state state)
{
    assert_string_equal(tx_state_name(tx_row(s, id).state), tx_state_name(state));
}

static inline void assert_recorded(struct settle_session *s, uint64_t want)
{
    struct amount total;
    struct err err = { 0 };

    assert_true(store_payments_total(s->db, &total, &err));
    assert_amount(total, want);
}

#endif
