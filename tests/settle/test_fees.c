/* What a settlement may cost: ceilings that hold and let go, lying oracles, chains without a base fee or with a fee for data. */
#include "chain/tx.h"
#include "gateway/lib/json.h"
#include "tests/settle/slots_world.h"

#define GWEI UINT64_C(1000000000)

/* The next block has this base fee; later ones go down from it, as they are empty. */
static void base_fee(struct settle_world *w, unsigned gwei)
{
    char params[40];

    snprintf(params, sizeof params, "[\"0x%llx\"]", (unsigned long long)(gwei * GWEI));
    anvil_do(&w->anvil, "anvil_setNextBlockBaseFeePerGas", params);
    anvil_do(&w->anvil, "evm_mine", "[]");
}

static bool is_sent(struct settle_session *s, uint64_t id)
{
    struct transaction_row t;
    struct err err = { 0 };
    bool found = false;

    assert_true(store_tx_find(s->db, id, &t, &found, &err));
    return found;
}

struct all_attempts { unsigned count; struct attempt_row last; bool legacy; };

static bool note_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    struct all_attempts *all = self;
    struct signature ignored;
    struct tx tx;

    tx_init(&tx);
    assert_true(tx_decode(a->raw.data, a->raw.len, &tx, &ignored, err));
    all->legacy = tx.legacy;
    all->count++;
    all->last = *a;
    all->last.raw = (struct buf){ 0 };
    tx_clear(&tx);
    return true;
}

static struct all_attempts attempts_of_tx(struct settle_session *s, uint64_t tx)
{
    struct all_attempts all = { 0 };
    struct err err = { 0 };

    assert_true(store_attempts(s->db, tx, note_attempt, &all, &err));
    return all;
}

static struct wei run_cost(struct settle_session *s, uint64_t sequence)
{
    struct wei cost;
    struct err err = { 0 };

    assert_true(store_cost_of_sequence(s->db, sequence, 0, &cost, &err));
    return cost;
}

static struct settle_report held(struct settle_session *s, enum settle_waits waits, const char *detail)
{
    struct settle_report r = step_well(s);

    assert_int_equal(r.waits, waits);
    if (strstr(r.waits_detail, detail) == NULL)
        fail_msg("%s", r.waits_detail);
    return r;
}

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

/* ---- a node between ---- */

struct fee_node {
    struct settle_world *world;
    struct fake_http *proxy;
    const char *history;            /* its answer to eth_feeHistory; NULL: the chain's */
    const char *data_fee;           /* the word that the chain's oracle for data answers; NULL: there is none */
    const char *refused;            /* hex of an account that the token refuses; NULL: nobody */
    bool old;                       /* no eth_feeHistory, and no transactions but legacy ones */
};

#define ABSURD "0x8000000000000000000000000000000000000000000000000000000000000000"

static unsigned long long id_of(const json *request)
{
    uint64_t id = 0;

    return json_get_u64(json_member(request, "id"), &id) ? id : 0;
}

/* Each transfer of a batch of calls: the one to the refused account reverts. */
static void answer_transfers(const struct fee_node *n, const json *requests, struct buf *out)
{
    struct buf one;

    for (size_t i = 0; i < json_count(requests); i++) {
        buf_init(&one);
        json_write(json_at(requests, i), &one);
        buf_printf(out, "%s{\"id\":%llu,%s}", i > 0 ? "," : "[", id_of(json_at(requests, i)),
                   strstr(buf_text(&one), n->refused) != NULL
                   ? "\"error\":{\"code\":3,\"message\":\"execution reverted\"}"
                   : "\"result\":\"0x0000000000000000000000000000000000000000000000000000000000000001\"");
        buf_clear(&one);
    }
    buf_add_text(out, "]");
}

static bool judge(const struct fee_node *n, const char *text, const json *request, struct buf *out)
{
    bool sends = strstr(text, "eth_sendRawTransaction") != NULL, asks = strstr(text, "eth_feeHistory") != NULL;

    if (n->old && (asks || (sends && strstr(text, "\"0x02") != NULL)))
        return buf_printf(out, "{\"id\":%llu,\"error\":{\"code\":-32601,\"message\":\"%s\"}}", id_of(request),
                          asks ? "the method eth_feeHistory does not exist/is not available" : "transaction type not supported");
    if (n->history != NULL && asks)
        return buf_printf(out, "{\"id\":%llu,\"result\":%s}", id_of(request), n->history);
    if (n->data_fee != NULL && strstr(text, "\"0x49948e0e") != NULL)        /* getL1Fee(bytes) */
        return buf_printf(out, "{\"id\":%llu,\"result\":\"%s\"}", id_of(request), n->data_fee);
    if (n->refused == NULL || json_kind_of(request) != JSON_KIND_ARRAY || strstr(text, "\"0xa9059cbb") == NULL)
        return false;
    answer_transfers(n, request, out);         /* transfer(address,uint256) */
    return true;
}

static bool answers(void *self, const char *text, struct buf *out)
{
    struct err err = { 0 };
    json *request;
    bool done;

    if (!json_read(text, strlen(text), &request, &err))
        return false;
    done = judge(self, text, request, out);
    json_free(request);
    return done;
}

static struct fee_node *node_new(void)
{
    struct fee_node *n = mem_new(sizeof *n);

    n->world = world_new(FUNDS, 0);
    n->proxy = fake_http_new_proxy(n->world->anvil.url, answers, n);
    n->world->rpc_url = fake_http_url(n->proxy);
    return n;
}

static void node_free(struct fee_node *n)
{
    fake_http_free(n->proxy);
    world_free(n->world);
    free(n);
}

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

/* ---- the dry run ---- */

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

/* ---- a distribute that reverts ---- */

/* The contract's code, as a quoted parameter of anvil_setCode with its address. */
static void code_params(struct settle_world *w, struct settle_session *s, struct buf *params)
{
    struct err err = { 0 };
    struct buf code;

    buf_init(&code);
    assert_true(rpc_code(s->rpc, w->config.contract, &code, &err));
    buf_add_text(params, "[\"0x");
    for (unsigned i = 0; i < sizeof w->config.contract.b; i++)
        buf_printf(params, "%02x", w->config.contract.b[i]);
    buf_add_text(params, "\",\"0x");
    for (size_t i = 0; i < code.len; i++)
        buf_printf(params, "%02x", code.data[i]);
    buf_add_text(params, "\"]");
    buf_clear(&code);
}

static void a_distribute_mined_in_vain_is_done_anew_once_that_is_final(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct transaction_row reverted;
    struct buf code, no_code;
    struct wei cost;

    (void)state;
    w->config.confirmations = 4;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    step_well(&s);
    anvil_do(&w->anvil, "anvil_mine", "[\"0x4\"]");
    for (unsigned i = 0; i < 8 && !is_sent(&s, 2); i++)
        step_well(&s);
    assert_tx_state(&s, 2, TX_SENT);
    buf_init(&code);
    buf_init(&no_code);
    code_params(w, &s, &code);
    buf_printf(&no_code, "%.45s,\"0x60006000fd\"]", buf_text(&code));
    anvil_do(&w->anvil, "anvil_setCode", buf_text(&no_code));
    anvil_do(&w->anvil, "evm_mine", "[]");
    anvil_do(&w->anvil, "anvil_setCode", buf_text(&code));
    for (unsigned i = 0; i < 4; i++)
        step_well(&s);
    assert_tx_state(&s, 2, TX_MINED);
    assert_false(is_sent(&s, 3));              /* a reorg may still mine it anew, and then it pays */
    assert_recorded(&s, 0);
    anvil_do(&w->anvil, "anvil_mine", "[\"0x4\"]");
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    steps_until(w, &s, BATCH_FINAL);
    reverted = tx_row(&s, 2);
    assert_string_equal(tx_state_name(reverted.state), "reverted");
    assert_tx_state(&s, 3, TX_FINAL);
    assert_false(is_sent(&s, 4));
    assert_recorded(&s, 1000);
    /* It cost all the same. */
    cost = fee_cost(reverted.gas_used, reverted.gas_price, reverted.l1_fee);
    assert_false(u256_is_zero(cost.v));
    cost = wei_sum(cost, fee_cost(tx_row(&s, 1).gas_used, tx_row(&s, 1).gas_price, (struct wei){ U256_ZERO }));
    cost = wei_sum(cost, fee_cost(tx_row(&s, 3).gas_used, tx_row(&s, 3).gas_price, (struct wei){ U256_ZERO }));
    assert_u256_equal(run_cost(&s, 1).v, cost.v);
    buf_clear(&code);
    buf_clear(&no_code);
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
        cmocka_unit_test(a_plan_is_what_is_sent_then),
        cmocka_unit_test(a_plan_names_who_is_left_out_and_why),
        cmocka_unit_test(a_plan_names_calls_in_flight_and_what_would_stop_it),
        cmocka_unit_test(a_distribute_mined_in_vain_is_done_anew_once_that_is_final),
    };

    return cmocka_run_group_tests_name("fees", tests, start_libraries, stop_libraries);
}
