/* Who is asked, who is left out for how long, and how it comes back. */
#include "chain/rpc_health.h"

#include <stdio.h>

#include "tests/support/quorum.h"
#include "tests/support/vectors.h"

/* A question that one endpoint answers, the first in the list that is asked at all. */
static bool ask_fee(struct quorum *q)
{
    uint64_t id;

    q->err = (struct err){ 0 };
    return rpc_chain_id(q->rpc, &id, &q->err);
}

static bool ask_head(struct quorum *q)
{
    struct block b;

    q->err = (struct err){ 0 };
    return rpc_block(q->rpc, BLOCK_LATEST, &b, &q->err);
}

static void one_that_fails_three_times_is_left_out(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    assert_true(ask_head(&q));
    q.nodes[0].broken = true;
    for (int i = 1; i <= 3; i++) {
        assert_state(&q, 0, ENDPOINT_UP);
        quorum_later(&q, 500);
        assert_true(ask_head(&q));
        assert_int_equal(quorum_health(&q, 0).failures, i);
    }
    assert_state(&q, 0, ENDPOINT_DOWN);
    assert_int_equal(q.told, 1);
    assert_non_null(strstr(q.last.why, "not JSON"));
    quorum_close(&q);
}

static void one_that_never_answered_is_left_out_at_once(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[2].broken = true;
    assert_true(ask_head(&q));
    assert_state(&q, 2, ENDPOINT_DOWN);
    quorum_close(&q);
}

/* Full jitter: anywhere from 1 s to 2 s after the first, up to 60 s later on. */
static const struct pause_case { const char *name; bool longest; uint64_t pauses[8]; } pauses[] = {
    { "the shortest pause is a second each time", false, { 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 } },
    { "the longest doubles up to a minute", true, { 2000, 2000, 2000, 2000, 4000, 8000, 16000, 32000 } },
};

static void pauses_grow_by_chance(void **state)
{
    const struct pause_case *c = *state;
    struct quorum q;

    quorum_open(&q, 3);
    q.nodes[0].broken = true;
    for (size_t i = 0; i < ARRAY_LEN(c->pauses); i++) {
        /* Chance is taken modulo the span plus one. */
        q.chance = c->longest ? c->pauses[i] - 1000 : 0;
        assert_true(ask_head(&q));
        assert_int_equal(quorum_health(&q, 0).retry_in_ms, c->pauses[i]);
        quorum_later(&q, c->pauses[i]);
    }
    q.chance = 59000;
    for (int i = 0; i < 3; i++) {
        assert_true(ask_head(&q));
        assert_int_equal(quorum_health(&q, 0).retry_in_ms, RPC_BACKOFF_MAX_MS);
        quorum_later(&q, RPC_BACKOFF_MAX_MS);
    }
    q.chance = 59001;                          /* over the span: from its start again */
    assert_true(ask_head(&q));
    assert_int_equal(quorum_health(&q, 0).retry_in_ms, RPC_BACKOFF_MIN_MS);
    assert_int_equal(q.told, 1);               /* once a change, not once a try */
    quorum_close(&q);
}

static void one_that_is_left_out_is_not_asked(void **state)
{
    struct quorum q;
    unsigned asked;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].broken = true;
    assert_true(ask_head(&q));
    q.nodes[0].broken = false;
    asked = q.nodes[0].asked;
    quorum_later(&q, 999);
    assert_true(ask_head(&q));
    assert_int_equal(q.nodes[0].asked, asked);
    quorum_later(&q, 500);
    assert_true(ask_head(&q));                 /* its pause is over: one good answer brings it back */
    assert_state(&q, 0, ENDPOINT_UP);
    assert_int_equal(quorum_health(&q, 0).failures, 0);
    assert_int_equal(q.told, 2);
    quorum_close(&q);
}

static void a_slow_one_is_left_out(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].takes_ms = 6000;
    for (int i = 0; i < 3; i++) {
        assert_true(ask_head(&q));
        quorum_later(&q, 500);
    }
    assert_state(&q, 0, ENDPOINT_SLOW);
    assert_non_null(strstr(q.last.why, "answers take"));
    assert_true(quorum_health(&q, 0).latency_ms >= 6000);
    quorum_close(&q);
}

/* One that lets us wait for nothing is not asked twice. */
static void a_silent_one_is_left_out_at_once(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[0].broken = true;
    q.nodes[0].takes_ms = RPC_SLOW_MS;
    assert_true(ask_head(&q));
    assert_state(&q, 0, ENDPOINT_SLOW);
    quorum_close(&q);
}

static void one_of_another_chain_is_left_out(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 3);
    q.nodes[1].chain = 5;
    assert_true(ask_head(&q));
    assert_state(&q, 1, ENDPOINT_OTHER_CHAIN);
    assert_string_equal(q.last.why, "it is of chain 5, not of 31337");
    assert_int_equal(q.nodes[1].asked, 0);
    q.nodes[1].chain = 31337;
    quorum_later(&q, 60000);
    assert_true(ask_head(&q));
    assert_state(&q, 1, ENDPOINT_UP);
    quorum_close(&q);
}

static void of_two_one_that_is_down_makes_money_wait(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    assert_true(ask_head(&q));
    q.nodes[1].broken = true;
    quorum_later(&q, 1000);
    for (int i = 0; i < 4; i++) {
        assert_false(ask_head(&q));                /* it had answered before: three times */
        assert_int_equal(q.err.code, ERR_AGAIN);
        assert_true(rpc_waits_for_agreement(q.rpc));
        assert_non_null(strstr(q.err.text, "money waits for two endpoints that agree"));
        assert_non_null(strstr(q.err.text, quorum_health(&q, 0).name));
        assert_non_null(strstr(q.err.text, quorum_health(&q, 1).name));
    }
    assert_non_null(strstr(q.err.text, "down: eth_chainId: the answer is not JSON"));
    q.nodes[1].broken = false;
    quorum_later(&q, 60000);
    assert_true(ask_head(&q));
    assert_false(rpc_waits_for_agreement(q.rpc));
    quorum_close(&q);
}

/* There is none to ask in its place. */
static void the_only_one_is_asked_however_it_fares(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 1);
    q.nodes[0].broken = true;
    for (int i = 0; i < 5; i++)
        assert_false(ask_head(&q));
    assert_state(&q, 0, ENDPOINT_DOWN);
    assert_false(rpc_waits_for_agreement(q.rpc));
    q.nodes[0].broken = false;
    assert_true(ask_head(&q));
    assert_state(&q, 0, ENDPOINT_UP);
    quorum_close(&q);
}

static void nobody_to_ask_says_why(void **state)
{
    struct quorum q;

    (void)state;
    quorum_open(&q, 2);
    q.nodes[0].chain = q.nodes[1].chain = 5;
    assert_false(ask_fee(&q));
    assert_false(ask_fee(&q));
    assert_int_equal(q.err.code, ERR_AGAIN);
    assert_non_null(strstr(q.err.text, "other-chain: it is of chain 5, not of 31337"));
    quorum_close(&q);
}

static void a_node_that_names_a_pause_gets_it(void **state)
{
    static const struct fake_reply later = { .status = 429, .headers = "Retry-After: 30\r\n" };
    struct fake_http *busy = fake_http_new(&later, 1);
    char urls[2 * FAKE_URL_MAX];
    struct rpc_health list[RPC_URLS_MAX];
    struct err err = { 0 };
    struct quorum q;
    struct rpc *rpc;
    uint64_t id;

    (void)state;
    quorum_open(&q, 1);
    snprintf(urls, sizeof urls, "%s,%s", fake_http_url(busy), fake_http_url(q.nodes[0].http));
    assert_true(rpc_new(urls, &rpc, &err));
    rpc_set_clock(rpc, &q.clock, NULL, NULL);
    assert_true(rpc_chain_id(rpc, &id, &err));
    assert_int_equal(rpc_health(rpc, list), 2);
    assert_int_equal(list[0].state, ENDPOINT_DOWN);
    assert_int_equal(list[0].retry_in_ms, 30000);
    rpc_free(rpc);
    quorum_close(&q);
    fake_http_free(busy);
}

#define CASE(test) cmocka_unit_test(test)
int main(void)
{
    static const struct CMUnitTest others[] = {
        CASE(one_that_fails_three_times_is_left_out), CASE(one_that_never_answered_is_left_out_at_once),
        CASE(one_that_is_left_out_is_not_asked), CASE(a_slow_one_is_left_out),
        CASE(a_silent_one_is_left_out_at_once), CASE(one_of_another_chain_is_left_out),
        CASE(of_two_one_that_is_down_makes_money_wait), CASE(the_only_one_is_asked_however_it_fares),
        CASE(nobody_to_ask_says_why), CASE(a_node_that_names_a_pause_gets_it),
    };
    struct CMUnitTest tests[ARRAY_LEN(pauses) + ARRAY_LEN(others)];
    struct err err = { 0 };
    size_t n = 0;
    int failed;

    for (const struct pause_case *c = pauses; c < pauses + ARRAY_LEN(pauses); c++)
        tests[n++] = (struct CMUnitTest){ c->name, pauses_grow_by_chance, NULL, NULL, (void *)(uintptr_t)c };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    if (!http_start(&err))
        return 1;
    failed = cmocka_run_group_tests_name("rpc_health", tests, NULL, NULL);
    http_stop();
    return failed;
}
