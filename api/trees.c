#include "api/trees.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/receipts.h"

#define KEPT_MAX 8
#define KEY_LEN 36                            /* jobId and provider, or an account and zeros: sorts like the leaves */

enum tree_kind { TREE_RECEIPTS, TREE_REWARDS };

struct tree_key { uint8_t b[KEY_LEN]; };
struct kept {
    enum tree_kind kind;
    uint64_t number;                          /* of the batch, or of the settlement */
    size_t count, capacity;
    struct tree_key *keys;                    /* sorted */
    struct hash *leaves;
    struct amount *claimables;                /* rewards only */
    struct tree *tree;
    uint64_t used;
};
/* One lock also over building: two requests for the same tree build it once. */
struct trees {
    const uint8_t *secret;
    pthread_mutex_t lock;
    struct kept kept[KEPT_MAX];
    uint64_t uses;
};

struct trees *trees_new(const uint8_t secret[32])
{
    struct trees *trees = mem_new(sizeof *trees);

    trees->secret = secret;
    pthread_mutex_init(&trees->lock, NULL);
    return trees;
}

static void kept_clear(struct kept *k)
{
    free(k->keys);
    free(k->leaves);
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

struct build { struct kept *kept; const uint8_t *secret; };

static bool add_receipt(void *self, const struct receipt_row *row, struct err *err)
{
    const struct build *build = self;
    struct kept *k = build->kept;
    const struct receipt *r = &row->signed_.receipt;

    (void)err;
    if (k->count == k->capacity) {
        k->capacity = k->capacity > 0 ? 2 * k->capacity : 1024;
        k->keys = mem_grow(k->keys, k->capacity, sizeof *k->keys);
        k->leaves = mem_grow(k->leaves, k->capacity, sizeof *k->leaves);
    }
    k->keys[k->count] = receipt_key(r->job_id, r->provider);
    k->leaves[k->count] = tree_receipts_leaf(k->count, r->job_id, r->provider,
                                             receipt_salt(build->secret, r->job_id, r->provider), row->hash);
    k->count++;
    return true;
}

static bool build_receipts(struct trees *trees, struct db *db, struct kept *k, struct err *err)
{
    struct build build = { k, trees->secret };

    return store_receipts_of_batch(db, k->number, add_receipt, &build, err);
}

static bool build_rewards(struct db *db, struct address token, struct kept *k, struct err *err)
{
    struct reward_leaves leaves = { 0 };

    if (!store_leaves_load(db, k->number, &leaves, err))
        return false;
    k->count = leaves.count;
    k->keys = mem_array(leaves.count + 1, sizeof *k->keys);
    k->leaves = mem_array(leaves.count + 1, sizeof *k->leaves);
    k->claimables = mem_array(leaves.count + 1, sizeof *k->claimables);
    for (size_t i = 0; i < leaves.count; i++) {
        k->keys[i] = account_key(leaves.list[i].account);
        k->leaves[i] = tree_rewards_leaf(leaves.list[i].account, token, leaves.list[i].claimable);
        k->claimables[i] = leaves.list[i].claimable;
    }
    reward_leaves_clear(&leaves);
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

/* Under the lock.  NULL: err. */
static struct kept *get(struct trees *trees, struct db *db, enum tree_kind kind, uint64_t number, struct address token,
                        struct err *err)
{
    struct kept *k;
    bool ok;

    for (size_t i = 0; i < KEPT_MAX; i++)
        if (trees->kept[i].tree != NULL && trees->kept[i].kind == kind && trees->kept[i].number == number)
            return &trees->kept[i];
    k = make_room(trees);
    k->kind = kind;
    k->number = number;
    ok = kind == TREE_RECEIPTS ? build_receipts(trees, db, k, err) : build_rewards(db, token, k, err);
    if (!ok) {
        kept_clear(k);
        return NULL;
    }
    k->tree = tree_new(k->leaves, k->count);
    free(k->leaves);                          /* the tree has its own */
    k->leaves = NULL;
    return k;
}

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, KEY_LEN);
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
    size_t at;

    pthread_mutex_lock(&trees->lock);
    k = get(trees, db, TREE_RECEIPTS, batch, (struct address){ { 0 } }, err);
    if (k != NULL) {
        k->used = ++trees->uses;
        *found = find(k, &key, &at);
        if (*found) {
            *index = at;
            tree_prove(k->tree, at, proof);
        }
    }
    pthread_mutex_unlock(&trees->lock);
    return k != NULL;
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
