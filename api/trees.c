#include "api/trees.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/batches.h"

#define KEPT_MAX 8
#define REWARDS_BYTES_MAX (32 * MIB)          /* of all that are kept, but the newest may be larger */

struct kept {
    uint64_t sequence;
    uint64_t used;
    size_t count;
    struct address *accounts;                 /* in the leaves' order */
    struct amount *claimables;
    struct tree *tree;
};
/* One lock also over building: two requests for the same tree build it once. */
struct trees {
    pthread_mutex_t lock;
    struct kept kept[KEPT_MAX];
    uint64_t uses;
};

struct trees *trees_new(void)
{
    struct trees *trees = mem_new(sizeof *trees);

    pthread_mutex_init(&trees->lock, NULL);
    return trees;
}

static void kept_clear(struct kept *k)
{
    free(k->accounts);
    free(k->claimables);
    tree_free(k->tree);
    *k = (struct kept){ 0 };
}

void trees_free(struct trees *trees)
{
    if (trees == NULL)
        return;
    for (size_t i = 0; i < KEPT_MAX; i++)
        kept_clear(&trees->kept[i]);
    pthread_mutex_destroy(&trees->lock);
    free(trees);
}

static bool build(struct db *db, struct address token, struct kept *k, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    struct hash *hashes;

    if (!store_leaves_load(db, k->sequence, &leaves, err))
        return false;
    k->count = leaves.count;
    k->accounts = mem_array(leaves.count + 1, sizeof *k->accounts);
    hashes = mem_array(leaves.count + 1, sizeof *hashes);
    k->claimables = mem_array(leaves.count + 1, sizeof *k->claimables);
    for (size_t i = 0; i < leaves.count; i++) {
        k->accounts[i] = leaves.list[i].account;
        hashes[i] = tree_rewards_leaf(leaves.list[i].account, token, leaves.list[i].claimable);
        k->claimables[i] = leaves.list[i].claimable;
    }
    reward_leaves_clear(&leaves);
    k->tree = tree_new(hashes, k->count);
    free(hashes);
    return true;
}

/* An empty place, or the one that was not used for longest. */
static struct kept *make_room(struct trees *trees)
{
    struct kept *oldest = &trees->kept[0];

    for (size_t i = 1; i < KEPT_MAX; i++)
        if (trees->kept[i].used < oldest->used)
            oldest = &trees->kept[i];
    kept_clear(oldest);
    return oldest;
}

static size_t rewards_bytes(const struct kept *k)
{
    return k->count * (sizeof *k->accounts + sizeof *k->claimables + 2 * sizeof(struct hash));
}

/* All but this one, where together they are too large. */
static void keep_bounds(struct trees *trees, const struct kept *newest)
{
    size_t bytes = 0;

    for (size_t i = 0; i < KEPT_MAX; i++)
        bytes += rewards_bytes(&trees->kept[i]);
    for (size_t i = 0; bytes > REWARDS_BYTES_MAX && i < KEPT_MAX; i++) {
        struct kept *k = &trees->kept[i];

        if (k == newest || k->tree == NULL)
            continue;
        bytes -= rewards_bytes(k);
        kept_clear(k);
    }
}

/* Under the lock.  NULL: err. */
static struct kept *get(struct trees *trees, struct db *db, uint64_t sequence, struct address token, struct err *err)
{
    struct kept *k;

    for (size_t i = 0; i < KEPT_MAX; i++)
        if (trees->kept[i].used > 0 && trees->kept[i].sequence == sequence)
            return &trees->kept[i];
    k = make_room(trees);
    k->sequence = sequence;
    if (!build(db, token, k, err)) {
        kept_clear(k);
        return NULL;
    }
    k->used = ++trees->uses;
    keep_bounds(trees, k);
    return k;
}

static int by_account(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct address));
}

static bool find(const struct kept *k, struct address account, size_t *at)
{
    const struct address *hit = k->count > 0 ? bsearch(&account, k->accounts, k->count, sizeof account, by_account) : NULL;

    if (hit != NULL)
        *at = (size_t)(hit - k->accounts);
    return hit != NULL;
}

bool trees_reward(struct trees *trees, struct db *db, uint64_t sequence, struct address token, struct address account,
                  struct amount *claimable, struct proof *proof, bool *found, struct err *err)
{
    struct kept *k;
    size_t at;

    pthread_mutex_lock(&trees->lock);
    k = get(trees, db, sequence, token, err);
    if (k != NULL) {
        k->used = ++trees->uses;
        *found = find(k, account, &at);
        if (*found) {
            *claimable = k->claimables[at];
            tree_prove(k->tree, at, proof);
        }
    }
    pthread_mutex_unlock(&trees->lock);
    return k != NULL;
}
