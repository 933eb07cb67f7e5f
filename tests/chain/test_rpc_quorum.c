/* Several endpoints: two that agree are believed, who says otherwise is left out by name. */
#include "chain/rpc_health.h"

#include <stdio.h>

#include "tests/support/quorum.h"
#include "tests/support/vectors.h"

/* ---- questions, their answers put into words ---- */

static const struct address account = { { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                          0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11 } };

typedef bool asker(struct quorum *q, struct buf *found);

static bool ask_receipt(struct quorum *q, struct buf *found)
{
    struct tx_hash hash;
    struct tx_receipt r;

    memset(&hash, 0x11, sizeof hash);
    if (!rpc_tx_receipt(q->rpc, hash, &r, &q->err))
        return false;
    logs_clear(&r.logs);
    return r.found ? buf_printf(found, "block %llu, success %d", (unsigned long long)r.block, r.success)
                   : buf_add_text(found, "none");
}

static bool ask_nonce(struct quorum *q, struct buf *found)
{
    uint64_t nonce;

    return rpc_nonce(q->rpc, account, BLOCK_LATEST, &nonce, &q->err) && buf_printf(found, "%llu", (unsigned long long)nonce);
}

static bool ask_pending(struct quorum *q, struct buf *found)
{
    uint64_t nonce;

    return rpc_nonce(q->rpc, account, BLOCK_PENDING, &nonce, &q->err) && buf_printf(found, "%llu", (unsigned long long)nonce);
}

static bool ask_head(struct quorum *q, struct buf *found)
{
    struct block b;

    return rpc_block(q->rpc, BLOCK_LATEST, &b, &q->err)
        && buf_printf(found, "%llu%s", (unsigned long long)b.number, b.hash.b[0] == 0xff ? " forked" : "");
}

static bool ask_finalized(struct quorum *q, struct buf *found)
{
    struct block b;

    return rpc_block(q->rpc, BLOCK_FINALIZED, &b, &q->err) && buf_printf(found, "%llu", (unsigned long long)b.number);
}

static bool ask_block_95(struct quorum *q, struct buf *found)
{
    struct block b;

    return rpc_block_at(q->rpc, 95, &b, &q->err) && buf_printf(found, "%02x", b.hash.b[0]);
}

static bool ask_call(struct quorum *q, struct buf *found)
{
    struct buf data, result;
    bool ok;

    buf_init(&data);
    buf_init(&result);
    ok = rpc_call(q->rpc, NULL, account, &data, &result, &q->err) && buf_printf(found, "%02x", result.data[0]);
    buf_clear(&result);
    return ok;
}

static bool ask_many(struct quorum *q, struct buf *found)
{
    struct buf data[2], results[2];
    bool ok;

    buf_init(&data[0]);
    buf_init(&data[1]);
    ok = rpc_call_many(q->rpc, account, data, 2, results, &q->err)
      && buf_printf(found, "%02x %02x", results[0].data[0], results[1].data[0]);
    buf_clear(&results[0]);
    buf_clear(&results[1]);
    return ok;
}

static bool ask_logs(struct quorum *q, struct buf *found)
{
    struct logs logs;

    if (!rpc_logs(q->rpc, account, NULL, 0, 1, 10, &logs, &q->err))
        return false;
    buf_printf(found, "%zu", logs.count);
    logs_clear(&logs);
    return true;
}

/* wanted NULL: money waits. */
static void expect(struct quorum *q, asker *ask, const char *wanted)
{
    struct buf found;
    bool ok;

    buf_init(&found);
    q->err = (struct err){ 0 };
    ok = ask(q, &found);
    if (wanted == NULL) {
        assert_false(ok);
        assert_int_equal(q->err.code, ERR_AGAIN);
        assert_true(rpc_waits_for_agreement(q->rpc));
        assert_non_null(strstr(q->err.text, "money waits"));
    } else {
        if (!ok)
            fail_msg("%s", q->err.text);
        assert_string_equal(buf_text(&found), wanted);
        assert_false(rpc_waits_for_agreement(q->rpc));
    }
    buf_clear(&found);
}

static void assert_told_of(struct quorum *q, size_t node)
{
    char name[FAKE_URL_MAX];

    snprintf(name, sizeof name, "%s", fake_http_url(q->nodes[node].http));
    name[strlen(name) - 1] = '\0';
    assert_non_null(strstr(q->err.text, name));
}

/* ---- lies ---- */

static void lie_status(struct fake_node *n) { n->fails = true; }
static void lie_receipt(struct fake_node *n) { n->receipt_block = 91; }
static void lie_nonce(struct fake_node *n) { n->nonce = 9; }
static void lie_call(struct fake_node *n) { n->value = 9; }
static void lie_revert(struct fake_node *n) { n->call_error = "execution reverted"; }
static void lie_block(struct fake_node *n) { n->fork_from = 95; }
static void lie_logs(struct fake_node *n) { n->logs = 3; }

static const struct lie_case { const char *name; void (*lie)(struct fake_node *); asker *ask; const char *truth, *field; } lies[] = {
    { "another status of a receipt", lie_status,  ask_receipt,  "block 90, success 1", "status" },
    { "another block of a receipt",  lie_receipt, ask_receipt,  "block 90, success 1", "its block" },
    { "another count",               lie_nonce,   ask_nonce,    "7",  "eth_getTransactionCount" },
    { "another result of a call",    lie_call,    ask_call,     "01", "eth_call" },
    { "another result of a batch",   lie_call,    ask_many,     "01 01", "eth_call" },
    { "a revert that is none",       lie_revert,  ask_call,     "01", "whether it reverts" },
    { "another block at a height",   lie_block,   ask_block_95, "aa", "hash" },
    { "a log too many",              lie_logs,    ask_logs,     "2",  "the number of logs" },
};

/* Wherever it stands in the list: which two are asked first changes from time to time. */
static void of_three_two_suffice(void **state)
{
    const struct lie_case *c = *state;

    for (size_t liar = 0; liar < 3; liar++) {
        struct quorum q;

        quorum_open(&q, 3);
        c->lie(&q.nodes[liar]);
        for (int i = 0; i < 3; i++)
            expect(&q, c->ask, c->truth);
        assert_state(&q, liar, ENDPOINT_LYING);
        assert_int_equal(q.told, 1);
        assert_int_equal(q.last.state, ENDPOINT_LYING);
        assert_non_null(strstr(q.last.why, c->field));
        assert_state(&q, (liar + 1) % 3, ENDPOINT_UP);
        assert_state(&q, (liar + 2) % 3, ENDPOINT_UP);
        quorum_close(&q);
    }
}

static void of_two_that_differ_money_waits(void **state)
{
    const struct lie_case *c = *state;
    struct quorum q;

    quorum_open(&q, 2);
    c->lie(&q.nodes[1]);
    expect(&q, c->ask, NULL);
    assert_told_of(&q, 0);
    assert_told_of(&q, 1);
    assert_non_null(strstr(q.err.text, c->field));
    assert_int_equal(q.told, 0);              /* nobody can say which of them it is */
    quorum_close(&q);
}

static void a_liar_stays_out_longer_each_time(void **state)
{
    uint64_t pauses[] = { 60000, 120000, 240000, 480000, 960000, 1920000, 3600000, 3600000 };
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    lie_logs(&q.nodes[0]);
    for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
        for (int n = 0; n < 3; n++)
            expect(&q, ask_logs, "2");
        assert_int_equal(quorum_health(&q, 0).retry_in_ms, pauses[i]);
        quorum_later(&q, pauses[i]);
        expect(&q, ask_head, "100");          /* it is heard again */
        assert_state(&q, 0, ENDPOINT_UP);
    }
    quorum_close(&q);
}

/* ---- a no is no evidence ---- */

static void a_missing_receipt_undoes_none(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[1].receipt_block = 0;
    for (int i = 0; i < 4; i++)
        expect(&q, ask_receipt, "block 90, success 1");
    assert_state(&q, 1, ENDPOINT_UP);          /* absence is no lie */
    assert_int_equal(q.told, 0);
    quorum_close(&q);
    quorum_open(&q, 2);
    q.nodes[1].receipt_block = 0;
    expect(&q, ask_receipt, NULL);
    assert_non_null(strstr(q.err.text, "whether there is a receipt"));
    q.nodes[1].receipt_block = 90;
    expect(&q, ask_receipt, "block 90, success 1");
    quorum_close(&q);
}

static void a_receipt_that_one_alone_has_is_none(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[1].receipt_block = q.nodes[2].receipt_block = 0;
    for (int i = 0; i < 3; i++)
        expect(&q, ask_receipt, "none");
    assert_state(&q, 0, ENDPOINT_LYING);
    quorum_close(&q);
}

static void a_receipt_counts_once_two_have_its_block(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[0].head = q.nodes[0].receipt_block = 101;
    q.nodes[1].receipt_block = 0;
    expect(&q, ask_receipt, "none");
    quorum_later(&q, 1000);
    q.nodes[1].head = q.nodes[1].receipt_block = 101;
    expect(&q, ask_receipt, "block 101, success 1");
    assert_int_equal(q.told, 0);
    quorum_close(&q);
}

/* Old state: one has it, the other has forgotten it. */
static void one_that_cannot_tell_is_passed_on(void **state)
{
    struct quorum q;
    struct buf found;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[1].call_error = "missing trie node";
    buf_init(&found);
    assert_false(ask_call(&q, &found));
    assert_int_equal(q.err.code, ERR_CHAIN);
    assert_false(rpc_waits_for_agreement(q.rpc));
    assert_int_equal(q.told, 0);
    quorum_close(&q);
    quorum_open(&q, 3);
    q.nodes[1].call_error = "missing trie node";
    for (int i = 0; i < 3; i++)
        expect(&q, ask_call, "01");
    assert_int_equal(q.told, 0);
    quorum_close(&q);
}

/* ---- heads ---- */

static void a_block_behind_is_no_disagreement(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[0].head = 101;
    expect(&q, ask_head, "100");
    expect(&q, ask_nonce, "7");
    assert_string_equal(q.nodes[0].last_block, "0x64");      /* both as of the block that both have */
    assert_string_equal(q.nodes[1].last_block, "0x64");
    expect(&q, ask_call, "01");
    assert_string_equal(q.nodes[0].last_block, "0x64");
    assert_int_equal(q.told, 0);
    quorum_close(&q);
}

static void a_stale_one_is_left_out_until_it_caught_up(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[2].head = 94;
    expect(&q, ask_head, "100");
    assert_state(&q, 2, ENDPOINT_STALE);
    assert_int_equal(quorum_health(&q, 2).lag, 6);
    assert_string_equal(q.last.why, "block 94 is 6 behind");
    quorum_later(&q, 1000);
    q.nodes[2].head = 95;
    expect(&q, ask_head, "100");
    assert_state(&q, 2, ENDPOINT_UP);
    assert_int_equal(q.told, 2);
    quorum_close(&q);
}

static void of_two_a_stale_one_makes_money_wait(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[0].head = 200;
    expect(&q, ask_receipt, NULL);
    assert_told_of(&q, 1);
    assert_non_null(strstr(q.err.text, "block 100 is 100 behind"));
    quorum_later(&q, 1000);
    q.nodes[1].head = 199;
    expect(&q, ask_receipt, "block 90, success 1");
    quorum_close(&q);
}

/* Nothing here needs a head, and without one nobody would look at who is behind. */
static void a_stale_one_is_looked_at_for_want_of_others(void **state)
{
    static asker *const asks[] = { ask_finalized, ask_pending, ask_block_95 };
    static const char *const want[] = { "80", "7", "aa" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        struct quorum q;

        quorum_open(&q, 2);
        q.nodes[1].head = 50;
        expect(&q, ask_head, NULL);
        assert_state(&q, 1, ENDPOINT_STALE);
        quorum_later(&q, 1000);
        q.nodes[1].head = 100;
        expect(&q, asks[i], want[i]);
        assert_state(&q, 1, ENDPOINT_UP);
        quorum_close(&q);
    }
}

static void one_far_ahead_makes_nobody_stale(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].head = 1000000;
    expect(&q, ask_head, "100");
    assert_int_equal(q.told, 0);
    quorum_close(&q);
}

static void a_fork_at_the_tip_is_looked_below(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[1].fork_from = 99;
    expect(&q, ask_head, "98");
    assert_int_equal(q.told, 0);
    quorum_close(&q);
    quorum_open(&q, 2);
    q.nodes[1].fork_from = 50;
    expect(&q, ask_head, NULL);
    assert_told_of(&q, 0);
    assert_told_of(&q, 1);
    quorum_close(&q);
}

static void a_forked_one_is_left_out_until_it_is_back(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].fork_from = 50;
    expect(&q, ask_head, "100");
    assert_state(&q, 0, ENDPOINT_FORKED);
    assert_string_equal(q.last.why, "another block 95 than the others");
    q.nodes[0].receipt_block = 60;
    expect(&q, ask_receipt, "block 90, success 1");
    q.nodes[0].fork_from = 0;
    quorum_later(&q, 1000);
    expect(&q, ask_head, "100");
    assert_state(&q, 0, ENDPOINT_UP);
    quorum_close(&q);
}

static void two_against_two_is_no_agreement(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 4);
    q.nodes[1].fork_from = q.nodes[2].fork_from = 50;
    expect(&q, ask_head, NULL);
    quorum_close(&q);
}

static void finalized_is_what_two_say(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].finalized = 90;
    q.nodes[1].finalized = 70;
    expect(&q, ask_finalized, "80");
    assert_int_equal(quorum_health(&q, 0).finalized, 90);
    assert_int_equal(quorum_health(&q, 1).finalized, 70);
    quorum_later(&q, 1000);
    q.nodes[2].finalized = 60;                 /* what was final is so for good */
    expect(&q, ask_finalized, "70");
    assert_state(&q, 2, ENDPOINT_LYING);
    assert_string_equal(q.last.why, "its finalized block went back from 80 to 60");
    quorum_close(&q);
    quorum_open(&q, 2);
    q.nodes[0].finalized = q.nodes[1].finalized = 0;
    {
        struct block b;

        assert_false(rpc_block(q.rpc, BLOCK_FINALIZED, &b, &q.err));
        assert_int_equal(q.err.code, ERR_NOT_FOUND);
    }
    quorum_close(&q);
}

static void of_pending_counts_the_highest_that_two_have(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].pending = 1000000;
    q.nodes[1].pending = 9;
    expect(&q, ask_pending, "9");
    quorum_close(&q);
}

#define CASE(test) cmocka_unit_test(test)
int main(void)
{
    static const struct CMUnitTest others[] = {
        CASE(a_liar_stays_out_longer_each_time), CASE(a_missing_receipt_undoes_none), CASE(a_receipt_that_one_alone_has_is_none),
        CASE(a_receipt_counts_once_two_have_its_block), CASE(one_that_cannot_tell_is_passed_on),
        CASE(a_block_behind_is_no_disagreement), CASE(a_stale_one_is_left_out_until_it_caught_up),
        CASE(of_two_a_stale_one_makes_money_wait), CASE(a_stale_one_is_looked_at_for_want_of_others), CASE(one_far_ahead_makes_nobody_stale),
        CASE(a_fork_at_the_tip_is_looked_below), CASE(a_forked_one_is_left_out_until_it_is_back),
        CASE(two_against_two_is_no_agreement), CASE(finalized_is_what_two_say),
        CASE(of_pending_counts_the_highest_that_two_have),
    };
    struct CMUnitTest tests[2 * ARRAY_LEN(lies) + ARRAY_LEN(others)];
    struct err err = { 0 };
    size_t n = 0;
    int failed;

    for (const struct lie_case *c = lies; c < lies + ARRAY_LEN(lies); c++) {
        tests[n++] = (struct CMUnitTest){ c->name, of_three_two_suffice, NULL, NULL, (void *)(uintptr_t)c };
        tests[n++] = (struct CMUnitTest){ c->name, of_two_that_differ_money_waits, NULL, NULL, (void *)(uintptr_t)c };
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    if (!http_start(&err))
        return 1;
    failed = cmocka_run_group_tests_name("rpc_quorum", tests, NULL, NULL);
    http_stop();
    return failed;
}
