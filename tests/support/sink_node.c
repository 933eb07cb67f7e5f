#include "tests/support/sink_node.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/core/header.h"
#include "gateway/lib/json.h"
#include "gateway/lib/keccak.h"

#define CONNECTIONS_MAX 64u
#define GWEI_HEX "0x3b9aca00"

struct sink_node {
    struct sink_node_seen seen;
    struct sink_node_contract contract;
    char url[64];
    int listener;
    pthread_t thread;
    atomic_ullong taken;               /* transactions */
};

struct connection { struct sink_node *node; int fd; };

/* ---- methods ---- */

static json *block(void)
{
    json *b = json_new_object();
    struct hash h = { { 100 } };

    json_put_text(b, "number", "0x64");
    json_put_text(b, "timestamp", "0x66000000");
    json_put_hash(b, "hash", h);
    json_put_text(b, "baseFeePerGas", GWEI_HEX);
    json_put_text(b, "gasLimit", "0x3938700");
    return b;
}

static json *fee_history(void)
{
    json *h = json_new_object(), *fees = json_new_array(), *ratios = json_new_array(), *rewards = json_new_array();

    for (int i = 0; i < 21; i++)
        json_add(fees, json_new_text(GWEI_HEX));
    for (int i = 0; i < 20; i++) {
        json *one = json_new_array();

        json_add(one, json_new_text(GWEI_HEX));
        json_add(ratios, json_new_u64(1));
        json_add(rewards, one);
    }
    json_put_text(h, "oldestBlock", "0x51");
    json_put(h, "baseFeePerGas", fees);
    json_put(h, "gasUsedRatio", ratios);
    json_put(h, "reward", rewards);
    return h;
}

static json *count(struct sink_node *node, const json *params)
{
    const char *tag = "";
    char text[32];
    size_t len;

    if (!json_get_text(json_at(params, 1), &tag, &len) || strcmp(tag, "pending") != 0)
        return json_new_text("0x0");
    snprintf(text, sizeof text, "0x%llx", atomic_load(&node->taken));
    return json_new_text(text);
}

static json *take_raw(struct sink_node *node, const json *params)
{
    struct hash hash;
    struct buf raw;

    buf_init(&raw);
    if (!json_get_bytes(json_at(params, 0), &raw))
        bug("a raw transaction that is no hex");
    hash = keccak256(raw.data, raw.len);
    buf_clear(&raw);
    atomic_fetch_add(&node->taken, 1);
    if (node->seen.raw_taken != NULL)
        node->seen.raw_taken(node->seen.self, hash);
    return json_new_hash(hash);
}

static json *receipt(struct sink_node *node, const json *params)
{
    struct hash hash;

    if (json_get_hash(json_at(params, 0), &hash) && node->seen.receipt_asked != NULL)
        node->seen.receipt_asked(node->seen.self, hash);
    return json_new_null();
}

static bool is_call_of(const struct buf *data, const char *signature)
{
    return data->len >= 4 && memcmp(data->data, keccak256(signature, strlen(signature)).b, 4) == 0;
}

/* All views are zero but the token and header(0); pending() has four words.  Elsewhere there is no code. */
static json *view(struct sink_node *node, const json *params)
{
    const struct sink_node_contract *c = &node->contract;
    uint8_t words[4 * 32] = { 0 };
    size_t len = 32;
    struct address to;
    struct buf data;

    if (!json_get_address(json_member(json_at(params, 0), "to"), &to) || !address_eq(to, c->contract))
        return json_new_text("0x");
    buf_init(&data);
    if (!json_get_bytes(json_member(json_at(params, 0), "data"), &data))
        bug("a call without data");
    if (is_call_of(&data, "token()"))
        memcpy(words + 12, c->token.b, sizeof c->token.b);
    else if (is_call_of(&data, "header(uint64)"))
        memcpy(words, header_first(SINK_NODE_CHAIN_ID, c->contract, c->token).b, 32);
    else if (is_call_of(&data, "pending()"))
        len = sizeof words;
    buf_clear(&data);
    return json_new_hex(words, len);
}

/* NULL: no such method here. */
static json *result_of(struct sink_node *node, const char *method, const json *params)
{
    if (strcmp(method, "eth_chainId") == 0)
        return json_new_text("0x7a69");
    if (strcmp(method, "eth_getBlockByNumber") == 0)
        return block();
    if (strcmp(method, "eth_feeHistory") == 0)
        return fee_history();
    if (strcmp(method, "eth_getBalance") == 0)
        return json_new_text("0xffffffffffffffffffffffff");
    if (strcmp(method, "eth_getTransactionCount") == 0)
        return count(node, params);
    if (strcmp(method, "eth_sendRawTransaction") == 0)
        return take_raw(node, params);
    if (strcmp(method, "eth_getTransactionReceipt") == 0)
        return receipt(node, params);
    if (strcmp(method, "eth_getLogs") == 0)
        return json_new_array();
    if (strcmp(method, "eth_call") == 0)
        return view(node, params);
    return NULL;
}

static json *answer_one(struct sink_node *node, const json *request)
{
    json *reply = json_new_object(), *result;
    const char *method = "";
    uint64_t id = 0;
    size_t len;

    if (!json_get_text(json_member(request, "method"), &method, &len) || !json_get_u64(json_member(request, "id"), &id))
        bug("a request without method or id");
    json_put_text(reply, "jsonrpc", "2.0");
    json_put_u64(reply, "id", id);
    result = result_of(node, method, json_member(request, "params"));
    if (result == NULL) {
        result = json_new_object();
        json_put(result, "code", json_new_u64(32601));
        json_put_text(result, "message", "the method does not exist");
        json_put(reply, "error", result);
    } else {
        json_put(reply, "result", result);
    }
    return reply;
}

static json *answer(struct sink_node *node, const json *request)
{
    json *replies;

    if (json_kind_of(request) != JSON_KIND_ARRAY)
        return answer_one(node, request);
    replies = json_new_array();
    for (size_t i = 0; i < json_count(request); i++)
        json_add(replies, answer_one(node, json_at(request, i)));
    return replies;
}

/* ---- HTTP/1.1, as much of it as libcurl needs ---- */

/* Whole requests only: curl waits for the answer before the next.  False: the client is gone. */
static bool take_request(int fd, struct buf *all, size_t *head, size_t *body)
{
    buf_reset(all);
    for (*head = 0;;) {
        char part[65536];
        ssize_t got;
        const char *end;

        if (*head == 0 && (end = strstr(buf_text(all), "\r\n\r\n")) != NULL) {
            const char *length = strcasestr(buf_text(all), "\r\ncontent-length:");

            *head = (size_t)(end - buf_text(all)) + 4;
            *body = length != NULL ? strtoul(length + strlen("\r\ncontent-length:"), NULL, 10) : 0;
        }
        if (*head != 0 && all->len >= *head + *body)
            return true;
        got = recv(fd, part, sizeof part, 0);
        if (got <= 0 || !buf_add(all, part, (size_t)got))
            return false;
    }
}

static bool send_all(int fd, const struct buf *bytes)
{
    size_t sent = 0;

    while (sent < bytes->len) {
        ssize_t n = send(fd, bytes->data + sent, bytes->len - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool reply_to(struct sink_node *node, int fd, const char *text, size_t len)
{
    struct err err = { 0 };
    struct buf body, out;
    json *request, *reply;
    bool ok;

    if (!json_read(text, len, &request, &err))
        bug("a request that is no JSON: %s", err.text);
    buf_init(&body);
    buf_init(&out);
    reply = answer(node, request);
    json_write(reply, &body);
    buf_printf(&out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body.len);
    buf_add(&out, body.data, body.len);
    ok = send_all(fd, &out);
    json_free(reply);
    json_free(request);
    buf_clear(&body);
    buf_clear(&out);
    return ok;
}

static void *serve(void *self)
{
    struct connection *c = self;
    size_t head, body;
    struct buf all;

    buf_init(&all);
    while (take_request(c->fd, &all, &head, &body) && reply_to(c->node, c->fd, buf_text(&all) + head, body))
        continue;
    buf_clear(&all);
    close(c->fd);
    free(c);
    return NULL;
}

static void *listen_on(void *self)
{
    struct sink_node *node = self;
    pthread_t threads[CONNECTIONS_MAX];
    size_t thread_count = 0;
    int fd, on = 1;

    while (thread_count < CONNECTIONS_MAX && (fd = accept(node->listener, NULL, NULL)) >= 0) {
        struct connection *c = mem_new(sizeof *c);

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        *c = (struct connection){ node, fd };
        if (pthread_create(&threads[thread_count++], NULL, serve, c) != 0)
            bug("no thread for a connection");
    }
    for (size_t i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    return NULL;
}

struct sink_node *sink_node_new(const struct sink_node_seen *seen, const struct sink_node_contract *contract)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sink_node *node = mem_new(sizeof *node);
    socklen_t len = sizeof address;

    node->seen = *seen;
    node->contract = *contract;
    node->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (node->listener < 0 || bind(node->listener, (struct sockaddr *)&address, sizeof address) != 0
        || listen(node->listener, 16) != 0 || getsockname(node->listener, (struct sockaddr *)&address, &len) != 0)
        bug("no loopback socket");
    snprintf(node->url, sizeof node->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    if (pthread_create(&node->thread, NULL, listen_on, node) != 0)
        bug("no thread for a node");
    return node;
}

void sink_node_free(struct sink_node *node)
{
    shutdown(node->listener, SHUT_RDWR);
    pthread_join(node->thread, NULL);
    close(node->listener);
    free(node);
}

const char *sink_node_url(const struct sink_node *node)
{
    return node->url;
}
