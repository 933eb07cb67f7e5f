/* From the start of a killed `quittance serve` to its first correct question about what it had sent, with many payments open.
 *
 *     make build/tests/bench/bench_recovery && build/tests/bench/bench_recovery [OPEN]      build/quittance must be there
 *
 * A store gets so many open transactions, each with its signed bytes.  The service is started on it with a fake node, killed
 * with -9 once it has asked, and started again: measured is the time from the start of the process until the node is asked for
 * the receipt of the lowest nonce, or is handed its bytes; and until it has been asked for all.  The key's scrypt takes about
 * a second by design: none of this may wait for it. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/fee.h"
#include "chain/signer.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"
#include "store/binding.h"
#include "store/transactions.h"
#include "tests/bench/figure.h"
#include "tests/support/sink_node.h"

#define RECOVERY_LIMIT_MS 1000.0
#define TIMEOUT_MS 120000u
#define KILLS 3u
#define CALL_BYTES 2048u
#define BINARY "build/quittance"

struct known { struct hash hash; bool asked; };

struct bench {
    char dir[64];
    size_t count;
    struct known *known;                      /* by hash */
    struct hash lowest;
    pthread_mutex_t lock;                     /* all below */
    uint64_t first_ms, all_ms;                /* monotonic; 0: not yet */
    size_t asked;
};

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("%s", err->text);
}

/* ---- what the node sees ---- */

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof (struct hash));
}

static void seen(void *self, struct hash tx)
{
    struct bench *b = self;
    struct known key = { tx, false }, *k;

    pthread_mutex_lock(&b->lock);
    k = bsearch(&key, b->known, b->count, sizeof *b->known, by_hash);
    if (k == NULL)
        bug("the service asks for a transaction that is not stored");
    if (!k->asked) {
        k->asked = true;
        b->asked++;
        if (b->first_ms == 0) {
            if (!hash_eq(tx, b->lowest))
                bug("the first question is not about the lowest nonce");
            b->first_ms = clock_monotonic_ms();
        }
        if (b->asked == b->count)
            b->all_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&b->lock);
}

static void forget(struct bench *b)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->count; i++)
        b->known[i].asked = false;
    b->asked = 0;
    b->first_ms = b->all_ms = 0;
    pthread_mutex_unlock(&b->lock);
}

static uint64_t wait_for(struct bench *b, const uint64_t *moment_ms)
{
    uint64_t end = clock_monotonic_ms() + TIMEOUT_MS, at_ms = 0;

    while (at_ms == 0 && clock_monotonic_ms() < end) {
        clock_sleep_ms(5);
        pthread_mutex_lock(&b->lock);
        at_ms = *moment_ms;
        pthread_mutex_unlock(&b->lock);
    }
    if (at_ms == 0)
        bug("the service did not ask within %u ms", TIMEOUT_MS);
    return at_ms;
}

/* ---- the gateway ---- */

static pid_t start(struct bench *b, const char *command)
{
    char config[96];
    pid_t pid;

    snprintf(config, sizeof config, "%s/gw/quittance.conf", b->dir);
    pid = fork();
    if (pid < 0)
        bug("no process");
    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(127);
        if (strcmp(command, "init") == 0) {
            config[strlen(config) - strlen("/quittance.conf")] = '\0';
            execl(BINARY, BINARY, "init", config, (char *)NULL);
        } else {
            execl(BINARY, BINARY, "-c", config, command, (char *)NULL);
        }
        _exit(127);
    }
    return pid;
}

static void make_gateway(struct bench *b, const char *rpc)
{
    int status = 0;
    pid_t pid;

    snprintf(b->dir, sizeof b->dir, "/tmp/bench-recovery-XXXXXX");
    if (mkdtemp(b->dir) == NULL)
        bug("no folder");
    setenv("QUITTANCE_CHAIN_RPC", rpc, 1);
    setenv("QUITTANCE_CHAIN_CONTRACT", "0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0", 1);
    setenv("QUITTANCE_CHAIN_TOKEN", "0x7070707070707070707070707070707070707070", 1);
    setenv("QUITTANCE_API_LISTEN", "127.0.0.1:0", 1);
    setenv("QUITTANCE_API_ADMIN_LISTEN", "127.0.0.1:0", 1);
    pid = start(b, "init");
    if (waitpid(pid, &status, 0) != pid || status != 0)
        bug("quittance init fails");
}

struct filling { struct bench *bench; struct signer *signer; struct tx tx; };

static bool store_open_transactions(void *self, struct group *group, struct err *err)
{
    struct filling *f = self;
    struct attempt_row a = { .seq = 1, .gas = f->tx.gas, .max_fee = f->tx.max_fee, .max_priority_fee = f->tx.max_priority_fee };
    bool ok = true;

    a.created_at_ms = group->now_ms;
    buf_init(&a.raw);
    for (size_t i = 0; ok && i < f->bench->count; i++) {
        struct transaction_row t = { .account = signer_address(f->signer), .nonce = i, .kind = "distribute", .sequence = 1,
                                     .state = TX_PREPARED, .created_at_ms = group->now_ms };

        f->tx.nonce = i;
        buf_reset(&a.raw);
        ok = signer_sign_tx(f->signer, &f->tx, &a.raw, &a.hash, err) && store_tx_insert(group->db, &t, &a, NULL, err);
        f->bench->known[i].hash = a.hash.h;
    }
    buf_clear(&a.raw);
    return ok;
}

/* As in the environment of make_gateway. */
static struct sink_node_contract deployed(void)
{
    struct sink_node_contract c;

    memset(c.contract.b, 0xc0, sizeof c.contract.b);
    memset(c.token.b, 0x70, sizeof c.token.b);
    return c;
}

static void fill_store(struct bench *b)
{
    struct filling f = { .bench = b };
    struct binding binding = { .chain_id = SINK_NODE_CHAIN_ID, .contract = deployed().contract };
    char store[128], spec[128], passphrase[128];
    struct writer *writer;
    struct err err = { 0 };

    snprintf(store, sizeof store, "sqlite:%s/gw/quittance.db", b->dir);
    snprintf(spec, sizeof spec, "keystore:%s/gw/operator.json", b->dir);
    snprintf(passphrase, sizeof passphrase, "%s/gw/passphrase", b->dir);
    must(signer_open(spec, passphrase, &f.signer, &err), &err);
    tx_init(&f.tx);
    f.tx.chain_id = SINK_NODE_CHAIN_ID;
    f.tx.gas = 1000000;
    f.tx.max_fee = wei_from_gwei(10);
    f.tx.max_priority_fee = wei_from_gwei(1);
    f.tx.to = binding.contract;
    for (size_t i = 0; i < CALL_BYTES; i++)
        buf_add_byte(&f.tx.data, (uint8_t)i);
    must(writer_open_bound(store, &clock_system, &binding, &writer, &err)
         && writer_do(writer, store_open_transactions, &f, &err), &err);
    writer_close(writer);
    tx_clear(&f.tx);
    signer_free(f.signer);
    b->lowest = b->known[0].hash;
    qsort(b->known, b->count, sizeof *b->known, by_hash);
}

static void kill_service(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static bool measure(struct bench *b)
{
    uint64_t worst_ms = 0, start_ms = 0, all_ms;
    pid_t pid = start(b, "serve");

    wait_for(b, &b->first_ms);
    for (unsigned i = 0; i < KILLS; i++) {
        uint64_t took_ms;

        kill_service(pid);
        forget(b);
        start_ms = clock_monotonic_ms();
        pid = start(b, "serve");
        took_ms = wait_for(b, &b->first_ms) - start_ms;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    }
    all_ms = wait_for(b, &b->all_ms) - start_ms;
    kill_service(pid);
    figure_info("recovery, all asked for", (double)all_ms, "ms");
    return figure_at_most("recovery, first look-up", (double)worst_ms, "ms", RECOVERY_LIMIT_MS);
}

static void remove_gateway(const struct bench *b)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", b->dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", b->dir);
}

int main(int argc, char **argv)
{
    struct bench b = { .count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000, .lock = PTHREAD_MUTEX_INITIALIZER };
    const struct sink_node_contract contract = deployed();
    struct sink_node *node;
    struct err err = { 0 };
    bool good;

    must(secp_start(&err), &err);
    b.known = mem_array(b.count, sizeof *b.known);
    node = sink_node_new(&(struct sink_node_seen){ seen, seen, &b }, &contract);
    make_gateway(&b, sink_node_url(node));
    fill_store(&b);
    good = measure(&b);
    remove_gateway(&b);
    sink_node_free(node);
    free(b.known);
    secp_stop();
    return good ? 0 : 1;
}
