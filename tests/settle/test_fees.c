/* What a settlement may cost: ceilings that hold and let go, lying oracles, chains without a base fee or with a fee for data. */
#include "tests/settle/fees_world.h"
#include "tests/support/libraries.h"

/* ---- ceilings ---- */

static void above_the_ceiling_a_gas_it_waits_and_goes_on_when_fees_fall(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    w->config.max_fee = wei_from_gwei(20);
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    base_fee(w, 100);
    close_batch(&s);
    assert_int_equal(held(&s, WAITS_FOR_FEES, "above the ceiling of 20000000000 wei a gas").state, BATCH_PREPARED);
    assert_false(is_sent(&s, 1));
    base_fee(w, 1);
    steps_until(w, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

static void above_the_ceiling_of_a_run_it_waits_and_goes_on_when_fees_fall(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    w->config.max_run_cost = wei_from_gwei(5000000);       /* enough at one gwei a gas, not at a hundred */
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    base_fee(w, 100);
    close_batch(&s);
    held(&s, WAITS_FOR_BUDGET, "max_run_cost_gwei of 5000000000000000 wei");
    assert_false(is_sent(&s, 1));
    base_fee(w, 1);
    steps_until(w, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    assert_true(u256_cmp(run_cost(&s, 1).v, w->config.max_run_cost.v) <= 0);
    settle_session_close(&s);
    world_free(w);
}

/* What is stored is sent again; it is neither raised nor voided, also after a restart. */
static void a_ceiling_holds_a_replacement_and_nothing_else(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    w->config.max_run_cost = run_cost(&s, 1);
    settle_session_close(&s);
    settle_session_open(w, &s);
    for (unsigned i = 0; i < 6; i++) {
        base_fee(w, 100);
        w->ahead_ms += 10000;
        step_well(&s);
    }
    held(&s, WAITS_FOR_BUDGET, "max_run_cost_gwei");
    assert_int_equal(attempts_of_tx(&s, 1).count, 1);
    assert_true(attempts_of_tx(&s, 1).last.sent_at_ms > tx_row(&s, 1).created_at_ms + 10000);
    assert_tx_state(&s, 1, TX_SENT);
    base_fee(w, 1);
    settle_session_close(&s);
    w->config.max_run_cost = wei_from_gwei(1000000000);
    settle_session_open(w, &s);
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    steps_until(w, &s, BATCH_FINAL);
    assert_tx_state(&s, 1, TX_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

static void a_day_has_a_ceiling_of_its_own(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct wei today;
    struct err err = { 0 };
    uint64_t day;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    steps_until(w, &s, BATCH_FINAL);
    day = tx_row(&s, 1).created_at_ms - tx_row(&s, 1).created_at_ms % UINT64_C(86400000);
    assert_true(store_cost_since(s.db, day, 0, &today, &err));
    assert_u256_equal(today.v, run_cost(&s, 1).v);
    assert_true(store_cost_since(s.db, day + UINT64_C(86400000), 0, &today, &err));
    assert_true(u256_is_zero(today.v));
    w->config.max_day_cost = run_cost(&s, 1);
    settle_session_close(&s);
    settle_world_receipt(w, 2, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    held(&s, WAITS_FOR_BUDGET, "the day cost");
    assert_false(is_sent(&s, 3));
    w->ahead_ms += UINT64_C(86400000);         /* a second like the first costs a little less: accounts hold the token */
    steps_until(w, &s, BATCH_FINAL);
    assert_recorded(&s, 2000);
    settle_session_close(&s);
    world_free(w);
}

/* ---- other chains, and nodes that lie ---- */

static void a_lying_oracle_sends_nothing_and_ends_nothing(void **state)
{
    struct fee_node *n = node_new();
    struct settle_session s;

    (void)state;
    settle_world_receipt(n->world, 1, 1000);
    settle_session_open(n->world, &s);
    close_batch(&s);
    n->history = "{\"baseFeePerGas\":[\"0x1\",\"" ABSURD "\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x1\"]]}";
    held(&s, WAITS_FOR_FEES, "above the ceiling");
    n->history = NULL;
    n->data_fee = ABSURD;
    held(&s, WAITS_FOR_BUDGET, "max_run_cost_gwei");
    assert_false(is_sent(&s, 1));
    /* A tip is cut to what is sane, whatever blocks are said to have paid. */
    n->data_fee = NULL;
    n->history = "{\"baseFeePerGas\":[\"0x1\",\"0x1\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"" ABSURD "\"]]}";
    step_well(&s);
    assert_true(u256_cmp(attempts_of_tx(&s, 1).last.max_fee.v, wei_from_gwei(101).v) < 0);
    n->history = NULL;
    steps_until(n->world, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    node_free(n);
}

static void a_node_without_fee_history_gets_legacy_transactions(void **state)
{
    struct fee_node *n = node_new();
    struct settle_session s;

    (void)state;
    n->old = true;
    settle_world_receipt(n->world, 1, 1000);
    settle_session_open(n->world, &s);
    close_batch(&s);
    assert_int_equal(steps_until(n->world, &s, BATCH_FINAL).transactions, 2);
    assert_true(attempts_of_tx(&s, 1).legacy && attempts_of_tx(&s, 2).legacy);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    node_free(n);
}

static void a_legacy_transaction_left_behind_is_replaced_by_one(void **state)
{
    struct fee_node *n = node_new();
    struct settle_session s;
    struct wei first, least;
    struct settle_report r;

    (void)state;
    n->old = true;
    settle_world_receipt(n->world, 1, 1000);
    anvil_do(&n->world->anvil, "evm_setAutomine", "[false]");
    settle_session_open(n->world, &s);
    close_batch(&s);
    r = step_well(&s);
    first = attempts_of_tx(&s, 1).last.max_fee;
    for (unsigned i = 0; i < 8 && r.state == BATCH_PREPARED; i++) {
        base_fee(n->world, 100);
        n->world->ahead_ms += 10000;
        r = step_well(&s);
    }
    assert_int_equal(attempts_of_tx(&s, 1).count, 2);
    assert_true(attempts_of_tx(&s, 1).legacy);
    assert_true(u256_mul_u64(first.v, 9, &least.v));
    assert_true(u256_cmp(attempts_of_tx(&s, 1).last.max_fee.v, u256_div_u64(least.v, 8, NULL)) >= 0);
    assert_u256_equal(attempts_of_tx(&s, 1).last.max_fee.v, attempts_of_tx(&s, 1).last.max_priority_fee.v);
    anvil_do(&n->world->anvil, "evm_setAutomine", "[true]");
    steps_until(n->world, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    node_free(n);
}

/* An oracle of one word at the OP stack's address: PUSH32 word, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN. */
static void put_oracle(struct settle_world *w, uint64_t fee)
{
    char params[200];

    snprintf(params, sizeof params, "[\"0x420000000000000000000000000000000000000F\",\"0x7f%064llx60005260206000f3\"]",
             (unsigned long long)fee);
    anvil_do(&w->anvil, "anvil_setCode", params);
}

static void what_the_chain_takes_for_data_is_part_of_every_reckoning(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_plan plan;
    struct settle_session s;
    struct err err = { 0 };

    (void)state;
    put_oracle(w, 3000000 * GWEI);             /* twice that, with the rest, is over the run's ceiling */
    w->config.max_run_cost = wei_from_gwei(5000000);
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    assert_true(settle_plan(s.settle, &plan, &err));
    assert_int_equal(plan.call_count, 2);
    assert_u256_equal(plan.calls[0].data_fee.v, u256_from_u64(6000000 * GWEI));
    assert_string_equal(plan.stops[0].reason, "budget");
    settle_plan_clear(&plan);
    close_batch(&s);
    held(&s, WAITS_FOR_BUDGET, "max_run_cost_gwei");
    put_oracle(w, 1000 * GWEI);
    steps_until(w, &s, BATCH_FINAL);
    assert_u256_equal(attempts_of_tx(&s, 1).last.data_fee.v, u256_from_u64(2000 * GWEI));
    settle_session_close(&s);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_the_ceiling_a_gas_it_waits_and_goes_on_when_fees_fall),
        cmocka_unit_test(above_the_ceiling_of_a_run_it_waits_and_goes_on_when_fees_fall),
        cmocka_unit_test(a_ceiling_holds_a_replacement_and_nothing_else),
        cmocka_unit_test(a_day_has_a_ceiling_of_its_own),
        cmocka_unit_test(a_lying_oracle_sends_nothing_and_ends_nothing),
        cmocka_unit_test(a_node_without_fee_history_gets_legacy_transactions),
        cmocka_unit_test(a_legacy_transaction_left_behind_is_replaced_by_one),
        cmocka_unit_test(what_the_chain_takes_for_data_is_part_of_every_reckoning),
    };

    return cmocka_run_group_tests_name("fees", tests, secp_and_http_setup, secp_and_http_teardown);
}
