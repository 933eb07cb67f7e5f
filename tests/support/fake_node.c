#include "tests/support/fake_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"
#include "gateway/lib/json.h"

#define HASH_1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define ADDRESS_1 "0x1111111111111111111111111111111111111111"

static void put_hash(const struct fake_node *n, uint64_t number, char text[67])
{
    bool other = n->fork_from != 0 && number >= n->fork_from;

    snprintf(text, 67, "0x%s%062llx", other ? "ff" : "aa", (unsigned long long)number);
}

static void put_block(const struct fake_node *n, uint64_t number, struct buf *out)
{
    char hash[67];

    put_hash(n, number, hash);
    if (number > n->head)
        buf_add_text(out, "\"result\":null");
    else
        buf_printf(out, "\"result\":{\"number\":\"0x%llx\",\"timestamp\":\"0x64\",\"gasLimit\":\"0x1c9c380\","
                        "\"baseFeePerGas\":\"0x7\",\"hash\":\"%s\"}", (unsigned long long)number, hash);
}

static void answer_block(const struct fake_node *n, const char *which, struct buf *out)
{
    if (strcmp(which, "latest") == 0)
        put_block(n, n->head, out);
    else if (strcmp(which, "finalized") == 0 && n->finalized == 0)
        buf_add_text(out, "\"error\":{\"code\":-32602,\"message\":\"unknown block tag\"}");
    else
        put_block(n, strcmp(which, "finalized") == 0 ? n->finalized : strtoull(which, NULL, 16), out);
}

static void answer_receipt(const struct fake_node *n, struct buf *out)
{
    char hash[67];

    put_hash(n, n->receipt_block, hash);
    if (n->receipt_block == 0)
        buf_add_text(out, "\"result\":null");
    else
        buf_printf(out, "\"result\":{\"transactionHash\":\"" HASH_1 "\",\"status\":\"0x%d\",\"blockNumber\":\"0x%llx\","
                        "\"gasUsed\":\"0x5208\",\"blockHash\":\"%s\",\"from\":\"" ADDRESS_1 "\",\"to\":null,"
                        "\"contractAddress\":null,\"logs\":[]}", !n->fails, (unsigned long long)n->receipt_block, hash);
}

static void answer_logs(const struct fake_node *n, struct buf *out)
{
    buf_add_text(out, "\"result\":[");
    for (uint64_t i = 0; i < n->logs; i++)
        buf_printf(out, "%s{\"address\":\"" ADDRESS_1 "\",\"topics\":[],\"data\":\"0x\",\"blockNumber\":\"0x5\","
                        "\"logIndex\":\"0x%llx\",\"transactionHash\":\"" HASH_1 "\"}", i > 0 ? "," : "", (unsigned long long)i);
    buf_add_text(out, "]");
}

static const char *text_at(const json *params, size_t index)
{
    const char *text = "";
    size_t len;

    return json_get_text(json_at(params, index), &text, &len) ? text : "";
}

static void answer_one(struct fake_node *n, const json *request, struct buf *out)
{
    const json *params = json_member(request, "params");
    const char *method = "", *block = text_at(params, 1);
    uint64_t id = 0;
    size_t len;

    if (!json_get_text(json_member(request, "method"), &method, &len) || !json_get_u64(json_member(request, "id"), &id))
        bug("not a request of ours");
    n->asked += strcmp(method, "eth_chainId") != 0;
    buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,", (unsigned long long)id);
    if (strcmp(method, "eth_getTransactionCount") == 0 || strcmp(method, "eth_call") == 0)
        snprintf(n->last_block, sizeof n->last_block, "%s", block);
    if (strcmp(method, "eth_chainId") == 0)
        buf_printf(out, "\"result\":\"0x%llx\"", (unsigned long long)n->chain);
    else if (strcmp(method, "eth_getBlockByNumber") == 0)
        answer_block(n, text_at(params, 0), out);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0)
        answer_receipt(n, out);
    else if (strcmp(method, "eth_getLogs") == 0)
        answer_logs(n, out);
    else if (strcmp(method, "eth_call") == 0 && n->call_error != NULL)
        buf_printf(out, "\"error\":{\"code\":3,\"message\":\"%s\"}", n->call_error);
    else if (strcmp(method, "eth_call") == 0)
        buf_printf(out, "\"result\":\"0x%02x\"", n->value);
    else
        buf_printf(out, "\"result\":\"0x%llx\"",
                   (unsigned long long)(strcmp(block, "pending") == 0 ? n->pending : n->nonce));
    buf_add_text(out, "}");
}

static bool answers(void *self, const char *text, struct buf *out)
{
    struct fake_node *n = self;
    struct err err = { 0 };
    json *request;

    if (n->clock_ms != NULL)
        *n->clock_ms += n->takes_ms;
    if (n->broken)
        return buf_add_text(out, "<html>");
    if (!json_read(text, strlen(text), &request, &err))
        bug("%s", err.text);
    if (json_kind_of(request) != JSON_KIND_ARRAY)
        answer_one(n, request, out);
    for (size_t i = 0; json_kind_of(request) == JSON_KIND_ARRAY && i < json_count(request); i++) {
        buf_add_text(out, i == 0 ? "[" : ",");
        answer_one(n, json_at(request, i), out);
    }
    if (json_kind_of(request) == JSON_KIND_ARRAY)
        buf_add_text(out, "]");
    json_free(request);
    return true;
}

void fake_node_start(struct fake_node *n)
{
    *n = (struct fake_node){ .chain = 31337, .head = 100, .finalized = 80, .receipt_block = 90, .nonce = 7, .pending = 7,
                             .value = 1, .logs = 2 };
    n->http = fake_http_new_proxy(NULL, answers, n);
}

void fake_node_stop(struct fake_node *n)
{
    fake_http_free(n->http);
}
