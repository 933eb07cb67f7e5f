/* What becomes of a nonce: reverted, foreign, void, below a gap, of a key that was rotated; none of it ends a settlement. */
#include "tests/settle/fees_world.h"
#include "tests/support/libraries.h"

static void automine(struct settle_world *w, bool on)
{
    anvil_do(&w->anvil, "evm_setAutomine", on ? "[true]" : "[false]");
}

/* The commit is sent, and before its block the contract's tokens are gone. */
static void revert_commit(struct settle_world *w, struct settle_session *s, uint64_t id)
{
    struct err err;

    automine(w, false);
    assert_int_equal(step_well(s).state, BATCH_PREPARED);
    settle_world_drain(w, 100);
    anvil_do(&w->anvil, "evm_mine", "[]");
    automine(w, true);
    err = step_fails(s);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_tx_state(s, id, TX_REVERTED);
}

static void a_reverted_commit_is_sent_anew_once_it_can_be(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    revert_commit(w, &s, 1);
    assert_non_null(strstr(step_fails(&s).text, "Underfunded"));
    settle_world_fund(w, FUNDS);
    assert_int_equal(steps_until(w, &s, BATCH_FINAL).transactions, 3);
    assert_recorded(&s, FUNDS + 1000);         /* what was drained left the contract, too */
    settle_session_close(&s);
    world_free(w);
}

/* Each try costs gas: from the third on they come slowly. */
static void what_reverts_again_and_again_is_tried_slowly(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    for (unsigned id = 1; id <= 3; id++) {
        revert_commit(w, &s, id);
        settle_world_fund(w, FUNDS);
    }
    assert_non_null(strstr(step_fails(&s).text, "3 commit transactions were mined in vain"));
    w->ahead_ms += 61000;
    steps_until(w, &s, BATCH_FINAL);
    settle_session_close(&s);
    world_free(w);
}

/* Sent by hand a moment ago, not mined: the next of ours goes behind it. */
static void a_nonce_that_waits_in_the_pool_is_not_taken(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    settle_world_use_nonce(w);                 /* so that ours are not the first */
    automine(w, false);
    settle_world_use_nonce(w);
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    anvil_do(&w->anvil, "evm_mine", "[]");
    automine(w, true);
    step_well(&s);
    assert_tx_state(&s, 1, TX_FINAL);
    steps_until(w, &s, BATCH_FINAL);
    settle_session_close(&s);
    world_free(w);
}

/* The transaction that is named has a receipt, and is from the same key. */
static void assert_taker_is_on_chain(struct settle_session *s, uint64_t id)
{
    struct transaction_row t = tx_row(s, id);
    struct tx_receipt receipt;
    struct err err = { 0 };

    assert_false(hash_is_zero(t.taken_by.h));
    assert_true(rpc_tx_receipt(s->rpc, t.taken_by, &receipt, &err));
    assert_true(receipt.found && address_eq(receipt.from, t.account) && address_eq(receipt.to, t.account));
    logs_clear(&receipt.logs);
}

static void a_nonce_used_by_somebody_else_costs_a_slot_and_no_more(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    automine(w, false);
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    anvil_do(&w->anvil, "anvil_dropAllTransactions", "[]");
    automine(w, true);
    settle_world_use_nonce(w);
    steps_until(w, &s, BATCH_FINAL);
    assert_tx_state(&s, 1, TX_FOREIGN);
    assert_taker_is_on_chain(&s, 1);
    assert_tx_state(&s, 2, TX_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

/* A transaction by hand lay in the pool below ours, and the pool forgot it. */
static void a_gap_is_filled(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct transaction_row filler;
    struct settle_session s;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    automine(w, false);
    settle_world_use_nonce(w);
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    anvil_do(&w->anvil, "anvil_dropAllTransactions", "[]");
    automine(w, true);
    steps_until(w, &s, BATCH_FINAL);
    assert_tx_state(&s, 1, TX_FINAL);
    filler = tx_row(&s, 2);
    assert_string_equal(filler.kind, "void");
    assert_int_equal(filler.state, TX_VOID);
    assert_int_equal(filler.nonce + 1, tx_row(&s, 1).nonce);
    settle_session_close(&s);
    world_free(w);
}

/* The commit of the first batch is signed and lies in the pool; then the key changes. */
static struct settle_world *world_rotated_in_flight(void)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    settle_world_receipt(w, 1, 1000);
    automine(w, false);
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    settle_session_close(&s);
    settle_world_rotate(w);
    return w;
}

static void a_transaction_of_a_rotated_key_is_followed(void **state)
{
    struct settle_world *w = world_rotated_in_flight();
    struct settle_session s;

    (void)state;
    automine(w, true);
    anvil_do(&w->anvil, "evm_mine", "[]");
    settle_session_open(w, &s);
    steps_until(w, &s, BATCH_FINAL);
    assert_tx_state(&s, 1, TX_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

/* The old key's transaction lies in no block for so long that the new key tries; here it is no operator. */
static void a_transaction_left_behind_by_a_rotated_key_blocks_nothing(void **state)
{
    struct settle_world *w = world_rotated_in_flight();
    struct settle_session s;

    (void)state;
    settle_session_open(w, &s);
    assert_int_equal(step_well(&s).waits, WAITS_FOR_BLOCK);
    w->ahead_ms += 601000;
    assert_non_null(strstr(step_fails(&s).text, "NotOperator"));
    automine(w, true);
    anvil_do(&w->anvil, "evm_mine", "[]");
    steps_until(w, &s, BATCH_FINAL);           /* the old one was mined after all: it counts */
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

/* A cancel that a reorg takes back must not have moved anything. */
static void a_cancel_counts_once_it_is_confirmed(void **state)
{
    struct settle_world *w = world_new(FUNDS, 3600);
    struct settle_session s;
    struct err err;

    (void)state;
    w->config.confirmations = 3;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    step_well(&s);
    anvil_do(&w->anvil, "anvil_mine", "[\"0x4\"]");
    assert_int_equal(step_well(&s).state, BATCH_COMMITTED);
    anvil_do(&w->anvil, "evm_snapshot", "[]");
    settle_world_cancel(w, 1);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_HALT);
    assert_non_null(strstr(err.text, "not confirmed"));
    anvil_do(&w->anvil, "evm_revert", "[\"0x0\"]");
    anvil_do(&w->anvil, "evm_increaseTime", "[3601]");
    anvil_do(&w->anvil, "anvil_mine", "[\"0x4\"]");
    steps_until(w, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

/* Recorded as committed, and then its nonce is another's on the branch that stays. */
static void a_commit_that_a_reorg_undoes_is_sent_again(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    w->config.confirmations = 3;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    anvil_do(&w->anvil, "evm_snapshot", "[]");
    assert_int_equal(step_well(&s).state, BATCH_COMMITTED);
    anvil_do(&w->anvil, "evm_revert", "[\"0x0\"]");
    settle_world_use_nonce(w);
    anvil_do(&w->anvil, "anvil_mine", "[\"0x4\"]");
    steps_until(w, &s, BATCH_FINAL);
    assert_tx_state(&s, 1, TX_FOREIGN);
    assert_tx_state(&s, 2, TX_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    world_free(w);
}

static unsigned count_state(struct settle_session *s, unsigned last, enum tx_state state)
{
    unsigned count = 0;

    for (unsigned id = 1; id <= last; id++)
        count += tx_row(s, id).state == state;
    return count;
}

static void sets_are_in_flight_together_and_no_more_than_the_window(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    bool found;
    struct transaction_row t;
    struct err err = { 0 };

    (void)state;
    w->config.set_gas = 500000;                /* about ten new accounts */
    settle_world_receipts(w, SETTLE_WORLD_PROVIDERS, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    automine(w, false);
    step_well(&s);
    anvil_do(&w->anvil, "evm_mine", "[]");
    step_well(&s);
    assert_int_equal(count_state(&s, 17, TX_SENT), 16);
    assert_true(store_tx_find(s.db, 18, &t, &found, &err));
    assert_false(found);
    /* One of them is lost by all pools: the others wait behind it, and it is sent again as it was. */
    anvil_do(&w->anvil, "anvil_dropAllTransactions", "[]");
    automine(w, true);
    steps_until(w, &s, BATCH_FINAL);
    assert_recorded(&s, 1000 * SETTLE_WORLD_PROVIDERS);
    settle_session_close(&s);
    world_free(w);
}

/* Blocks smaller than a set would fill: sets are made to fit. */
static void small_blocks_make_small_sets(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;

    (void)state;
    anvil_do(&w->anvil, "evm_setBlockGasLimit", "[\"0x1e8480\"]");
    anvil_do(&w->anvil, "evm_mine", "[]");
    settle_world_receipts(w, 120, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    assert_true(steps_until(w, &s, BATCH_FINAL).transactions > 4);
    assert_recorded(&s, 120000);
    settle_session_close(&s);
    world_free(w);
}

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
        cmocka_unit_test(a_reverted_commit_is_sent_anew_once_it_can_be),
        cmocka_unit_test(what_reverts_again_and_again_is_tried_slowly),
        cmocka_unit_test(a_nonce_that_waits_in_the_pool_is_not_taken),
        cmocka_unit_test(a_nonce_used_by_somebody_else_costs_a_slot_and_no_more),
        cmocka_unit_test(a_gap_is_filled),
        cmocka_unit_test(a_transaction_of_a_rotated_key_is_followed),
        cmocka_unit_test(a_transaction_left_behind_by_a_rotated_key_blocks_nothing),
        cmocka_unit_test(a_cancel_counts_once_it_is_confirmed),
        cmocka_unit_test(a_commit_that_a_reorg_undoes_is_sent_again),
        cmocka_unit_test(sets_are_in_flight_together_and_no_more_than_the_window),
        cmocka_unit_test(small_blocks_make_small_sets),
        cmocka_unit_test(a_distribute_mined_in_vain_is_done_anew_once_that_is_final),
    };

    return cmocka_run_group_tests_name("slots", tests, secp_and_http_setup, secp_and_http_teardown);
}
