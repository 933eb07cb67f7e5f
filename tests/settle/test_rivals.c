/* Another gateway with our key: it commits the sequence that we are about to commit, in the worst moments. */
#include "gateway/core/header.h"
#include "gateway/lib/address_text.h"
#include "tests/settle/slots_world.h"
#include "tests/support/libraries.h"

/* Sequence 1 with another content, by the operator's own account; more: members of its transaction, with a comma before. */
static void rival_commits_with(struct settle_world *w, const char *more)
{
    struct commit_args args = { .sequence = 1, .parent = header_first(w->config.chain_id, w->config.contract, w->config.token),
                                .receipts_root = { { 1 } }, .rewards_root = { { 2 } }, .archive = { { 3 } },
                                .total = amount_from_u64(1), .receipts = 1 };
    char from[ADDRESS_TEXT], to[ADDRESS_TEXT], params[2048];
    struct buf data, hex;

    buf_init(&data);
    buf_init(&hex);
    settlement_commit_call(&args, &data);
    for (size_t i = 0; i < data.len; i++)
        buf_printf(&hex, "%02x", data.data[i]);
    address_to_text(signer_address(w->signer), from);
    address_to_text(w->config.contract, to);
    snprintf(params, sizeof params, "[{\"from\":\"%s\",\"to\":\"%s\",\"gas\":\"0x60000\",\"data\":\"0x%s\"%s}]", from, to, buf_text(&hex),
             more);
    anvil_do(&w->anvil, "eth_sendTransaction", params);
    buf_clear(&data);
    buf_clear(&hex);
}

static void rival_commits(struct settle_world *w)
{
    rival_commits_with(w, "");
}

static void assert_named(struct err err)
{
    assert_int_equal(err.code, ERR_HALT);
    if (strstr(err.text, "another gateway commits with this key: sequence 1 was committed with header 0x") == NULL
        || strstr(err.text, ", transaction 0x") == NULL)
        fail_msg("it says: %s", err.text);
}

/* Until the other's commit is judged; nothing is paid for it here, ever. */
static void steps_until_named(struct settle_world *w, struct settle_session *s)
{
    struct settle_report report;
    struct err err = { 0 };
    bool moved;

    for (unsigned i = 0; i < 20 && settle_step(s->settle, &moved, &report, &err); i++) {
        assert_int_equal(report.state, BATCH_PREPARED);
        w->ahead_ms += 1500;
    }
    assert_named(err);
    assert_recorded(s, 0);
}

static bool commits_before_the_estimate(void *self, const char *request, struct buf *answer)
{
    struct settle_world **pending = self;

    (void)answer;
    if (*pending != NULL && strstr(request, "eth_estimateGas") != NULL) {
        rival_commits(*pending);
        *pending = NULL;
    }
    return false;
}

static void one_between_our_two_questions_is_waited_for_and_named(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0), *pending = w;
    struct fake_http *proxy = fake_http_new_proxy(w->anvil.url, commits_before_the_estimate, &pending);
    struct settle_session s;

    (void)state;
    w->rpc_url = fake_http_url(proxy);
    w->config.confirmations = 3;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    close_batch(&s);
    assert_int_equal(step_well(&s).waits, WAITS_FOR_BLOCK);
    assert_null(pending);
    assert_int_equal(step_well(&s).state, BATCH_PREPARED);      /* it may be gone again with its block */
    anvil_do(&w->anvil, "anvil_mine", "[\"0x2\"]");
    steps_until_named(w, &s);
    settle_session_close(&s);
    fake_http_free(proxy);
    world_free(w);
}

static void one_that_is_mined_before_ours_makes_ours_revert(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct err err = { 0 };
    char instead[160];
    uint64_t nonce;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    settle_session_open(w, &s);
    assert_true(rpc_nonce(s.rpc, signer_address(w->signer), BLOCK_LATEST, &nonce, &err));
    settle_world_use_nonce(w);
    close_batch(&s);
    step_well(&s);
    assert_tx_state(&s, 1, TX_SENT);           /* at the next nonce; then the one below turns out to be a commit */
    snprintf(instead, sizeof instead, ",\"nonce\":\"0x%llx\",\"maxFeePerGas\":\"0x2540be400\",\"maxPriorityFeePerGas\":\"0x2540be400\"",
             (unsigned long long)nonce);
    rival_commits_with(w, instead);
    anvil_do(&w->anvil, "evm_mine", "[]");
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    steps_until_named(w, &s);
    assert_tx_state(&s, 1, TX_REVERTED);
    settle_session_close(&s);
    world_free(w);
}

/* The node's estimate counts it already: nothing is sent against it. */
static void one_that_waits_in_the_pool_halts_us_at_once(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct err err;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    rival_commits(w);
    settle_session_open(w, &s);
    close_batch(&s);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_HALT);
    assert_non_null(strstr(err.text, "WrongSequence"));
    anvil_do(&w->anvil, "evm_mine", "[]");
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    steps_until_named(w, &s);
    settle_session_close(&s);
    world_free(w);
}

static void one_before_we_close_is_named(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct err err = { 0 };
    bool closed;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    rival_commits(w);
    settle_session_open(w, &s);
    assert_false(settle_close(s.settle, &closed, &err));
    assert_named(err);
    assert_named(step_fails(&s));
    settle_session_close(&s);
    world_free(w);
}

/* The guardian has until then to take it back: no halt yet, but a name. */
static void one_that_waits_for_its_activation_is_named_too(void **state)
{
    struct settle_world *w = world_new(FUNDS, 3600);
    struct settle_session s;
    struct err err;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    rival_commits(w);
    settle_session_open(w, &s);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "another gateway commits with this key: sequence 1"));
    settle_world_cancel(w, 1);
    close_batch(&s);
    assert_int_equal(steps_until(w, &s, BATCH_COMMITTED).sequence, 2);
    settle_session_close(&s);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_between_our_two_questions_is_waited_for_and_named),
        cmocka_unit_test(one_that_is_mined_before_ours_makes_ours_revert),
        cmocka_unit_test(one_that_waits_in_the_pool_halts_us_at_once),
        cmocka_unit_test(one_before_we_close_is_named),
        cmocka_unit_test(one_that_waits_for_its_activation_is_named_too),
    };

    return cmocka_run_group_tests_name("rivals", tests, secp_and_http_setup, secp_and_http_teardown);
}
