#include "api/usage.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/ledger.h"

struct usage {
    pthread_mutex_t lock;
    uint64_t next_batch;                      /* all below are in closed */
    struct usage_sums closed;
};

struct usage *usage_new(void)
{
    struct usage *usage = mem_new(sizeof *usage);

    pthread_mutex_init(&usage->lock, NULL);
    usage->next_batch = 1;
    return usage;
}

void usage_sums_clear(struct usage_sums *sums)
{
    free(sums->rows);
    *sums = (struct usage_sums){ 0 };
}

void usage_free(struct usage *usage)
{
    if (usage == NULL)
        return;
    pthread_mutex_destroy(&usage->lock);
    usage_sums_clear(&usage->closed);
    free(usage);
}

/* Where the model stands, or would. */
static size_t lower_bound(const struct usage_sums *sums, struct hash model)
{
    size_t low = 0, high = sums->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(sums->rows[middle].model.b, model.b, sizeof model.b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct model_usage find(const struct usage_sums *sums, struct hash model)
{
    size_t at = lower_bound(sums, model);

    return at < sums->count && hash_eq(sums->rows[at].model, model) ? sums->rows[at].sum : (struct model_usage){ 0 };
}

static struct model_usage *row_of(struct usage_sums *sums, struct hash model)
{
    size_t at = lower_bound(sums, model);

    if (at < sums->count && hash_eq(sums->rows[at].model, model))
        return &sums->rows[at].sum;
    if (sums->count == sums->capacity) {
        sums->capacity = sums->capacity > 0 ? 2 * sums->capacity : 64;
        sums->rows = mem_grow(sums->rows, sums->capacity, sizeof *sums->rows);
    }
    memmove(&sums->rows[at + 1], &sums->rows[at], (sums->count - at) * sizeof *sums->rows);
    sums->rows[at] = (struct usage_row){ .model = model };
    sums->count++;
    return &sums->rows[at].sum;
}

static bool add(void *self, const struct posting *p, struct err *err)
{
    struct model_usage *sum;

    /* What the popularity pool adds is no use: nobody ran a job for it; nor is a correction. */
    if (!role_is_credit(p->share.role) || p->share.role == ROLE_POPULARITY || role_is_adjustment(p->share.role))
        return true;
    sum = row_of(self, p->share.model);
    /* Each receipt has one provider's part, so that row counts the receipts. */
    if (p->share.role == ROLE_PROVIDER)
        sum->receipts += p->count;
    return amount_add(sum->amount, p->share.amount, &sum->amount)
        || err_set(err, ERR_OVERFLOW, "a model's usage over 256 bits");
}

/* Under the lock. */
static bool add_closed_batches(struct usage *usage, struct db *db, uint64_t open, struct err *err)
{
    while (usage->next_batch < open) {
        if (!store_postings_of_batch(db, usage->next_batch, add, &usage->closed, err)) {
            usage->closed.count = 0;          /* half a batch may be in: start again the next time */
            usage->next_batch = 1;
            return false;
        }
        usage->next_batch++;
    }
    return true;
}

bool usage_of_open_batch(struct db *db, struct usage_sums *open, struct err *err)
{
    struct usage_sums sums = { 0 };
    struct batch_row batch;

    if (!store_batch_open(db, &batch, err) || !store_postings_of_batch(db, batch.number, add, &sums, err)) {
        usage_sums_clear(&sums);
        return false;
    }
    *open = sums;
    return true;
}

bool usage_of_model(struct usage *usage, struct db *db, const struct usage_sums *open, struct hash model, struct model_usage *sum,
                    struct err *err)
{
    struct model_usage closed, now = find(open, model);
    struct batch_row batch;
    bool ok;

    if (!store_batch_open(db, &batch, err))
        return false;
    pthread_mutex_lock(&usage->lock);
    ok = add_closed_batches(usage, db, batch.number, err);
    closed = find(&usage->closed, model);
    pthread_mutex_unlock(&usage->lock);
    if (!ok)
        return false;
    if (!amount_add(closed.amount, now.amount, &now.amount))
        return err_set(err, ERR_OVERFLOW, "a model's usage over 256 bits");
    now.receipts += closed.receipts;
    *sum = now;
    return true;
}
