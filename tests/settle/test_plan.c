/* The dry run: what it shows is what is sent, and it names who is left out and what would stop it. */
#include "tests/settle/fees_world.h"
#include "tests/support/libraries.h"

static void a_plan_is_what_is_sent_then(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct settle_plan plan;
    struct err err = { 0 };

    (void)state;
    settle_world_receipts(w, 60, 1000);
    w->config.set_gas = 1500000;
    settle_session_open(w, &s);
    if (!settle_plan(s.settle, &plan, &err))
        fail_msg("%s", err.text);
    assert_int_equal(plan.stop_count, 0);
    assert_true(plan.calls[0].is_commit && !plan.calls[0].has_roots);
    assert_int_equal(plan.calls[0].sequence, 1);
    close_batch(&s);
    assert_int_equal(steps_until(w, &s, BATCH_FINAL).transactions, plan.call_count);
    for (uint64_t id = 1; id <= plan.call_count; id++) {
        struct transaction_row t = tx_row(&s, id);

        assert_true(t.gas_used <= plan.calls[id - 1].gas_limit);
        assert_true(t.gas_used * 2 > plan.calls[id - 1].gas_limit);      /* not far off either */
    }
    assert_true(u256_cmp(run_cost(&s, 1).v, plan.max_cost.v) <= 0);
    settle_plan_clear(&plan);
    settle_session_close(&s);
    world_free(w);
}

static void a_plan_names_who_is_left_out_and_why(void **state)
{
    struct fee_node *n = node_new();
    struct settle_world *w = n->world;
    struct address refused = settle_world_account(2);
    char hex[2 * sizeof(struct address) + 1] = "";
    struct settle_session s;
    struct settle_plan plan;
    struct err err = { 0 };

    (void)state;
    for (unsigned i = 0; i < sizeof refused.b; i++)
        snprintf(hex + 2 * i, 3, "%02x", refused.b[i]);
    n->refused = hex;
    w->config.distribute_minimum = amount_from_u64(500);
    settle_world_receipts(w, 3, 1000);
    settle_world_receipt(w, 4, 100);
    settle_session_open(w, &s);
    if (!settle_plan(s.settle, &plan, &err))
        fail_msg("%s", err.text);
    assert_int_equal(plan.left[PLAN_REFUSED].accounts, 1);
    assert_true(address_eq(plan.left[PLAN_REFUSED].first[0], refused));
    assert_amount(plan.left[PLAN_REFUSED].amount, 700);
    /* the fourth provider's 70, and those parts of model and protocol that are below 500 */
    assert_true(plan.left[PLAN_BELOW_MINIMUM].accounts >= 1);
    assert_int_equal(plan.left[PLAN_IN_FLIGHT].accounts, 0);
    settle_plan_clear(&plan);
    n->refused = NULL;
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    close_batch(&s);
    step_well(&s);
    settle_session_close(&s);
    node_free(n);
}

static void a_plan_names_calls_in_flight_and_what_would_stop_it(void **state)
{
    struct settle_world *w = world_new(0, 0);
    struct settle_session s;
    struct settle_plan plan;
    struct err err = { 0 };

    (void)state;
    settle_world_receipt(w, 1, 1000);
    w->config.max_fee = wei_from_gwei(20);
    settle_session_open(w, &s);
    base_fee(w, 100);
    assert_true(settle_plan(s.settle, &plan, &err));
    assert_int_equal(plan.stop_count, 2);
    assert_string_equal(plan.stops[0].reason, "fees");
    assert_string_equal(plan.stops[1].reason, "contract");
    assert_non_null(strstr(plan.stops[1].detail, "Underfunded: 1000"));
    settle_plan_clear(&plan);
    base_fee(w, 1);
    settle_world_fund(w, FUNDS);
    close_batch(&s);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    step_well(&s);
    anvil_do(&w->anvil, "evm_mine", "[]");
    step_well(&s);                             /* the distribute is sent */
    assert_true(settle_plan(s.settle, &plan, &err));
    assert_int_equal(plan.call_count, 0);
    assert_int_equal(plan.left[PLAN_IN_FLIGHT].accounts, 4);
    assert_amount(plan.left[PLAN_IN_FLIGHT].amount, 1000);
    assert_false(u256_is_zero(plan.in_flight.v));
    settle_plan_clear(&plan);
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    steps_until(w, &s, BATCH_FINAL);
    settle_session_close(&s);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_what_is_sent_then),
        cmocka_unit_test(a_plan_names_who_is_left_out_and_why),
        cmocka_unit_test(a_plan_names_calls_in_flight_and_what_would_stop_it),
    };

    return cmocka_run_group_tests_name("plan", tests, secp_and_http_setup, secp_and_http_teardown);
}
