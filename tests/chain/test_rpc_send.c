#include "chain/rpc_health.h"

#include <stdio.h>

#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

/* Ours is the hash 0x11...11; the ids of a new rpc begin at 1. */
#define OURS   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1111111111111111111111111111111111111111111111111111111111111111\"}"
#define THEIRS "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x2222222222222222222222222222222222222222222222222222222222222222\"}"
#define NO(message) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"" message "\"}}"

static const struct send_case {
    const char *name;
    struct fake_reply first, second;
    bool two;                   /* second endpoint is there */
    enum err_code code;         /* ERR_NONE: taken */
    enum rpc_class class;
    size_t second_requests;
} cases[] = {
    { "our hash in answer means taken", { .body = OURS }, { 0 }, false, ERR_NONE, RPC_UNKNOWN, 0 },
    { "already known means taken", { .body = NO("already known") }, { 0 }, false, ERR_NONE, RPC_KNOWN, 0 },
    { "another hash leaves it open", { .body = THEIRS }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "an empty result leaves it open", { .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}" }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "an empty answer leaves it open", { .body = "" }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "a page in place of JSON leaves it open", { .body = "<html>" }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "an answer to another request leaves it open", { .body = "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":true}" }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "words nobody knows leave it open", { .body = NO("internal error") }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "a reset leaves it open", { .manner = FAKE_RESETS }, { 0 }, false, ERR_UNKNOWN, RPC_UNKNOWN, 0 },
    { "a gateway's 502 leaves it open", { .status = 502, .body = "bad gateway" }, { 0 }, false, ERR_UNKNOWN, RPC_DOWN, 0 },
    { "a 429 was not taken", { .status = 429, .body = NO("slow down") }, { 0 }, false, ERR_AGAIN, RPC_DOWN, 0 },
    { "a 403 was not taken", { .status = 403 }, { 0 }, false, ERR_AGAIN, RPC_DOWN, 0 },
    { "a syncing node has not taken it", { .body = NO("node is syncing") }, { 0 }, false, ERR_AGAIN, RPC_DOWN, 0 },
    { "a used nonce is a clear no", { .body = NO("nonce too low") }, { 0 }, false, ERR_CHAIN, RPC_NONCE_USED, 0 },
    { "missing funds are a clear no", { .body = NO("insufficient funds for gas * price + value") }, { 0 }, false, ERR_CHAIN, RPC_FUNDS, 0 },
    { "what one took goes to the others, too", { .body = OURS }, { .body = OURS }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "a later no does not undo a yes", { .body = OURS }, { .body = NO("nonce too low") }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "an earlier no does not undo a yes", { .body = NO("nonce too low") }, { .body = OURS }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "a later silence does not undo a yes", { .body = OURS }, { .manner = FAKE_RESETS }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "a no of all counts before a no of its own", { .body = NO("txpool is full") }, { .body = NO("nonce too low") }, true, ERR_CHAIN, RPC_NONCE_USED, 1 },
    { "bytes that one refuses and one does not see are not refused for good", { .body = NO("intrinsic gas too low") }, { .status = 429 }, true, ERR_AGAIN, RPC_DOWN, 1 },
    { "bytes that both refuse are", { .body = NO("intrinsic gas too low") }, { .body = NO("intrinsic gas too low") }, true, ERR_CHAIN, RPC_BAD_GAS, 1 },
    { "a full pool sends it to the next endpoint", { .body = NO("txpool is full") }, { .body = OURS }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "a reset sends it to the next endpoint", { .manner = FAKE_RESETS }, { .body = OURS }, true, ERR_NONE, RPC_UNKNOWN, 1 },
    { "one endpoint's no does not undo another's silence", { .manner = FAKE_RESETS }, { .body = NO("nonce too low") }, true, ERR_UNKNOWN, RPC_UNKNOWN, 1 },
    { "the next endpoint may have it already", { .manner = FAKE_RESETS }, { .body = NO("already known") }, true, ERR_NONE, RPC_KNOWN, 1 },
};

static struct tx_hash ours(void)
{
    struct tx_hash h;

    memset(&h, 0x11, sizeof h);
    return h;
}

static bool send_to(const char *urls, enum rpc_class *class, struct err *err)
{
    struct rpc *rpc = NULL;
    struct buf raw;
    bool ok;

    buf_init(&raw);
    buf_add_byte(&raw, 2);
    assert_true(rpc_new(urls, &rpc, err));
    ok = rpc_send_raw(rpc, &raw, ours(), err);
    *class = rpc_last_class(rpc);
    rpc_free(rpc);
    buf_clear(&raw);
    return ok;
}

static void sending_ends_as_expected(void **state)
{
    const struct send_case *c = *state;
    struct fake_http *first = fake_http_new(&c->first, 1), *second = fake_http_new(&c->second, 1);
    enum rpc_class class;
    struct err err = { 0 };
    char urls[2 * FAKE_URL_MAX];
    bool ok;

    snprintf(urls, sizeof urls, c->two ? "%s, %s" : "%s", fake_http_url(first), fake_http_url(second));
    ok = send_to(urls, &class, &err);
    assert_int_equal(ok, c->code == ERR_NONE);
    if (!ok)
        assert_int_equal(err.code, c->code);
    if (!ok || c->class != RPC_UNKNOWN)
        assert_string_equal(rpc_class_name(class), rpc_class_name(c->class));
    assert_int_equal(fake_http_requests(first), 1);
    assert_int_equal(fake_http_requests(second), c->second_requests);
    fake_http_free(first);
    fake_http_free(second);
}

static void what_each_said_is_told(void **state)
{
    static const struct fake_reply yes = { .body = OURS }, no = { .body = NO("nonce too low") };
    struct fake_http *first = fake_http_new(&yes, 1), *second = fake_http_new(&no, 1);
    char urls[2 * FAKE_URL_MAX], want[4 * FAKE_URL_MAX];
    const char *a = fake_http_url(first), *b = fake_http_url(second);
    struct rpc *rpc = NULL;
    struct err err = { 0 };
    struct buf raw;

    (void)state;
    buf_init(&raw);
    buf_add_byte(&raw, 2);
    snprintf(urls, sizeof urls, "%s,%s", a, b);
    snprintf(want, sizeof want, "%.*s: taken; %.*s: nonce too low (nonce-used, code -32000)", (int)strlen(a) - 1, a,
             (int)strlen(b) - 1, b);
    assert_true(rpc_new(urls, &rpc, &err));
    assert_true(rpc_send_raw(rpc, &raw, ours(), &err));
    assert_string_equal(rpc_send_answers(rpc), want);
    rpc_free(rpc);
    buf_clear(&raw);
    fake_http_free(first);
    fake_http_free(second);
}

static void another_hash_is_a_lie(void **state)
{
    static const struct fake_reply yes = { .body = OURS }, other = { .body = THEIRS };
    struct fake_http *first = fake_http_new(&other, 1), *second = fake_http_new(&yes, 1);
    struct rpc_health list[RPC_URLS_MAX];
    char urls[2 * FAKE_URL_MAX];
    struct rpc *rpc = NULL;
    struct err err = { 0 };
    struct buf raw;

    (void)state;
    buf_init(&raw);
    buf_add_byte(&raw, 2);
    snprintf(urls, sizeof urls, "%s,%s", fake_http_url(first), fake_http_url(second));
    assert_true(rpc_new(urls, &rpc, &err));
    assert_true(rpc_send_raw(rpc, &raw, ours(), &err));
    assert_int_equal(rpc_health(rpc, list), 2);
    assert_int_equal(list[0].state, ENDPOINT_LYING);
    assert_int_equal(list[1].state, ENDPOINT_UP);
    rpc_free(rpc);
    buf_clear(&raw);
    fake_http_free(first);
    fake_http_free(second);
}

static void nobody_there_means_never_sent(void **state)
{
    char url[FAKE_URL_MAX];
    enum rpc_class class;
    struct err err = { 0 };

    (void)state;
    fake_http_dead_url(url);
    assert_false(send_to(url, &class, &err));
    assert_int_equal(err.code, ERR_AGAIN);
}

static void an_endpoint_that_is_down_is_passed_over(void **state)
{
    static const struct fake_reply reply = { .body = OURS };
    struct fake_http *fake = fake_http_new(&reply, 1);
    char dead[FAKE_URL_MAX], urls[2 * FAKE_URL_MAX];
    enum rpc_class class;
    struct err err = { 0 };

    (void)state;
    fake_http_dead_url(dead);
    snprintf(urls, sizeof urls, "%s,%s", dead, fake_http_url(fake));
    assert_true(send_to(urls, &class, &err));
    fake_http_free(fake);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 4] = {
        cmocka_unit_test(another_hash_is_a_lie),
        cmocka_unit_test(what_each_said_is_told),
        cmocka_unit_test(nobody_there_means_never_sent),
        cmocka_unit_test(an_endpoint_that_is_down_is_passed_over),
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[4 + i] = (struct CMUnitTest){ cases[i].name, sending_ends_as_expected, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("rpc_send", tests, http_setup, http_teardown);
}
