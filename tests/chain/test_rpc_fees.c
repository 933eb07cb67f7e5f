/* What a node says about fees, and whose transaction took a nonce; the answers are canned, one a request. */
#include "chain/rpc_fees.h"

#include <stdio.h>

#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

#define HASH_1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define HASH_2 "0x2222222222222222222222222222222222222222222222222222222222222222"
#define ADDRESS_1 "0x1111111111111111111111111111111111111111"
#define ADDRESS_2 "0x2222222222222222222222222222222222222222"
#define RESULT(id, text) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" text "}"
#define NO(id, code, message) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message "\"}}"
#define BLOCK(more) "{\"number\":\"0x10\",\"timestamp\":\"0x64\",\"gasLimit\":\"0x1c9c380\"" more ",\"hash\":\"" HASH_1 "\"}"
#define BASE ",\"baseFeePerGas\":\"0x7\""
#define HISTORY "{\"baseFeePerGas\":[\"0x1\",\"0x3\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x9\"]]}"
#define TX(from, nonce, hash) "{\"from\":\"" from "\",\"nonce\":\"" nonce "\",\"hash\":\"" hash "\"}"

typedef bool asker(struct rpc *rpc, struct buf *found, struct err *err);

static bool ask_market(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct fee_market m;

    if (!rpc_fee_market(rpc, &m, err))
        return false;
    return m.legacy ? buf_printf(found, "price %llu", (unsigned long long)m.gas_price.v.limb[0])
                    : buf_printf(found, "next base fee %llu", (unsigned long long)m.history.next_base_fee.v.limb[0]);
}

static bool ask_data_fee(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct buf bytes;
    struct wei fee;
    bool ok;

    buf_init(&bytes);
    buf_add_zeros(&bytes, 100);
    ok = rpc_data_fee(rpc, &bytes, &fee, err);
    buf_clear(&bytes);
    return ok && buf_printf(found, "%llu, %u bits", (unsigned long long)fee.v.limb[0], u256_bits(fee.v));
}

static bool ask_taker(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct address one;
    struct tx_hash hash = { 0 };
    bool any;

    memset(&one, 0x11, sizeof one);
    return rpc_tx_in_block(rpc, 16, one, 5, &hash, &any, err) && buf_printf(found, "%d %02x", any, hash.h.b[0]);
}

static const struct fees_case { const char *name; asker *ask; const char *bodies[3], *found; enum err_code code; } cases[] = {
    { "a chain with a base fee is asked for its history", ask_market,
      { RESULT("1", BLOCK(BASE)), RESULT("2", HISTORY) }, "next base fee 3", ERR_NONE },
    { "a chain without one is asked for its gas price", ask_market,
      { RESULT("1", BLOCK("")), RESULT("2", "\"0x2a\"") }, "price 42", ERR_NONE },
    { "a base fee of null is none", ask_market,
      { RESULT("1", BLOCK(",\"baseFeePerGas\":null")), RESULT("2", "\"0x2a\"") }, "price 42", ERR_NONE },
    { "a node without eth_feeHistory is asked for its gas price", ask_market,
      { RESULT("1", BLOCK(BASE)), NO("2", "-32601", "the method eth_feeHistory does not exist/is not available"),
        RESULT("3", "\"0x2a\"") }, "price 42", ERR_NONE },
    { "an old node's words for it are known too", ask_market,
      { RESULT("1", BLOCK(BASE)), NO("2", "-32000", "Method not found"), RESULT("3", "\"0x2a\"") }, "price 42", ERR_NONE },
    { "a history that cannot be read now is no reason for the older kind", ask_market,
      { RESULT("1", BLOCK(BASE)), NO("2", "-32000", "header not found") }, "", ERR_CHAIN },
    { "a node that is busy is no reason either", ask_market,
      { RESULT("1", BLOCK(BASE)), NO("2", "-32005", "rate limit") }, "", ERR_AGAIN },
    { "a gas price over 256 bits is refused", ask_market,
      { RESULT("1", BLOCK("")), RESULT("2", "\"0x10000000000000000000000000000000000000000000000000000000000000000\"") }, "",
      ERR_INVALID },
    { "where there is no oracle data costs nothing", ask_data_fee, { RESULT("1", "\"0x\"") }, "0, 0 bits", ERR_NONE },
    { "the oracle's fee is read", ask_data_fee,
      { RESULT("1", "\"0x00000000000000000000000000000000000000000000000000000000000003e8\"") }, "1000, 10 bits", ERR_NONE },
    { "an absurd fee is read as it is", ask_data_fee,
      { RESULT("1", "\"0x8000000000000000000000000000000000000000000000000000000000000000\"") }, "0, 256 bits", ERR_NONE },
    { "an answer of two bytes is refused", ask_data_fee, { RESULT("1", "\"0x0102\"") }, "", ERR_INVALID },
    { "an oracle that refuses is an error", ask_data_fee, { NO("1", "3", "execution reverted") }, "", ERR_CHAIN },
    { "the transaction of an account and nonce is found", ask_taker,
      { RESULT("1", "{\"transactions\":[" TX(ADDRESS_2, "0x5", HASH_1) "," TX(ADDRESS_1, "0x4", HASH_1) ","
                    TX(ADDRESS_1, "0x5", HASH_2) "]}") }, "1 22", ERR_NONE },
    { "another's is not", ask_taker, { RESULT("1", "{\"transactions\":[" TX(ADDRESS_2, "0x5", HASH_1) "]}") }, "0 00", ERR_NONE },
    { "a block that is not there has none", ask_taker, { RESULT("1", "null") }, "0 00", ERR_NONE },
    { "a transaction without its hash is refused", ask_taker,
      { RESULT("1", "{\"transactions\":[{\"from\":\"" ADDRESS_1 "\",\"nonce\":\"0x5\"}]}") }, "", ERR_INVALID },
};

static void answer_is_read(void **state)
{
    const struct fees_case *c = *state;
    struct fake_reply replies[ARRAY_LEN(c->bodies)] = { { .body = NULL } };
    struct fake_http *fake;
    struct rpc *rpc = NULL;
    struct buf found;
    struct err err = { 0 };
    size_t count = 0;

    for (; count < ARRAY_LEN(c->bodies) && c->bodies[count] != NULL; count++)
        replies[count].body = c->bodies[count];
    fake = fake_http_new(replies, count);
    assert_true(rpc_new(fake_http_url(fake), &rpc, &err));
    buf_init(&found);
    assert_int_equal(c->ask(rpc, &found, &err), c->code == ERR_NONE);
    if (c->code != ERR_NONE)
        assert_int_equal(err.code, c->code);
    assert_string_equal(buf_text(&found), c->found);
    buf_clear(&found);
    rpc_free(rpc);
    fake_http_free(fake);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ cases[i].name, answer_is_read, NULL, NULL, (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("rpc_fees", tests, http_setup, http_teardown);
}
