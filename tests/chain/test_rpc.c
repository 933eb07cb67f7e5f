#include "chain/rpc.h"

#include <stdio.h>

#include "tests/support/fake_http.h"
#include "tests/support/libraries.h"
#include "tests/support/vectors.h"

#define HASH_1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define HASH_2 "0x2222222222222222222222222222222222222222222222222222222222222222"
#define ADDRESS_1 "0x1111111111111111111111111111111111111111"
#define ADDRESS_2 "0x2222222222222222222222222222222222222222"
#define RESULT(json_text) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" json_text "}"
#define NO(message) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"" message "\"}}"

static const struct address one = { { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                      0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11 } };

static struct tx_hash hash_one(void)
{
    struct tx_hash h;

    memset(&h, 0x11, sizeof h);
    return h;
}

static struct rpc *rpc_to(const char *urls)
{
    struct rpc *rpc = NULL;
    struct err err = { 0 };

    if (!rpc_new(urls, &rpc, &err))
        fail_msg("%s", err.text);
    return rpc;
}

/* ---- answers and what a method makes of them ---- */

/* Calls one method; what it found is put into words. */
typedef bool asker(struct rpc *rpc, struct buf *found, struct err *err);

static bool ask_chain_id(struct rpc *rpc, struct buf *found, struct err *err)
{
    uint64_t id;

    return rpc_chain_id(rpc, &id, err) && buf_printf(found, "%llu", (unsigned long long)id);
}

static bool ask_finalized(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct block b;

    return rpc_block(rpc, BLOCK_FINALIZED, &b, err)
        && buf_printf(found, "%llu at %llu, base %llu, gas %llu", (unsigned long long)b.number,
                      (unsigned long long)b.timestamp_s, (unsigned long long)b.base_fee.v.limb[0],
                      (unsigned long long)b.gas_limit);
}

static bool ask_block_7(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct block b;

    return rpc_block_at(rpc, 7, &b, err) && buf_printf(found, "%llu", (unsigned long long)b.number);
}

static bool ask_receipt(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct tx_receipt r;

    if (!rpc_tx_receipt(rpc, hash_one(), &r, err))
        return false;
    buf_printf(found, "found %d, success %d, block %llu, logs %zu", r.found, r.success, (unsigned long long)r.block, r.logs.count);
    if (!u256_is_zero(r.l1_fee.v))
        buf_printf(found, ", L1 fee %llu", (unsigned long long)r.l1_fee.v.limb[0]);
    logs_clear(&r.logs);
    return true;
}

static bool ask_logs(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct hash topic = hash_one().h;
    const struct hash *const topics[] = { &topic, NULL };
    struct logs logs;

    if (!rpc_logs(rpc, one, topics, ARRAY_LEN(topics), 5, 9, &logs, err))
        return false;
    for (size_t i = 0; i < logs.count; i++)
        buf_printf(found, "block %llu, topics %zu, data %zu;", (unsigned long long)logs.list[i].block,
                   logs.list[i].topic_count, logs.list[i].data.len);
    logs_clear(&logs);
    return true;
}

static bool ask_fees(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct fee_history h;

    if (!rpc_fee_history(rpc, 2, 50, &h, err))
        return false;
    buf_printf(found, "next %llu;", (unsigned long long)h.next_base_fee.v.limb[0]);
    for (size_t i = 0; i < h.count; i++)
        buf_printf(found, " %llu used %.2f;", (unsigned long long)h.rewards[i].v.limb[0], h.gas_used_ratio[i]);
    return true;
}

static bool ask_call(struct rpc *rpc, struct buf *found, struct err *err)
{
    struct buf data, result;
    size_t len;
    const uint8_t *revert;
    bool ok;

    buf_init(&data);
    buf_init(&result);
    ok = rpc_call(rpc, NULL, one, &data, &result, err);
    revert = rpc_last_revert(rpc, &len);
    if (ok)
        buf_printf(found, "%zu bytes", result.len);
    else
        buf_printf(found, "%s %zu %d", rpc_class_name(rpc_last_class(rpc)), len, len > 0 ? revert[0] : 0);
    buf_clear(&result);
    buf_clear(&data);
    return ok;
}

#define LOG(address, block, topics) "{\"address\":\"" address "\",\"topics\":[" topics "],\"data\":\"0x0102\",\"blockNumber\":\"" block \
    "\",\"logIndex\":\"0x0\",\"transactionHash\":\"" HASH_2 "\",\"removed\":false}"
#define TOPICS_2 "\"" HASH_1 "\",\"" HASH_2 "\""
#define RECEIPT(hash, status) "{\"transactionHash\":\"" hash "\",\"status\":\"" status "\",\"blockNumber\":\"0x5\",\"gasUsed\":\"0x5208\"," \
    "\"blockHash\":\"" HASH_2 "\",\"from\":\"" ADDRESS_1 "\",\"to\":null,\"contractAddress\":\"" ADDRESS_2 "\",\"logs\":[" \
    LOG(ADDRESS_1, "0x5", TOPICS_2) "]}"
#define RECEIPT_L1(fee) "{\"l1Fee\":" fee ",\"transactionHash\":\"" HASH_1 "\",\"status\":\"0x1\",\"blockNumber\":\"0x5\",\"gasUsed\":\"0x1\"," \
    "\"blockHash\":\"" HASH_2 "\",\"from\":\"" ADDRESS_1 "\",\"to\":null,\"contractAddress\":null,\"logs\":[" LOG(ADDRESS_1, "0x5", TOPICS_2) "]}"
#define BLOCK(number) "{\"number\":\"" number "\",\"timestamp\":\"0x64\",\"gasLimit\":\"0x1c9c380\",\"baseFeePerGas\":\"0x7\",\"hash\":\"" HASH_1 "\"}"

static const struct read_case { const char *name; asker *ask; const char *body, *found; enum err_code code; } reads[] = {
    { "a chain id is read", ask_chain_id, RESULT("\"0x7a69\""), "31337", ERR_NONE },
    { "a number that is no hex is refused", ask_chain_id, RESULT("31337"), "", ERR_INVALID },
    { "a quantity with leading zeros is refused", ask_chain_id, RESULT("\"0x01\""), "", ERR_INVALID },
    { "a quantity over 64 bits is refused", ask_chain_id, RESULT("\"0x10000000000000000\""), "", ERR_INVALID },
    { "neither result nor error is refused", ask_chain_id, "{\"jsonrpc\":\"2.0\",\"id\":1}", "", ERR_INVALID },
    { "the answer to another request is refused", ask_chain_id, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x1\"}", "", ERR_INVALID },
    { "a null error beside a result is no error", ask_chain_id, "{\"id\":1,\"error\":null,\"result\":\"0x1\"}", "1", ERR_NONE },
    { "what is no JSON is refused", ask_chain_id, "nope", "", ERR_INVALID },
    { "a rate limit means later", ask_chain_id, NO("daily request count exceeded, request rate limited"), "", ERR_AGAIN },
    { "a block is read", ask_finalized, RESULT(BLOCK("0x10")), "16 at 100, base 7, gas 30000000", ERR_NONE },
    { "no block under a tag is not found", ask_finalized, RESULT("null"), "", ERR_NOT_FOUND },
    { "a tag the node does not know is not found", ask_finalized, NO("invalid argument 0: hex string without 0x prefix"), "", ERR_NOT_FOUND },
    { "another block than asked for is refused", ask_block_7, RESULT(BLOCK("0x8")), "", ERR_INVALID },
    { "no receipt is no error", ask_receipt, RESULT("null"), "found 0, success 0, block 0, logs 0", ERR_NONE },
    { "a receipt is read", ask_receipt, RESULT(RECEIPT(HASH_1, "0x1")), "found 1, success 1, block 5, logs 1", ERR_NONE },
    { "a failed transaction is told", ask_receipt, RESULT(RECEIPT(HASH_1, "0x0")), "found 1, success 0, block 5, logs 1", ERR_NONE },
    { "what an OP-stack chain took for the data is read", ask_receipt, RESULT(RECEIPT_L1("\"0x3e8\"")),
      "found 1, success 1, block 5, logs 1, L1 fee 1000", ERR_NONE },
    { "a null fee for data is none", ask_receipt, RESULT(RECEIPT_L1("null")), "found 1, success 1, block 5, logs 1", ERR_NONE },
    { "a fee for data that is no quantity is refused", ask_receipt, RESULT(RECEIPT_L1("1000")), "", ERR_INVALID },
    { "a status of two is refused", ask_receipt, RESULT(RECEIPT(HASH_1, "0x2")), "", ERR_INVALID },
    { "another transaction's receipt is refused", ask_receipt, RESULT(RECEIPT(HASH_2, "0x1")), "", ERR_INVALID },
    { "logs are read", ask_logs, RESULT("[" LOG(ADDRESS_1, "0x5", TOPICS_2) "]"), "block 5, topics 2, data 2;", ERR_NONE },
    { "no logs are read", ask_logs, RESULT("[]"), "", ERR_NONE },
    { "logs of another contract are refused", ask_logs, RESULT("[" LOG(ADDRESS_2, "0x5", TOPICS_2) "]"), "", ERR_INVALID },
    { "logs beyond the range are refused", ask_logs, RESULT("[" LOG(ADDRESS_1, "0xa", TOPICS_2) "]"), "", ERR_INVALID },
    { "logs of another event are refused", ask_logs, RESULT("[" LOG(ADDRESS_1, "0x5", "\"" HASH_2 "\",\"" HASH_2 "\"") "]"), "", ERR_INVALID },
    { "logs with fewer topics are refused", ask_logs, RESULT("[" LOG(ADDRESS_1, "0x5", "\"" HASH_1 "\"") "]"), "", ERR_INVALID },
    { "a log without data is refused", ask_logs, RESULT("[{\"address\":\"" ADDRESS_1 "\",\"topics\":[]}]"), "", ERR_INVALID },
    { "a fee history is read", ask_fees,
      RESULT("{\"baseFeePerGas\":[\"0x1\",\"0x2\",\"0x3\"],\"gasUsedRatio\":[0.5,0],\"reward\":[[\"0x9\"],[\"0x0\"]]}"),
      "next 3; 9 used 0.50; 0 used 0.00;", ERR_NONE },
    { "a fee history without the next block is refused", ask_fees,
      RESULT("{\"baseFeePerGas\":[\"0x1\",\"0x2\"],\"gasUsedRatio\":[0.5,0],\"reward\":[[\"0x9\"],[\"0x0\"]]}"), "", ERR_INVALID },
    { "the result of a call is read", ask_call, RESULT("\"0x010203\""), "3 bytes", ERR_NONE },
    { "a call of nobody gives no bytes", ask_call, RESULT("\"0x\""), "0 bytes", ERR_NONE },
    { "revert data is kept", ask_call,
      "{\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x2a00\"}}", "revert 2 42", ERR_CHAIN },
    { "revert data in an object is kept", ask_call,
      "{\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":{\"data\":\"0x2a00\"}}}", "revert 2 42", ERR_CHAIN },
    { "revert data behind a word is kept", ask_call,
      "{\"id\":1,\"error\":{\"code\":-32015,\"message\":\"VM execution error.\",\"data\":\"Reverted 0x2a00\"}}", "revert 2 42", ERR_CHAIN },
    { "a revert whose text has zero bytes is one", ask_call,
      "{\"id\":1,\"error\":{\"code\":3,\"message\":\"execution reverted: \\u0000\\\\u0000\\u0001\",\"data\":\"0x2a\"}}", "revert 1 42", ERR_CHAIN },
    { "a revert without data is one", ask_call, NO("execution reverted"), "revert 0 0", ERR_CHAIN },
    { "an error with a null id is ours", ask_call, "{\"id\":null,\"error\":{\"code\":3,\"message\":\"execution reverted\"}}", "revert 0 0", ERR_CHAIN },
};

static void answer_is_read(void **state)
{
    const struct read_case *c = *state;
    struct fake_reply reply = { .body = c->body };
    struct fake_http *fake = fake_http_new(&reply, 1);
    struct rpc *rpc = rpc_to(fake_http_url(fake));
    struct buf found;
    struct err err = { 0 };

    buf_init(&found);
    assert_int_equal(c->ask(rpc, &found, &err), c->code == ERR_NONE);
    assert_int_equal(err.code, c->code);
    assert_string_equal(buf_text(&found), c->found);
    buf_clear(&found);
    rpc_free(rpc);
    fake_http_free(fake);
}

/* ---- fail over, for reads ---- */

static const struct over_case { const char *name; struct fake_reply first; bool reaches_second; enum err_code code; } overs[] = {
    { "a good answer needs no second endpoint",    { .body = RESULT("\"0x5\"") }, false, ERR_NONE },
    { "a reset is followed by the next endpoint",  { .manner = FAKE_RESETS }, true, ERR_NONE },
    { "an error page is followed by the next",     { .status = 500, .body = "oops" }, true, ERR_NONE },
    { "nonsense is followed by the next",          { .body = "nonsense" }, true, ERR_NONE },
    { "a rate limit is followed by the next",      { .status = 429 }, true, ERR_NONE },
    { "an unknown error is followed by the next",  { .body = NO("header not found") }, true, ERR_NONE },
    { "one node's revert is asked of the next",    { .body = NO("execution reverted") }, true, ERR_NONE },
};

static void reads_fail_over(void **state)
{
    static const struct fake_reply good[] = { { .body = RESULT("\"0x9\"") }, { .body = "{\"id\":2,\"result\":\"0x9\"}" } };
    const struct over_case *c = *state;
    struct fake_http *first = fake_http_new(&c->first, 1), *second = fake_http_new(good, ARRAY_LEN(good));
    struct rpc *rpc;
    struct err err = { 0 };
    char urls[2 * FAKE_URL_MAX];
    uint64_t id;

    snprintf(urls, sizeof urls, "%s,%s", fake_http_url(first), fake_http_url(second));
    rpc = rpc_to(urls);
    assert_int_equal(rpc_chain_id(rpc, &id, &err), c->code == ERR_NONE);
    if (c->code != ERR_NONE)
        assert_int_equal(err.code, c->code);
    assert_int_equal(fake_http_requests(second), c->reaches_second ? 1 : 0);
    if (c->reaches_second) {
        assert_int_equal(id, 9);
        /* and stays with the one that answered */
        assert_true(rpc_chain_id(rpc, &id, &err));
        assert_int_equal(fake_http_requests(first), 1);
    }
    rpc_free(rpc);
    fake_http_free(first);
    fake_http_free(second);
}

static void a_read_that_nobody_answers_may_be_asked_again(void **state)
{
    static const struct fake_reply reply = { .manner = FAKE_RESETS };
    struct fake_http *fake = fake_http_new(&reply, 1);
    struct rpc *rpc = rpc_to(fake_http_url(fake));
    struct err err = { 0 };
    uint64_t id;

    (void)state;
    assert_false(rpc_chain_id(rpc, &id, &err));
    assert_int_equal(err.code, ERR_AGAIN);
    rpc_free(rpc);
    fake_http_free(fake);
}

/* ---- batches ---- */

#define REPLY(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":\"" result "\"}"

static const struct batch_case { const char *name, *body; enum err_code code; } batches[] = {
    { "a batch in order is read", "[" REPLY("1", "0x0a") "," REPLY("2", "0x0b") "," REPLY("3", "0x0c") "]", ERR_NONE },
    { "a batch out of order is read", "[" REPLY("3", "0x0c") "," REPLY("1", "0x0a") "," REPLY("2", "0x0b") "]", ERR_NONE },
    { "a batch with a gap is refused", "[" REPLY("1", "0x0a") "," REPLY("3", "0x0c") "]", ERR_INVALID },
    { "a batch with a double is refused", "[" REPLY("1", "0x0a") "," REPLY("2", "0x0b") "," REPLY("2", "0x0c") "]", ERR_INVALID },
    { "one answer to a batch is refused", REPLY("1", "0x0a"), ERR_INVALID },
    { "one error for a batch is an error", NO("execution reverted"), ERR_CHAIN },
    { "one revert within a batch is an error",
      "[" REPLY("1", "0x0a") ",{\"id\":2,\"error\":{\"code\":3,\"message\":\"execution reverted\"}}," REPLY("3", "0x0c") "]", ERR_CHAIN },
};

static void batch_is_read(void **state)
{
    const struct batch_case *c = *state;
    struct fake_reply reply = { .body = c->body };
    struct fake_http *fake = fake_http_new(&reply, 1);
    struct rpc *rpc = rpc_to(fake_http_url(fake));
    struct buf calls[3], results[3];
    struct err err = { 0 };

    for (size_t i = 0; i < 3; i++)
        buf_init(&calls[i]);
    assert_int_equal(rpc_call_many(rpc, one, calls, 3, results, &err), c->code == ERR_NONE);
    assert_int_equal(err.code, c->code);
    for (size_t i = 0; i < 3; i++) {
        if (c->code == ERR_NONE) {
            assert_int_equal(results[i].len, 1);
            assert_int_equal(results[i].data[0], 0x0a + i);
        }
        buf_clear(&results[i]);
        buf_clear(&calls[i]);
    }
    rpc_free(rpc);
    fake_http_free(fake);
}

/* ---- URLs ---- */

static const struct url_case { const char *name, *urls; bool ok; } urls[] = {
    { "one URL is taken", "http://127.0.0.1:8545", true },
    { "several with blanks are taken", " http://a:1/key , https://b/v3/key ", true },
    { "an at sign behind the host is taken", "https://a/rpc?who=me@home", true },
    { "none is refused", "", false },
    { "blanks are refused", "  ", false },
    { "a password in a URL is refused", "http://user:hunter2@host/", false },
    { "a user in the second URL is refused", "http://a,http://user@host", false },
    { "another scheme is refused", "ws://127.0.0.1:8545", false },
    { "a file is refused", "file:///etc/passwd", false },
    { "a hole in the list is refused", "http://a,,http://b", false },
    { "a scheme alone is refused", "http://", false },
    { "more than eight are refused", "http://a,http://b,http://c,http://d,http://e,http://f,http://g,http://h,http://i", false },
    { "eight are taken", "http://a,http://b,http://c,http://d,http://e,http://f,http://g,http://h", true },
    { "one that is given twice is refused: it would agree with itself", "http://a:1/x,http://b,http://a:1/y", false },
    { "two ports of one host are two", "http://a:1,http://a:2", true },
};

static void urls_are_judged(void **state)
{
    const struct url_case *c = *state;
    struct rpc *rpc = NULL;
    struct err err = { 0 };

    assert_int_equal(rpc_new(c->urls, &rpc, &err), c->ok);
    assert_int_equal(err.code, c->ok ? ERR_NONE : ERR_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
    rpc_free(rpc);
}

static void an_error_hides_the_path_of_its_url(void **state)
{
    struct rpc *rpc;
    struct err err = { 0 };
    char url[FAKE_URL_MAX], with_key[2 * FAKE_URL_MAX];
    uint64_t id;

    (void)state;
    fake_http_dead_url(url);
    snprintf(with_key, sizeof with_key, "%sv3/APIKEY", url);
    rpc = rpc_to(with_key);
    assert_false(rpc_chain_id(rpc, &id, &err));
    assert_non_null(strstr(err.text, "http://127.0.0.1:"));
    assert_null(strstr(err.text, "APIKEY"));
    rpc_free(rpc);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_read_that_nobody_answers_may_be_asked_again),
        cmocka_unit_test(an_error_hides_the_path_of_its_url),
    };
    struct CMUnitTest tests[ARRAY_LEN(reads) + ARRAY_LEN(overs) + ARRAY_LEN(batches) + ARRAY_LEN(urls) + ARRAY_LEN(others)];
    size_t n = 0;

    for (const struct read_case *c = reads; c < reads + ARRAY_LEN(reads); c++)
        tests[n++] = (struct CMUnitTest){ c->name, answer_is_read, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct over_case *c = overs; c < overs + ARRAY_LEN(overs); c++)
        tests[n++] = (struct CMUnitTest){ c->name, reads_fail_over, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct batch_case *c = batches; c < batches + ARRAY_LEN(batches); c++)
        tests[n++] = (struct CMUnitTest){ c->name, batch_is_read, NULL, NULL, (void *)(uintptr_t)c };
    for (const struct url_case *c = urls; c < urls + ARRAY_LEN(urls); c++)
        tests[n++] = (struct CMUnitTest){ c->name, urls_are_judged, NULL, NULL, (void *)(uintptr_t)c };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        tests[n++] = others[i];
    return cmocka_run_group_tests_name("rpc", tests, http_setup, http_teardown);
}
