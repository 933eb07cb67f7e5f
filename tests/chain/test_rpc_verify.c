/* Endpoints of another chain, and one that is told to stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/rpc.h"
#include "gateway/base/clock.h"
#include "tests/support/fake_http.h"

/* A node with its chain and its height; ids are given back as they came. */
struct node { const char *chain, *height; unsigned asked; };

static bool node_answers(void *self, const char *request, struct buf *answer)
{
    struct node *n = self;
    const char *id = strstr(request, "\"id\":");

    if (strstr(request, "eth_chainId") == NULL)
        n->asked++;
    buf_printf(answer, "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":\"%s\"}", strtol(id + 5, NULL, 10),
               strstr(request, "eth_chainId") != NULL ? n->chain : n->height);
    return true;
}

static struct rpc *rpc_of(const char *urls)
{
    struct err err = { 0 };
    struct rpc *rpc;

    if (!rpc_new(urls, &rpc, &err))
        fail_msg("%s", err.text);
    rpc_expect_chain(rpc, 31337);
    return rpc;
}

static void one_of_another_chain_is_never_asked(void **state)
{
    struct node wrong = { "0x3e7", "0x9", 0 }, right = { "0x7a69", "0x5", 0 };
    struct fake_http *first = fake_http_new_proxy(NULL, node_answers, &wrong);
    struct fake_http *second = fake_http_new_proxy(NULL, node_answers, &right);
    struct address to = { { 1 } };
    char urls[2 * FAKE_URL_MAX + 2];
    struct err err = { 0 };
    uint64_t gas = 0;
    struct rpc *rpc;
    struct buf data;

    (void)state;
    snprintf(urls, sizeof urls, "%s,%s", fake_http_url(first), fake_http_url(second));
    rpc = rpc_of(urls);
    buf_init(&data);
    if (!rpc_estimate_gas(rpc, to, &to, &data, &gas, &err))
        fail_msg("%s", err.text);
    assert_int_equal(gas, 5);
    assert_int_equal(wrong.asked, 0);
    /* Another node behind the same address: what it says does not count either. */
    right.chain = "0x1";
    assert_false(rpc_estimate_gas(rpc, to, &to, &data, &gas, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_non_null(strstr(err.text, "chain"));
    rpc_free(rpc);
    fake_http_free(first);
    fake_http_free(second);
}

/* What was sent to it before it said so may have been taken. */
static void a_send_that_another_chain_answers_leaves_it_open(void **state)
{
    struct node node = { "0x7a69", "0x5", 0 };
    struct fake_http *fake = fake_http_new_proxy(NULL, node_answers, &node);
    struct rpc *rpc = rpc_of(fake_http_url(fake));
    struct address account = { { 1 } };
    struct tx_hash hash = { { { 1 } } };
    struct err err = { 0 };
    uint64_t nonce;
    struct buf raw;

    (void)state;
    buf_init(&raw);
    buf_add_byte(&raw, 2);
    assert_true(rpc_nonce(rpc, account, BLOCK_LATEST, &nonce, &err));
    node.chain = "0x1";
    assert_false(rpc_send_raw(rpc, &raw, hash, &err));
    assert_int_equal(err.code, ERR_UNKNOWN);
    assert_false(rpc_send_raw(rpc, &raw, hash, &err));       /* now it is known: nothing was sent */
    assert_int_equal(err.code, ERR_AGAIN);
    buf_clear(&raw);
    rpc_free(rpc);
    fake_http_free(fake);
}

static void a_stop_ends_the_wait_for_a_silent_node(void **state)
{
    static const struct fake_reply silence = { .manner = FAKE_HANGS };
    struct fake_http *fake = fake_http_new(&silence, 1);
    uint64_t start = clock_monotonic_ms(), id;
    struct err err = { 0 };
    atomic_bool stop = true;
    struct rpc *rpc;

    (void)state;
    assert_true(rpc_new(fake_http_url(fake), &rpc, &err));
    rpc_set_stop(rpc, &stop);
    assert_false(rpc_chain_id(rpc, &id, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    assert_true(clock_monotonic_ms() - start < 3000);
    rpc_free(rpc);
    fake_http_free(fake);
}

static int start(void **state)
{
    struct err err = { 0 };

    (void)state;
    return http_start(&err) ? 0 : 1;
}

static int stop(void **state)
{
    (void)state;
    http_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_another_chain_is_never_asked),
        cmocka_unit_test(a_send_that_another_chain_answers_leaves_it_open),
        cmocka_unit_test(a_stop_ends_the_wait_for_a_silent_node),
    };

    return cmocka_run_group_tests_name("rpc_verify", tests, start, stop);
}
