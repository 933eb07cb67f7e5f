/* The physical limit of bundled receipts: what a bundle's signature is over, hashed on all cores.  Of each receipt that is its struct
 * hash (448 bytes: four permutations), its leaf and, on average, one inner node of the bundle's tree.
 *
 *     scripts/bench hash          build/tests/bench/bench_hash [SECONDS]
 *
 * The limit is the rate that bundles must reach through HTTP; the hashes alone must leave room for all else.  Beside it what
 * hashing one after the other gives: the ratio is what several at once are worth on this processor. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/core/tree.h"
#include "gateway/core/typed.h"
#include "tests/bench/figure.h"

#define CORES_MAX 64
#define BUNDLE 10000u
#define BUNDLE_RATE 150000.0       /* receipts a second */

struct measure {
    bool one_by_one;
    uint64_t end_ms;
    _Atomic uint64_t done;
    double seconds, cpu;
};

static double cpu_seconds(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static struct hash hash_bundle(const uint8_t *words, struct hash *leaves, bool one_by_one)
{
    if (!one_by_one) {
        receipt_words_hashes(words, BUNDLE, leaves);
        tree_promise_leaves(leaves, BUNDLE, leaves);
        return tree_root(leaves, BUNDLE);
    }
    struct tree_stream tree;

    tree_stream_init(&tree);
    for (size_t i = 0; i < BUNDLE; i++)
        tree_stream_add(&tree, tree_promise_leaf(receipt_words_hash(words + i * RECEIPT_WORDS)));
    return tree_stream_root(&tree);
}

static void *worker(void *self)
{
    struct measure *m = self;
    uint8_t *words = mem_array(BUNDLE, RECEIPT_WORDS);
    struct hash *leaves = mem_array(BUNDLE, sizeof *leaves), root;

    for (size_t i = 0; i < (size_t)BUNDLE * RECEIPT_WORDS; i++)
        words[i] = (uint8_t)(i * 31 >> 3);
    for (; clock_monotonic_ms() < m->end_ms; atomic_fetch_add(&m->done, BUNDLE)) {
        root = hash_bundle(words, leaves, m->one_by_one);
        words[0] = root.b[0];                 /* the next bundle hangs on this one: nothing can be left out */
    }
    free(words);
    free(leaves);
    return NULL;
}

static void run(struct measure *m, long cores, double seconds)
{
    pthread_t threads[CORES_MAX];
    uint64_t began_ms = clock_monotonic_ms();
    double cpu = cpu_seconds();

    m->end_ms = began_ms + (uint64_t)(seconds * 1000);
    for (long i = 0; i < cores; i++)
        if (pthread_create(&threads[i], NULL, worker, m) != 0)
            exit(1);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    m->seconds = (double)(clock_monotonic_ms() - began_ms) / 1000;
    m->cpu = cpu_seconds() - cpu;
}

int main(int argc, char **argv)
{
    struct measure many = { .one_by_one = false }, one = { .one_by_one = true };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2, rate;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool good;

    cores = cores > CORES_MAX ? CORES_MAX : cores;
    if (seconds <= 0)
        return 64;
    run(&many, cores, seconds);
    run(&one, cores, seconds / 2);
    rate = (double)many.done / many.cpu * (double)cores;
    figure_info("hash, all cores", (double)many.done / many.seconds, "receipts/s");
    good = figure_at_least("hash, CPU time of all cores", rate, "receipts/s", BUNDLE_RATE);
    figure_info("hash, several at once against one by one", rate / ((double)one.done / one.cpu * (double)cores), "times");
    return good ? 0 : 1;
}
