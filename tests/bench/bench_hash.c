/* The physical limit of bundled receipts: what a bundle's signature is over, hashed on all cores.  Of each receipt that is its struct
 * hash (448 bytes: four permutations), its leaf and, on average, one inner node of the bundle's tree.
 *
 *     scripts/bench hash          build/tests/bench/bench_hash [SECONDS]
 *
 * The limit is the rate that bundles must reach through HTTP; the hashes alone must leave room for all else.  Beside it what
 * hashing one after the other gives: the ratio is what several at once are worth on this processor. */
#include "gateway/base/mem.h"
#include "gateway/core/tree.h"
#include "gateway/core/typed.h"
#include "tests/bench/figure.h"
#include "tests/bench/measure.h"

#define BUNDLE 10000u
#define BUNDLE_RATE 150000.0       /* receipts a second */

typedef struct hash hash_fn(const uint8_t *words, struct hash *leaves);

static struct hash hash_many(const uint8_t *words, struct hash *leaves)
{
    receipt_words_hashes(words, BUNDLE, leaves);
    tree_promise_leaves(leaves, BUNDLE, leaves);
    return tree_root(leaves, BUNDLE);
}

static struct hash hash_one_by_one(const uint8_t *words, struct hash *leaves)
{
    struct tree_stream tree;

    (void)leaves;
    tree_stream_init(&tree);
    for (size_t i = 0; i < BUNDLE; i++)
        tree_stream_add(&tree, tree_promise_leaf(receipt_words_hash(words + i * RECEIPT_WORDS)));
    return tree_stream_root(&tree);
}

static void *hash_bundles(struct measure *m, hash_fn *hash)
{
    uint8_t *words = mem_array(BUNDLE, RECEIPT_WORDS);
    struct hash *leaves = mem_array(BUNDLE, sizeof *leaves);

    for (size_t i = 0; i < (size_t)BUNDLE * RECEIPT_WORDS; i++)
        words[i] = (uint8_t)(i * 31 >> 3);
    for (; clock_monotonic_ms() < m->end_ms; m->done += BUNDLE)
        words[0] = hash(words, leaves).b[0];  /* the next bundle hangs on this one: nothing can be left out */
    free(words);
    free(leaves);
    return NULL;
}

static void *many_main(void *self)
{
    return hash_bundles(self, hash_many);
}

static void *one_by_one_main(void *self)
{
    return hash_bundles(self, hash_one_by_one);
}

int main(int argc, char **argv)
{
    struct measure many = { .worker = many_main }, one_by_one = { .worker = one_by_one_main };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    bool good;

    if (seconds <= 0)
        return 64;
    measure_all_cores(&many, seconds);
    measure_all_cores(&one_by_one, seconds / 2);
    figure_info("hash, all cores", many.clock, "receipts/s");
    good = figure_at_least("hash, CPU time of all cores", many.cpu, "receipts/s", BUNDLE_RATE);
    figure_info("hash, several at once against one by one", many.cpu / one_by_one.cpu, "times");
    return good ? 0 : 1;
}
