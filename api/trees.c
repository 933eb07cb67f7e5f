#include "api/trees.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/tree_file.h"
#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/receipts.h"

#define KEPT_MAX 8
#define REWARDS_BYTES_MAX (32 * MIB)          /* of all rewards trees that are kept, but the newest may be larger */

enum tree_kind { TREE_RECEIPTS, TREE_REWARDS };

struct kept {
    enum tree_kind kind;
    uint64_t number;                          /* of the batch, or of the settlement */
    uint64_t used;
    struct tree_file *file;                   /* receipts: by jobId and provider */
    /* Rewards. */
    size_t count;
    struct tree_key *keys;                    /* an account and zeros: sorts like the leaves */
    struct amount *claimables;
    struct tree *tree;
};
/* One lock also over building: two requests for the same tree build it once. */
struct trees {
    const uint8_t *secret;
    const char *dir;
    pthread_mutex_t lock;
    struct kept kept[KEPT_MAX];
    uint64_t uses;
};

struct trees *trees_new(const uint8_t secret[32], const char *dir)
{
    struct trees *trees = mem_new(sizeof *trees);

    trees->secret = secret;
    trees->dir = dir;
    pthread_mutex_init(&trees->lock, NULL);
    return trees;
}

static void kept_clear(struct kept *k)
{
    tree_file_free(k->file);
    free(k->keys);
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

static struct tree_key receipt_key(struct job_id job, struct address provider)
{
    struct tree_key key;

    memcpy(key.b, job.b, 16);
    memcpy(key.b + 16, provider.b, 20);
    return key;
}

static struct tree_key account_key(struct address account)
{
    struct tree_key key = { { 0 } };

    memcpy(key.b, account.b, 20);
    return key;
}

struct build { struct tree_file *file; const uint8_t *secret; };

static bool add_receipt(void *self, const struct receipt_row *row, struct err *err)
{
    const struct build *build = self;
    const struct receipt *r = &row->signed_.receipt;
    struct tree_key key = receipt_key(r->job_id, r->provider);
    struct hash salt = receipt_salt(build->secret, r->job_id, r->provider);

    return tree_file_add(build->file, &key, tree_receipts_leaf(tree_file_count(build->file), r->job_id, r->provider, salt, row->hash), err);
}

static bool build_receipts(struct trees *trees, struct db *db, struct kept *k, struct err *err)
{
    struct build build = { .secret = trees->secret };

    if (!tree_file_new(trees->dir, &k->file, err))
        return false;
    build.file = k->file;
    return store_receipts_of_batch(db, k->number, add_receipt, &build, err) && tree_file_end(k->file, err);
}

static bool build_rewards(struct db *db, struct address token, struct kept *k, struct err *err)
{
    struct reward_leaves leaves = { 0 };
    struct hash *hashes;

    if (!store_leaves_load(db, k->number, &leaves, err))
        return false;
    k->count = leaves.count;
    k->keys = mem_array(leaves.count + 1, sizeof *k->keys);
    hashes = mem_array(leaves.count + 1, sizeof *hashes);
    k->claimables = mem_array(leaves.count + 1, sizeof *k->claimables);
    for (size_t i = 0; i < leaves.count; i++) {
        k->keys[i] = account_key(leaves.list[i].account);
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
    return k->count * (sizeof *k->keys + sizeof *k->claimables + 2 * sizeof(struct hash));
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
static struct kept *get(struct trees *trees, struct db *db, enum tree_kind kind, uint64_t number, struct address token,
                        struct err *err)
{
    struct kept *k;
    bool ok;

    for (size_t i = 0; i < KEPT_MAX; i++)
        if (trees->kept[i].used > 0 && trees->kept[i].kind == kind && trees->kept[i].number == number)
            return &trees->kept[i];
    k = make_room(trees);
    k->kind = kind;
    k->number = number;
    ok = kind == TREE_RECEIPTS ? build_receipts(trees, db, k, err) : build_rewards(db, token, k, err);
    if (!ok) {
        kept_clear(k);
        return NULL;
    }
    k->used = ++trees->uses;
    keep_bounds(trees, k);
    return k;
}

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, TREE_KEY);
}

static bool find(struct kept *k, const struct tree_key *key, size_t *at)
{
    const struct tree_key *hit = k->count > 0 ? bsearch(key, k->keys, k->count, sizeof *key, key_cmp) : NULL;

    if (hit != NULL)
        *at = (size_t)(hit - k->keys);
    return hit != NULL;
}

bool trees_receipt(struct trees *trees, struct db *db, uint64_t batch, struct job_id job, struct address provider,
                   uint64_t *index, struct proof *proof, bool *found, struct err *err)
{
    struct tree_key key = receipt_key(job, provider);
    struct kept *k;
    bool ok;

    pthread_mutex_lock(&trees->lock);
    k = get(trees, db, TREE_RECEIPTS, batch, (struct address){ { 0 } }, err);
    ok = k != NULL;
    if (ok)
        k->used = ++trees->uses;
    ok = ok && tree_file_find(k->file, &key, index, found, err) && (!*found || tree_file_prove(k->file, *index, proof, err));
    pthread_mutex_unlock(&trees->lock);
    return ok;
}

bool trees_reward(struct trees *trees, struct db *db, uint64_t sequence, struct address token, struct address account,
                  struct amount *claimable, struct proof *proof, bool *found, struct err *err)
{
    struct tree_key key = account_key(account);
    struct kept *k;
    size_t at;

    pthread_mutex_lock(&trees->lock);
    k = get(trees, db, TREE_REWARDS, sequence, token, err);
    if (k != NULL) {
        k->used = ++trees->uses;
        *found = find(k, &key, &at);
        if (*found) {
            *claimable = k->claimables[at];
            tree_prove(k->tree, at, proof);
        }
    }
    pthread_mutex_unlock(&trees->lock);
    return k != NULL;
}
