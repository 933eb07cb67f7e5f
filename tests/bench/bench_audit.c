/* How fast an audit goes through published files: receipts under bundle signatures, and receipts signed one by one.
 *
 *     make build/tests/bench/bench_audit && build/tests/bench/bench_audit [RECEIPTS]
 *
 * Prints one JSON line a figure: {"figure","value","unit","limit","ratio"}; exits 1 when one is below its limit.  Both limits
 * are on CPU time, so that others on the machine do not count: bundled is receipts a second of it, single is the CPU time of
 * a bare recovery over that of a receipt.  As recoveries run on all cores while one reads on, that is the share of the
 * machine's rate, until a core is busy with reading alone; the rates by the clock stand beside it. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/audit/replay.h"
#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/lib/file.h"
#include "gateway/lib/secp.h"
#include "tests/bench/figure.h"
#include "tests/bench/measure.h"
#include "tests/support/fixture.h"
#include "tests/support/history_parts.h"
#include "tests/support/libraries.h"

#define BUNDLED_LIMIT 40000.0      /* receipts a second and core */
#define SINGLE_LIMIT 0.55          /* of the machine's rate of single verifications */
#define BUNDLE_SIZE 1000u
#define RECOVER_COUNT 4000u

struct corpus {
    struct history h;
    struct builder b;
    struct rng rng;
    struct address provider, protocol;
    struct buf text;
    struct settlement_content content;
    struct totals credits;
};

static double seconds(uint64_t since_ms)
{
    return (double)(clock_monotonic_ms() - since_ms) / 1000.0;
}

/* ---- a settlement of many receipts ---- */

static struct archive_receipt make_receipt(struct corpus *c, size_t i)
{
    struct archive_receipt a = { .price_version = 1, .accepted_at_ms = START_MS + 60000, .salt = rng_hash(&c->rng) };
    struct receipt *r = &a.receipt.receipt;
    uint64_t ms = START_MS + i / 100;

    for (int k = 0; k < 6; k++)
        r->job_id.b[k] = (uint8_t)(ms >> (40 - 8 * k));
    r->job_id.b[6] = 0x70;
    r->job_id.b[8] = 0x80;
    for (int k = 0; k < 4; k++)               /* grows, so that the lines are in order */
        r->job_id.b[9 + k] = (uint8_t)(i >> (24 - 8 * k));
    r->provider = c->provider;
    r->model = c->b.rows[ROW_MODEL_BASE].of.model.model;
    r->count[METER_INPUT] = rng_below(&c->rng, 4000);
    r->count[METER_OUTPUT] = rng_below(&c->rng, 900);
    r->count[METER_COMPUTE_MS] = 20 + rng_below(&c->rng, 4000);
    r->started_at_ms = ms;
    r->finished_at_ms = ms + 20;
    return a;
}

static void price(struct corpus *c, struct archive_receipt *a)
{
    const struct receipt *r = &a->receipt.receipt;
    const struct price_version *p = catalog_price(c->b.catalog, r->model, r->finished_at_ms, a->accepted_at_ms);
    struct shares shares = { 0 };
    struct err err = { 0 };

    assert_non_null(p);
    a->price_version = p->version;
    assert_true(price_receipt(p, r->count, &a->amount, &err));
    assert_true(ledger_split(c->b.catalog, r, p, a->amount, c->protocol, a->accepted_at_ms, &shares, &err));
    for (size_t i = 0; i < shares.count; i++)
        assert_true(totals_add(&c->credits, shares.list[i].account, shares.list[i].amount, &err));
    shares_clear(&shares);
}

static void sign_bundles(struct corpus *c, struct archive_receipt *list, const struct hash *hashes, size_t count)
{
    for (size_t from = 0; from < count; from += BUNDLE_SIZE) {
        size_t size = count - from < BUNDLE_SIZE ? count - from : BUNDLE_SIZE;
        struct archive_line line = { .type = ARCHIVE_BUNDLE };
        struct receipt_bundle *bundle = &line.of.bundle.bundle;
        struct hash *leaves = mem_array(size, sizeof *leaves);

        for (size_t i = 0; i < size; i++)
            leaves[i] = tree_promise_leaf(hashes[from + i]);
        *bundle = (struct receipt_bundle){ address_of(PROVIDER_A), tree_root(leaves, size), size };
        line.of.bundle.signature = signed_by_key(PROVIDER_A, typed_digest(&c->b.domain, bundle_struct_hash(bundle)));
        for (size_t i = 0; i < size; i++) {
            list[from + i].has_bundle = true;
            list[from + i].bundle_root = bundle->root;
            list[from + i].bundle_index = i;
        }
        archive_write_line(&line, &c->text);
        free(leaves);
    }
}

static void add_receipts(struct corpus *c, size_t count, bool bundled)
{
    struct archive_receipt *list = mem_array(count, sizeof *list);
    struct hash *hashes = mem_array(count, sizeof *hashes);
    struct tree_stream tree;

    tree_stream_init(&tree);
    for (size_t i = 0; i < count; i++) {
        list[i] = make_receipt(c, i);
        price(c, &list[i]);
        hashes[i] = receipt_struct_hash(&list[i].receipt.receipt);
        tree_stream_add(&tree, tree_receipts_leaf(i, list[i].receipt.receipt.job_id, list[i].receipt.receipt.provider, list[i].salt, hashes[i]));
    }
    c->content.receipts = count;
    c->content.receipts_root = tree_stream_root(&tree);
    if (bundled)
        sign_bundles(c, list, hashes, count);
    for (size_t i = 0; i < count; i++) {
        struct archive_line line = { .type = ARCHIVE_RECEIPT };

        if (!bundled) {
            list[i].receipt.has_signature = true;
            list[i].receipt.signature = signed_by_key(PROVIDER_A, typed_digest(&c->b.domain, hashes[i]));
        }
        line.of.receipt = list[i];
        archive_write_line(&line, &c->text);
    }
    free(hashes);
    free(list);
}

static struct hash root_of(const struct totals *leaves, struct address token)
{
    struct tree_stream tree;

    tree_stream_init(&tree);
    for (size_t i = 0; i < leaves->count; i++)
        tree_stream_add(&tree, tree_rewards_leaf(leaves->list[i].account, token, leaves->list[i].amount));
    return tree_stream_root(&tree);
}

/* The batch line stands first but holds both roots, so it is put before the rest. */
static void finish(struct corpus *c, struct chain_settlement *s)
{
    struct archive_line first = { .type = ARCHIVE_BATCH };
    struct archive_batch *batch = &first.of.batch;
    struct totals before = { 0 };
    struct buf file;
    struct err err = { 0 };
    char path[128];

    assert_true(totals_sort(&c->credits, &err) && totals_sum(&c->credits, &c->content.total, &err));
    c->content.rewards_root = root_of(&c->credits, c->b.token);
    c->content.sequence = 1;
    write_reward_lines(&c->b, &before, &c->credits, 1, &c->text);
    *batch = (struct archive_batch){ c->b.domain.chain_id, c->b.domain.contract, c->b.token, address_of(PROTOCOL), { { 0 } }, c->content };
    buf_init_max(&file, (size_t)2048 * MIB);
    archive_write_line(&first, &file);
    buf_add(&file, c->text.data, c->text.len);
    assert_false(file.failed);
    c->content.archive = sha256(file.data, file.len);
    snprintf(path, sizeof path, "%s/1.archive.ndjson", c->h.dir);
    assert_true(file_write(path, file.data, file.len, 0600, &err));
    write_rewards(&c->b, &c->content, &c->credits);
    *s = (struct chain_settlement){ .event = { 1, c->content.receipts, 0, c->content.receipts_root, c->content.rewards_root,
                                               c->content.archive, { { 0 } }, c->content.total } };
    buf_clear(&file);
}

static void write_corpus(struct corpus *c, struct chain_settlement *s, size_t count, bool bundled)
{
    struct archive_line row;

    buf_init_max(&c->text, (size_t)2048 * MIB);
    for (size_t i = 0; i < ROWS; i++) {
        row = c->b.rows[i];
        archive_write_line(&row, &c->text);
    }
    add_receipts(c, count, bundled);
    finish(c, s);
    buf_clear(&c->text);
}

/* ---- the figures ---- */

static void replay_corpus(const struct corpus *c, const struct chain_settlement *s, double *wall, double *cpu)
{
    struct chain_view view = { .chain_id = c->b.domain.chain_id, .contract = c->b.domain.contract, .token = c->b.token };
    struct progress progress = { 0 };
    struct replay replay;
    struct source *source;
    struct err err = { 0 };
    uint64_t start;

    replay_init(&replay, &view);
    assert_true(source_open(c->h.dir, &source, &err));
    *cpu = cpu_seconds();
    start = clock_monotonic_ms();
    if (!replay_settlement(&replay, s, source, &progress, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    *wall = seconds(start);
    *cpu = cpu_seconds() - *cpu;
    source_free(source);
    replay_clear(&replay);
}

static void measure(size_t count, bool bundled, double *wall, double *cpu)
{
    struct corpus c = { .rng = { 7 } };
    struct chain_settlement s;

    c.b.h = &c.h;
    snprintf(c.h.dir, sizeof c.h.dir, "/tmp/bench-audit-XXXXXX");
    assert_non_null(mkdtemp(c.h.dir));
    builder_fill(&c.b);
    c.provider = address_of(PROVIDER_A);
    c.protocol = address_of(PROTOCOL);
    write_corpus(&c, &s, count, bundled);
    replay_corpus(&c, &s, wall, cpu);
    totals_clear(&c.credits);
    builder_clear(&c.b);
    history_clear(&c.h);
}

static void *recover_many(void *self)
{
    struct hash digest = { { 1 } };
    struct signature sig = signed_by_key(PROVIDER_A, digest);
    struct address signer;
    struct err err = { 0 };

    (void)self;
    for (unsigned i = 0; i < RECOVER_COUNT; i++)
        if (!secp_recover(&sig, digest, &signer, &err))
            exit(1);
    return NULL;
}

static double recover_rate(long cores, double *cpu_each)
{
    pthread_t threads[64];
    uint64_t start = clock_monotonic_ms();
    double cpu = cpu_seconds();

    cores = cores > 64 ? 64 : cores;
    for (long i = 0; i < cores; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, recover_many, NULL), 0);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    *cpu_each = (cpu_seconds() - cpu) / (double)cores / RECOVER_COUNT;
    return (double)cores * RECOVER_COUNT / seconds(start);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    double wall, cpu, rate, recover_cpu;
    bool good;

    if (count < BUNDLE_SIZE || secp_setup(NULL) != 0)
        return 64;
    measure(count, true, &wall, &cpu);
    good = figure_at_least("audit, bundled", (double)count / cpu, "receipts/s a core", BUNDLED_LIMIT);
    rate = recover_rate(sysconf(_SC_NPROCESSORS_ONLN), &recover_cpu);
    figure_info("recover, all cores", rate, "signatures/s");
    measure(count / 3, false, &wall, &cpu);
    figure_info("audit, single", (double)(count / 3) / wall, "receipts/s");
    good = figure_at_least("audit, single, of recover", recover_cpu * (double)(count / 3) / cpu, "ratio", SINGLE_LIMIT) && good;
    secp_teardown(NULL);
    return good ? 0 : 1;
}
