/* A node that answers wrongly, between the settlement and a real anvil. */
#include "gateway/lib/json.h"
#include "gateway/settle/runner.h"
#include "store/meta.h"
#include "tests/settle/slots_world.h"
#include "tests/support/libraries.h"

#define DISTRIBUTE "0xbf28259e"     /* distribute(address[],uint256[],bytes32[],bytes) */

struct bad_node {
    struct settle_world *world;
    struct fake_http *proxy;
    const char *refused;            /* hex of an account that the token refuses; "": all */
    unsigned sends_refused, failing;
    const char *failing_text;       /* NULL: it is syncing */
    bool hides_receipts, hides_logs;
    uint64_t logs_range;            /* most blocks of an eth_getLogs; 0: any */
    const char *nonsense;           /* answered to every eth_call; NULL: nothing */
};

static uint64_t id_of(const json *request)
{
    uint64_t id = 0;

    return json_get_u64(json_member(request, "id"), &id) ? id : 0;
}

static void answer(const json *request, const char *result, struct buf *out)
{
    buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":%s}", (unsigned long long)id_of(request), result);
}

static void refuse(const json *request, const char *message, struct buf *out)
{
    buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"error\":{\"code\":-32000,\"message\":\"%s\"}}",
               (unsigned long long)id_of(request), message);
}

static uint64_t block_number(const json *filter, const char *name)
{
    struct u256 v;
    uint64_t number = 0;

    assert_true(json_get_quantity(json_member(filter, name), &v) && u256_to_u64(v, &number));
    return number;
}

static bool logs(struct bad_node *f, const char *text, const json *request, struct buf *out)
{
    const json *filter = json_at(json_member(request, "params"), 0);

    if (f->logs_range != 0 && block_number(filter, "toBlock") - block_number(filter, "fromBlock") >= f->logs_range) {
        refuse(request, "block range too large", out);
        return true;
    }
    if (f->hides_logs && strstr(text, "0xddf252ad") != NULL) {     /* Transfer */
        answer(request, "[]", out);
        return true;
    }
    return false;
}

/* (paid, skipped): one of them is 1. */
static void distribute_call(struct bad_node *f, const json *request, struct buf *out)
{
    char words[2 * 64 + 5];
    struct buf text;
    int refused;

    buf_init(&text);
    json_write(request, &text);
    refused = strstr(buf_text(&text), f->refused) != NULL;
    snprintf(words, sizeof words, "\"0x%064d%064d\"", !refused, refused);
    answer(request, words, out);
    buf_clear(&text);
}

/* Calls of distribute are answered here, one or a batch of them. */
static bool preview(struct bad_node *f, const json *request, struct buf *out)
{
    if (json_kind_of(request) != JSON_KIND_ARRAY) {
        distribute_call(f, request, out);
        return true;
    }
    for (size_t i = 0; i < json_count(request); i++) {
        buf_add_text(out, i == 0 ? "[" : ",");
        distribute_call(f, json_at(request, i), out);
    }
    buf_add_text(out, "]");
    return true;
}

static bool judge(struct bad_node *f, const char *text, const json *request, struct buf *out)
{
    if (f->failing > 0) {
        f->failing--;
        refuse(request, f->failing_text != NULL ? f->failing_text : "node is syncing", out);
        return true;
    }
    if (f->nonsense != NULL && strstr(text, "\"eth_call\"") != NULL) {
        buf_add_text(out, f->nonsense);
        return true;
    }
    if (f->hides_receipts && strstr(text, "eth_getTransactionReceipt") != NULL) {
        answer(request, "null", out);
        return true;
    }
    if (f->sends_refused > 0 && strstr(text, "eth_sendRawTransaction") != NULL) {
        f->sends_refused--;
        refuse(request, "intrinsic gas too low: gas 1, minimum needed 2", out);
        return true;
    }
    if (strstr(text, "eth_getLogs") != NULL)
        return logs(f, text, request, out);
    if (f->refused != NULL && strstr(text, "\"eth_call\"") != NULL && strstr(text, "\"" DISTRIBUTE) != NULL)
        return preview(f, request, out);
    return false;
}

static bool hook(void *self, const char *text, struct buf *out)
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

static struct bad_node *fault_new(uint64_t confirmations, uint64_t delay_s)
{
    struct settle_world *w = world_new(FUNDS, delay_s);
    struct bad_node *f = mem_new(sizeof *f);

    f->world = w;
    f->proxy = fake_http_new_proxy(w->anvil.url, hook, f);
    w->rpc_url = fake_http_url(f->proxy);
    w->config.confirmations = confirmations;
    return f;
}

static void fault_free(struct bad_node *f)
{
    fake_http_free(f->proxy);
    world_free(f->world);
    free(f);
}

static void late_receipts_stop_nothing(void **state)
{
    struct bad_node *f = fault_new(12, 3600);
    struct settle_session s;

    (void)state;
    settle_world_receipt(f->world, 1, 1000);
    f->hides_receipts = true;
    settle_session_open(f->world, &s);
    close_batch(&s);
    for (unsigned i = 0; i < 20; i++) {
        step_well(&s);
        f->world->ahead_ms += 1500;
    }
    assert_tx_state(&s, 1, TX_SENT);           /* used, as everybody can see, but not for good */
    anvil_do(&f->world->anvil, "anvil_mine", "[\"0x14\"]");
    steps_until(f->world, &s, BATCH_COMMITTED);
    assert_tx_state(&s, 1, TX_FOREIGN);        /* and the contract has it: nothing was sent anew */
    f->hides_receipts = false;
    step_well(&s);
    assert_tx_state(&s, 1, TX_FINAL);
    anvil_do(&f->world->anvil, "evm_increaseTime", "[3601]");
    steps_until(f->world, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    fault_free(f);
}

static void an_empty_answer_is_not_believed(void **state)
{
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;
    struct err err;

    (void)state;
    settle_world_receipt(f->world, 1, 1000);
    f->hides_logs = true;
    settle_session_open(f->world, &s);
    close_batch(&s);
    step_well(&s);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "payments are not recorded"));
    f->hides_logs = false;
    assert_int_equal(step_well(&s).state, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    fault_free(f);
}

/* Cut off, what somebody else asked, or a no without a reason: worth another try, not a person's look. */
static void an_answer_that_is_none_is_of_this_day(void **state)
{
    static const char *const nonsense[] = { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x0000", "{\"jsonrpc\":\"2.0\",\"id\":987654321,\"result\":\"0x\"}" };
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(f->world, 1, 1000);
    settle_session_open(f->world, &s);
    close_batch(&s);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        f->nonsense = nonsense[i];
        assert_int_equal(step_fails(&s).code, ERR_AGAIN);
    }
    f->nonsense = NULL;
    f->failing = 1;
    f->failing_text = "internal error";
    assert_int_equal(step_fails(&s).code, ERR_AGAIN);
    f->failing = 0;
    steps_until(f->world, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    fault_free(f);
}

static void long_ranges_of_logs_are_halved(void **state)
{
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;

    (void)state;
    anvil_do(&f->world->anvil, "anvil_mine", "[\"0x64\"]");
    settle_world_receipt(f->world, 1, 1000);
    f->logs_range = 7;
    settle_session_open(f->world, &s);
    close_batch(&s);
    steps_until(f->world, &s, BATCH_FINAL);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    fault_free(f);
}

/* The commit is refused for good; the nonce is used by nothing, and the commit goes out under the next. */
static void bytes_that_no_node_takes_are_voided(void **state)
{
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;

    (void)state;
    settle_world_receipt(f->world, 1, 1000);
    f->sends_refused = 1;
    settle_session_open(f->world, &s);
    close_batch(&s);
    assert_int_equal(steps_until(f->world, &s, BATCH_FINAL).transactions, 3);
    assert_tx_state(&s, 1, TX_VOID);
    assert_tx_state(&s, 2, TX_FINAL);
    assert_int_equal(tx_row(&s, 1).nonce + 1, tx_row(&s, 2).nonce);
    assert_recorded(&s, 1000);
    settle_session_close(&s);
    fault_free(f);
}

static void whom_the_token_refuses_costs_nothing(void **state)
{
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;
    struct settle_report r;
    char hex[2 * sizeof(struct address) + 1] = "";
    struct address refused = settle_world_account(2);

    (void)state;
    for (unsigned i = 0; i < sizeof refused.b; i++)
        snprintf(hex + 2 * i, 3, "%02x", refused.b[i]);
    settle_world_receipts(f->world, 5, 1000);
    f->refused = hex;
    settle_session_open(f->world, &s);
    close_batch(&s);
    r = steps_until(f->world, &s, BATCH_FINAL);
    assert_int_equal(r.transactions, 2);
    assert_int_equal(r.failed, 1);
    assert_recorded(&s, 4300);
    settle_session_close(&s);
    fault_free(f);
}

static void a_token_that_refuses_everybody_halts_until_it_does_not(void **state)
{
    struct bad_node *f = fault_new(1, 0);
    struct settle_session s;
    uint64_t before, after;
    struct err err;

    (void)state;
    settle_world_receipts(f->world, 5, 1000);
    f->refused = "";
    settle_session_open(f->world, &s);
    close_batch(&s);
    err = step_fails(&s);
    assert_int_equal(err.code, ERR_HALT);
    assert_non_null(strstr(err.text, "refused"));
    /* Others' payments are recorded meanwhile. */
    assert_true(store_meta_get(s.db, "scanned_block", &before, &err));
    anvil_do(&f->world->anvil, "evm_mine", "[]");
    step_fails(&s);
    assert_true(store_meta_get(s.db, "scanned_block", &after, &err));
    assert_int_equal(after, before + 1);
    f->refused = NULL;
    steps_until(f->world, &s, BATCH_FINAL);
    assert_recorded(&s, 5000);
    settle_session_close(&s);
    fault_free(f);
}

/* ---- the runner ---- */

struct running { struct bad_node *fault; struct writer *writer; struct runner *runner; };

static void running_start(struct running *r)
{
    struct settle_world *w = r->fault->world;
    struct err err = { 0 };

    if (!writer_open(w->url, &w->clock, &r->writer, &err) || !writer_start(r->writer, &err)
        || !runner_start(&w->config, w->url, w->rpc_url, r->writer, w->signer, &w->clock, &r->runner, &err))
        fail_msg("%s", err.text);
}

static void a_request_outlives_a_hiccup(void **state)
{
    struct running r = { .fault = fault_new(1, 0) };
    struct run_report report;

    (void)state;
    settle_world_receipt(r.fault->world, 1, 1000);
    running_start(&r);
    clock_sleep_ms(300);
    r.fault->failing = 2;
    runner_request(r.runner, 60000, &report);
    assert_int_equal(report.error.code, ERR_NONE);
    assert_true(report.settle.has_sequence);
    runner_stop(r.runner);
    writer_close(r.writer);
    fault_free(r.fault);
}

/* A request that comes while older work is in the way is answered for its own batch. */
static void a_request_is_answered_for_its_own_batch(void **state)
{
    struct running r = { .fault = fault_new(1, 0) };
    struct settle_world *w;
    struct run_report report;

    (void)state;
    w = r.fault->world;
    anvil_do(&w->anvil, "evm_setAutomine", "[false]");
    settle_world_receipt(w, 1, 1000);
    running_start(&r);
    runner_request(r.runner, 10000, &report);
    assert_int_equal(report.settle.sequence, 1);
    runner_stop(r.runner);
    writer_close(r.writer);
    settle_world_receipt(w, 2, 1000);
    running_start(&r);
    anvil_do(&w->anvil, "evm_setIntervalMining", "[1]");
    runner_request(r.runner, 60000, &report);
    assert_int_equal(report.error.code, ERR_NONE);
    assert_int_equal(report.settle.sequence, 2);
    runner_stop(r.runner);
    writer_close(r.writer);
    fault_free(r.fault);
}

static void stopping_does_not_wait_for_a_silent_node(void **state)
{
    static const struct fake_reply silence = { .manner = FAKE_HANGS };
    struct running r = { .fault = fault_new(1, 0) };
    struct fake_http *silent = fake_http_new(&silence, 1);
    uint64_t start;

    (void)state;
    r.fault->world->rpc_url = fake_http_url(silent);
    running_start(&r);
    clock_sleep_ms(300);
    start = clock_monotonic_ms();
    runner_stop(r.runner);
    assert_true(clock_monotonic_ms() - start < 3000);
    writer_close(r.writer);
    fake_http_free(silent);
    fault_free(r.fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_receipts_stop_nothing),
        cmocka_unit_test(an_empty_answer_is_not_believed),
        cmocka_unit_test(an_answer_that_is_none_is_of_this_day),
        cmocka_unit_test(long_ranges_of_logs_are_halved),
        cmocka_unit_test(bytes_that_no_node_takes_are_voided),
        cmocka_unit_test(whom_the_token_refuses_costs_nothing),
        cmocka_unit_test(a_token_that_refuses_everybody_halts_until_it_does_not),
        cmocka_unit_test(a_request_outlives_a_hiccup),
        cmocka_unit_test(a_request_is_answered_for_its_own_batch),
        cmocka_unit_test(stopping_does_not_wait_for_a_silent_node),
    };

    return cmocka_run_group_tests_name("faults", tests, secp_and_http_setup, secp_and_http_teardown);
}
