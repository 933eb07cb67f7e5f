/* How fast calls leave by settle's own way, each with its nonce and signed bytes on disk before the first byte is sent and with
 * the node's answer on disk after it.  Calls come in groups of SEND_GROUP, as a stage sends them; the window of calls in flight
 * is lifted; the node is a fake one on loopback.
 *
 *     make build/tests/bench/bench_broadcast && build/tests/bench/bench_broadcast [CALLS]
 *
 * The limit is on CPU time, the node's included, so that others on the machine do not count; the rate by the clock, and what one
 * durable commit takes on this disk, stand beside it: a group waits for two of them. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chain/keystore.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/lib/file.h"
#include "gateway/settle/parts.h"
#include "store/meta.h"
#include "tests/bench/figure.h"
#include "tests/bench/measure.h"
#include "tests/support/sink_node.h"

#define BROADCAST_LIMIT 500.0      /* calls a second */
#define SET_ACCOUNTS 50u
#define CALL_BYTES 8192u           /* about what a call for so many takes */
#define COMMITS 500u

struct bench {
    char dir[64], store[96], key[96], passphrase[96], spec[128];
    struct sink_node *node;
    struct signer *signer;
    struct writer *writer;
    struct db *db;
    struct rpc *rpc;
    struct settle *settle;
};

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("%s", err->text);
}

static void make_key(struct bench *b)
{
    struct secret_key key = { { [31] = 7 } };
    struct err err = { 0 };
    struct buf file;

    buf_init(&file);
    must(keystore_seal(&key, "p", 1, &file, &err) && file_write(b->key, file.data, file.len, 0600, &err)
         && file_write(b->passphrase, "p\n", 2, 0600, &err) && signer_open(b->spec, b->passphrase, &b->signer, &err), &err);
    buf_clear(&file);
}

static void open_all(struct bench *b, size_t calls)
{
    struct settle_config config = { .chain_id = SINK_NODE_CHAIN_ID, .confirmations = 1, .max_fee = wei_from_gwei(500),
                                    .max_run_cost = wei_from_gwei(1000000000000), .max_day_cost = wei_from_gwei(1000000000000),
                                    .in_flight = calls + 1 };
    struct err err = { 0 };

    snprintf(b->dir, sizeof b->dir, "/tmp/bench-broadcast-XXXXXX");
    if (mkdtemp(b->dir) == NULL)
        bug("no folder");
    snprintf(b->store, sizeof b->store, "sqlite:%s/store.db", b->dir);
    snprintf(b->key, sizeof b->key, "%s/key.json", b->dir);
    snprintf(b->passphrase, sizeof b->passphrase, "%s/passphrase", b->dir);
    snprintf(b->spec, sizeof b->spec, "keystore:%s", b->key);
    make_key(b);
    memset(config.contract.b, 0xc0, sizeof config.contract.b);
    memset(config.token.b, 0x70, sizeof config.token.b);
    b->node = sink_node_new(&(struct sink_node_seen){ 0 }, &(struct sink_node_contract){ config.contract, config.token });
    must(writer_open(b->store, &clock_system, &b->writer, &err) && writer_start(b->writer, &err)
         && db_open(b->store, DB_READ, &b->db, &err) && rpc_new(sink_node_url(b->node), &b->rpc, &err)
         && settle_new(&config, b->db, b->writer, b->rpc, b->signer, &clock_system, &b->settle, &err), &err);
}

static void close_all(struct bench *b)
{
    char path[128];

    settle_free(b->settle);
    rpc_free(b->rpc);
    db_close(b->db);
    writer_close(b->writer);
    signer_free(b->signer);
    sink_node_free(b->node);
    unlink(b->key);
    unlink(b->passphrase);
    snprintf(path, sizeof path, "%s/store.db", b->dir);
    unlink(path);
    rmdir(b->dir);
}

static bool set_meta(void *self, struct group *group, struct err *err)
{
    return store_meta_set(group->db, "bench", *(uint64_t *)self, err);
}

static double commit_ms(struct bench *b)
{
    uint64_t start = clock_monotonic_ms();
    struct err err = { 0 };

    for (uint64_t i = 0; i < COMMITS; i++)
        must(writer_do(b->writer, set_meta, &i, &err), &err);
    return (double)(clock_monotonic_ms() - start) / COMMITS;
}

static void broadcast(struct bench *b, size_t calls, double *per_clock_s, double *per_cpu_s)
{
    struct reward_leaf accounts[SET_ACCOUNTS];
    struct reward_leaves set = { accounts, SET_ACCOUNTS };
    struct send_request request = { .kind = "distribute", .sequence = 1, .gas = 1000000, .set = &set };
    struct send_request requests[SEND_GROUP];
    struct err err = { 0 };
    struct buf data;
    uint64_t start;
    double cpu;

    buf_init(&data);
    for (size_t i = 0; i < CALL_BYTES; i++)
        buf_add_byte(&data, (uint8_t)i);
    request.data = &data;
    for (size_t i = 0; i < SET_ACCOUNTS; i++)
        accounts[i] = (struct reward_leaf){ .account = { { (uint8_t)i } }, .claimable = amount_from_u64(i) };
    for (size_t i = 0; i < SEND_GROUP; i++)
        requests[i] = request;
    cpu = cpu_seconds();
    start = clock_monotonic_ms();
    for (size_t i = 0; i < calls; i += SEND_GROUP)
        must(send_new(b->settle, requests, calls - i < SEND_GROUP ? calls - i : SEND_GROUP, &err), &err);
    *per_clock_s = (double)calls * 1000.0 / (double)(clock_monotonic_ms() - start);
    *per_cpu_s = (double)calls / (cpu_seconds() - cpu);
    buf_clear(&data);
}

/* What is in the store is what was sent: as many nonces, all of them marked. */
static void check(struct bench *b, size_t calls)
{
    struct transactions open;
    struct err err = { 0 };

    must(transactions_open(b->settle, &open, &err), &err);
    if (open.count != calls)
        bug("%zu calls are stored instead of %zu", open.count, calls);
    for (size_t i = 0; i < calls; i++)
        if (open.list[i].nonce != i || open.list[i].state != TX_SENT)
            bug("nonce %zu is not there, or not sent", i);
    transactions_clear(&open);
}

int main(int argc, char **argv)
{
    size_t calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000;
    struct bench b = { 0 };
    double per_clock_s, per_cpu_s;
    struct err err = { 0 };
    bool good;

    log_set_level(LOG_ERROR_LEVEL);
    must(secp_start(&err) && http_start(&err), &err);
    open_all(&b, calls);
    figure_info("one durable commit", commit_ms(&b), "ms");
    broadcast(&b, calls, &per_clock_s, &per_cpu_s);
    figure_info("broadcast, by the clock", per_clock_s, "calls/s");
    good = figure_at_least("broadcast, each call durable", per_cpu_s, "calls/s of CPU time", BROADCAST_LIMIT);
    check(&b, calls);
    close_all(&b);
    http_stop();
    secp_stop();
    return good ? 0 : 1;
}
