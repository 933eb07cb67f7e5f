#include "api/usage.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "store/batches.h"
#include "store/ledger.h"

struct usage_row { struct hash model; struct model_usage sum; };
struct usage {
    pthread_mutex_t lock;
    uint64_t next_batch;                      /* all below are in rows */
    struct usage_row *rows;                   /* sorted by model */
    size_t count, capacity;
};

struct usage *usage_new(void)
{
    struct usage *usage = mem_new(sizeof *usage);

    pthread_mutex_init(&usage->lock, NULL);
    usage->next_batch = 1;
    return usage;
}

void usage_free(struct usage *usage)
{
    if (usage == NULL)
        return;
    pthread_mutex_destroy(&usage->lock);
    free(usage->rows);
    free(usage);
}

/* Where the model stands, or would. */
static size_t lower_bound(const struct usage *usage, struct hash model)
{
    size_t low = 0, high = usage->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(usage->rows[middle].model.b, model.b, sizeof model.b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct model_usage *row_of(struct usage *usage, struct hash model)
{
    size_t at = lower_bound(usage, model);

    if (at < usage->count && hash_eq(usage->rows[at].model, model))
        return &usage->rows[at].sum;
    if (usage->count == usage->capacity) {
        usage->capacity = usage->capacity > 0 ? 2 * usage->capacity : 64;
        usage->rows = mem_grow(usage->rows, usage->capacity, sizeof *usage->rows);
    }
    memmove(&usage->rows[at + 1], &usage->rows[at], (usage->count - at) * sizeof *usage->rows);
    usage->rows[at] = (struct usage_row){ .model = model };
    usage->count++;
    return &usage->rows[at].sum;
}

static bool add(struct model_usage *sum, const struct posting *p, struct err *err)
{
    /* What the popularity pool adds is no use: nobody ran a job for it; nor is a correction. */
    if (!role_is_credit(p->share.role) || p->share.role == ROLE_POPULARITY || role_is_adjustment(p->share.role))
        return true;
    /* Each receipt has one provider's part, so that row counts the receipts. */
    if (p->share.role == ROLE_PROVIDER)
        sum->receipts += p->count;
    return amount_add(sum->amount, p->share.amount, &sum->amount)
        || err_set(err, ERR_OVERFLOW, "a model's usage over 256 bits");
}

static bool add_closed(void *self, const struct posting *p, struct err *err)
{
    return add(row_of(self, p->share.model), p, err);
}

struct one_model { struct hash model; struct model_usage *sum; };

static bool add_open(void *self, const struct posting *p, struct err *err)
{
    const struct one_model *one = self;

    return !hash_eq(one->model, p->share.model) || add(one->sum, p, err);
}

/* Under the lock. */
static bool add_closed_batches(struct usage *usage, struct db *db, uint64_t open, struct err *err)
{
    while (usage->next_batch < open) {
        if (!store_postings_of_batch(db, usage->next_batch, add_closed, usage, err)) {
            usage->count = 0;                 /* half a batch may be in: start again the next time */
            usage->next_batch = 1;
            return false;
        }
        usage->next_batch++;
    }
    return true;
}

bool usage_of_model(struct usage *usage, struct db *db, struct hash model, struct model_usage *sum, struct err *err)
{
    struct batch_row open;
    struct model_usage total = { 0 };
    struct one_model one = { model, &total };
    bool ok;

    if (!store_batch_open(db, &open, err))
        return false;
    pthread_mutex_lock(&usage->lock);
    ok = add_closed_batches(usage, db, open.number, err);
    if (ok) {
        size_t at = lower_bound(usage, model);

        if (at < usage->count && hash_eq(usage->rows[at].model, model))
            total = usage->rows[at].sum;
    }
    pthread_mutex_unlock(&usage->lock);
    ok = ok && store_postings_of_batch(db, open.number, add_open, &one, err);
    if (ok)
        *sum = total;
    return ok;
}
