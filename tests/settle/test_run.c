/* Whole runs against a real anvil with the real contract; skipped where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/mem.h"
#include "gateway/lib/file.h"
#include "gateway/settle/archive.h"
#include "gateway/settle/runner.h"
#include "store/ledger.h"
#include "tests/support/libraries.h"
#include "tests/support/settle_world.h"

#define FUNDS 1000000000u
#define TIMEOUT_MS 60000u

static struct settle_world *world_new(uint64_t funds, uint64_t delay_s)
{
    struct settle_world *w;

    if (!anvil_available())
        skip();
    w = mem_new(sizeof *w);
    settle_world_init_chain(w, funds, delay_s);
    return w;
}

static void world_free(struct settle_world *w)
{
    settle_world_clear(w);
    free(w);
}

/* One process's life: everything opened, one run, everything closed. */
static bool run(struct settle_world *w, bool wait_all, struct settle_report *report, struct err *err)
{
    struct settle_session s;
    bool ok;

    settle_session_open(w, &s);
    ok = settle_run(s.settle, wait_all, TIMEOUT_MS, report, err);
    settle_session_close(&s);
    return ok;
}

static struct settle_report run_well(struct settle_world *w, bool wait_all)
{
    struct settle_report report;
    struct err err = { 0 };

    if (!run(w, wait_all, &report, &err))
        fail_msg("%s", err.text);
    return report;
}

static void assert_amount(struct amount got, uint64_t want)
{
    char text[U256_DECIMAL_MAX];

    u256_to_decimal(got.base_units, text);
    if (amount_cmp(got, amount_from_u64(want)) != 0)
        fail_msg("%s instead of %llu", text, (unsigned long long)want);
}

static struct amount balance_of(struct settle_world *w, struct address account)
{
    struct amount balance;
    struct rpc *rpc;
    struct err err = { 0 };

    if (!rpc_new(w->anvil.url, &rpc, &err) || !token_balance(rpc, w->config.token, account, &balance, &err))
        fail_msg("%s", err.text);
    rpc_free(rpc);
    return balance;
}

/* What the store says was paid, by anybody. */
static struct amount recorded(struct settle_world *w)
{
    struct settle_session s;
    struct amount total;
    struct err err = { 0 };

    settle_session_open(w, &s);
    assert_true(store_payments_total(s.db, &total, &err));
    settle_session_close(&s);
    return total;
}

static void a_run_pays_everybody_and_the_next_has_nothing_to_do(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_report r;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        settle_world_receipt(w, i, 1000 + i);
    r = run_well(w, true);
    assert_false(r.nothing);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_int_equal(r.sequence, 1);
    assert_int_equal(r.receipts, 20);
    assert_int_equal(r.transactions, 2);
    assert_int_equal(r.failed, 0);
    assert_amount(r.total, 20190);
    assert_amount(r.paid, 20190);
    assert_amount(balance_of(w, settle_world_account(0)), 700);
    assert_amount(balance_of(w, w->config.contract), FUNDS - 20190);
    assert_amount(recorded(w), 20190);

    r = run_well(w, true);
    assert_true(r.nothing);
    assert_true(r.has_sequence);
    assert_int_equal(r.sequence, 1);
    world_free(w);
}

static void a_second_settlement_builds_on_the_first(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    char path[128];
    struct err err = { 0 };
    struct settle_report r;
    struct buf text;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    run_well(w, true);
    settle_world_receipt(w, 1, 500);
    settle_world_receipt(w, 2, 500);
    settle_world_bundle(w, 4, 2);
    r = run_well(w, true);
    assert_int_equal(r.sequence, 2);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_amount(r.total, 4000);
    assert_amount(r.paid, 3000);
    assert_amount(balance_of(w, settle_world_account(1)), 1050);

    /* Published with the first: price, model and provider 1.  New: providers 2 and 0. */
    buf_init(&text);
    archive_path(w->archive, 2, ".archive.ndjson", path, sizeof path);
    assert_true(file_read(path, MIB, &text, &err));
    assert_null(strstr(buf_text(&text), "\"type\":\"price\""));
    assert_null(strstr(buf_text(&text), "\"type\":\"model\""));
    assert_non_null(strstr(buf_text(&text), "\"type\":\"provider\""));
    buf_clear(&text);
    world_free(w);
}

static void an_unfunded_contract_is_tried_again_later(void **state)
{
    struct settle_world *w = world_new(0, 0);
    struct settle_report r;
    struct err err = { 0 };

    (void)state;
    settle_world_receipt(w, 1, 1000);
    assert_false(run(w, true, &r, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "Underfunded"));
    settle_world_fund(w, 1000);       /* with the signer's own key: its nonce moves on by hand */
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_amount(r.paid, 1000);
    world_free(w);
}

static void those_owed_less_than_the_minimum_are_left_to_claim(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_report r;

    (void)state;
    w->config.distribute_minimum = amount_from_u64(1000000);
    settle_world_receipt(w, 1, 1000);
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_int_equal(r.transactions, 1);
    assert_amount(r.paid, 0);
    world_free(w);
}

static void a_delayed_activation_is_no_error(void **state)
{
    struct settle_world *w = world_new(FUNDS, 3600);
    struct settle_report r;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    r = run_well(w, true);
    assert_false(r.nothing);
    assert_int_equal(r.state, BATCH_COMMITTED);
    assert_int_equal(r.waits, WAITS_FOR_ACTIVATION);
    anvil_do(&w->anvil, "evm_increaseTime", "[3601]");
    anvil_do(&w->anvil, "evm_mine", "[]");
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_amount(r.paid, 1000);
    world_free(w);
}

static bool count_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    (void)a;
    (void)err;
    ++*(unsigned *)self;
    return true;
}

static void many_accounts_are_paid_in_several_sets(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_report r;

    (void)state;
    settle_world_receipts(w, SETTLE_WORLD_PROVIDERS, 1000);
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_int_equal(r.transactions, 3);
    assert_amount(r.paid, 1000 * SETTLE_WORLD_PROVIDERS);
    /* All were paid before, so one call is enough now. */
    settle_world_receipts(w, SETTLE_WORLD_PROVIDERS, 1000);
    r = run_well(w, true);
    assert_int_equal(r.transactions, 2);
    assert_amount(r.paid, 1000 * SETTLE_WORLD_PROVIDERS);
    world_free(w);
}

static void a_cancelled_batch_halts_and_waits_to_be_carried(void **state)
{
    struct settle_world *w = world_new(FUNDS, 3600);
    struct settle_report r;
    struct err err = { 0 };

    (void)state;
    settle_world_receipt(w, 1, 1000);
    r = run_well(w, false);
    assert_int_equal(r.state, BATCH_COMMITTED);
    settle_world_cancel(w, 1);
    assert_false(run(w, true, &r, &err));
    assert_int_equal(err.code, ERR_HALT);
    /* Others are settled meanwhile, on top of the cancelled header and without its rewards. */
    settle_world_receipt(w, 2, 500);
    r = run_well(w, true);
    assert_int_equal(r.sequence, 2);
    assert_amount(r.total, 500);
    anvil_do(&w->anvil, "evm_increaseTime", "[3601]");
    anvil_do(&w->anvil, "evm_mine", "[]");
    settle_world_carry(w, 1);
    r = run_well(w, true);
    assert_int_equal(r.sequence, 3);
    assert_amount(r.total, 1500);
    anvil_do(&w->anvil, "evm_increaseTime", "[3601]");
    anvil_do(&w->anvil, "evm_mine", "[]");
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_amount(recorded(w), 1500);
    world_free(w);
}

static void a_transaction_left_behind_is_replaced(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct settle_report r;
    struct err err = { 0 };
    unsigned attempts = 0;
    bool moved, closed;

    (void)state;
    settle_world_receipt(w, 1, 1000);
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    settle_session_open(w, &s);
    assert_true(settle_close(s.settle, &closed, &err));
    assert_true(closed);
    if (!settle_step(s.settle, &moved, &r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(r.state, BATCH_PREPARED);
    assert_int_equal(r.waits, WAITS_FOR_BLOCK);
    /* The base fee jumps over what was offered: blocks come, and ours is in none until more is offered. */
    for (unsigned i = 0; i < 8 && r.state == BATCH_PREPARED; i++) {
        anvil_do(&w->anvil, "anvil_setNextBlockBaseFeePerGas", "[\"0x174876e800\"]");
        anvil_do(&w->anvil, "evm_mine", "[]");
        w->ahead_ms += 10000;
        if (!settle_step(s.settle, &moved, &r, &err))
            fail_msg("%s", err.text);
    }
    assert_true(r.state > BATCH_PREPARED);
    assert_true(store_attempts(s.db, 1, count_attempt, &attempts, &err));
    assert_int_equal(attempts, 2);
    anvil_do(&w->anvil, "evm_setAutomine", "[true]");
    anvil_do(&w->anvil, "evm_mine", "[]");
    settle_session_close(&s);
    r = run_well(w, true);
    assert_int_equal(r.state, BATCH_FINAL);
    assert_amount(r.paid, 1000);
    world_free(w);
}

static void a_reorg_sends_the_same_bytes_again(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_session s;
    struct settle_report r;
    struct err err = { 0 };
    bool moved, closed;

    (void)state;
    w->config.confirmations = 3;
    settle_world_receipt(w, 1, 1000);
    settle_session_open(w, &s);
    assert_true(settle_close(s.settle, &closed, &err) && settle_step(s.settle, &moved, &r, &err));
    assert_int_equal(r.state, BATCH_COMMITTED);
    anvil_do(&w->anvil, "anvil_reorg", "[1, []]");
    anvil_do(&w->anvil, "anvil_dropAllTransactions", "[]");
    for (unsigned i = 0; i < 40 && r.state != BATCH_FINAL; i++) {
        anvil_do(&w->anvil, "evm_mine", "[]");
        w->ahead_ms += 6000;
        if (!settle_step(s.settle, &moved, &r, &err))
            fail_msg("%s", err.text);
    }
    assert_int_equal(r.state, BATCH_FINAL);
    assert_int_equal(r.transactions, 2);
    assert_amount(r.paid, 1000);
    settle_session_close(&s);
    world_free(w);
}

/* Kills a run at each place in turn; the next must go on and in the end everybody is paid once. */
static void killed_anywhere_it_goes_on(void **state)
{
    static const char *const places[] = { "closed", "prepared", "commit-stored", "commit-sent", "committed", "active",
                                          "distribute-stored", "distribute-sent", "distribute-mined", "distributed" };
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_report r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        pid_t child;
        int status;

        settle_world_receipt(w, 1, 1000);
        child = fork();
        if (child == 0) {
            struct err err = { 0 };

            setenv("QUITTANCE_CRASH_AT", places[i], 1);
            _exit(run(w, true, &r, &err) ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status))
            fail_msg("nothing passed by %s", places[i]);
        r = run_well(w, true);
        assert_int_equal(r.state, BATCH_FINAL);
        assert_int_equal(r.sequence, i + 1);
        assert_int_equal(r.transactions, 2);
        assert_amount(r.paid, 1000);
        assert_amount(balance_of(w, settle_world_account(1)), 700 * (i + 1));
    }
    assert_amount(recorded(w), 1000 * ARRAY_LEN(places));
    world_free(w);
}

static void the_runner_settles_on_request(void **state)
{
    struct settle_world *w = world_new(FUNDS, 0);
    struct settle_plan plan;
    struct run_report report;
    struct writer *writer;
    struct runner *runner;
    struct err err = { 0 };

    (void)state;
    settle_world_receipt(w, 1, 1000);
    if (!writer_open(w->url, &w->clock, &writer, &err) || !writer_start(writer, &err)
        || !runner_start(&w->config, w->url, w->anvil.url, writer, w->signer, &w->clock, &runner, &err)
        || !runner_plan(runner, &plan, &err))
        fail_msg("%s", err.text);
    assert_int_equal(plan.receipts, 1);
    assert_int_equal(plan.due_accounts, 4);
    assert_amount(plan.due, 1000);
    assert_int_equal(plan.sets, 1);
    settle_plan_clear(&plan);
    runner_request(runner, TIMEOUT_MS, &report);
    assert_true(report.settle.has_sequence);
    for (unsigned i = 0; i < 200 && report.running; i++) {
        clock_sleep_ms(50);
        runner_report(runner, &report);
    }
    assert_false(report.running);
    assert_int_equal(report.error.code, ERR_NONE);
    assert_int_equal(report.settle.state, BATCH_FINAL);
    assert_amount(report.settle.paid, 1000);
    assert_int_not_equal(report.last_success_ms, 0);
    runner_request(runner, TIMEOUT_MS, &report);
    assert_true(report.settle.nothing);
    runner_stop(runner);
    writer_close(writer);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_pays_everybody_and_the_next_has_nothing_to_do),
        cmocka_unit_test(a_second_settlement_builds_on_the_first),
        cmocka_unit_test(an_unfunded_contract_is_tried_again_later),
        cmocka_unit_test(those_owed_less_than_the_minimum_are_left_to_claim),
        cmocka_unit_test(a_delayed_activation_is_no_error),
        cmocka_unit_test(many_accounts_are_paid_in_several_sets),
        cmocka_unit_test(a_cancelled_batch_halts_and_waits_to_be_carried),
        cmocka_unit_test(a_transaction_left_behind_is_replaced),
        cmocka_unit_test(a_reorg_sends_the_same_bytes_again),
        cmocka_unit_test(killed_anywhere_it_goes_on),
        cmocka_unit_test(the_runner_settles_on_request),
    };

    return cmocka_run_group_tests_name("settlement runs", tests, secp_and_http_setup, secp_and_http_teardown);
}
