/* store/receipts.h - receipts, the bundles and promises they belong to, and conflicting evidence. */
#ifndef QUITTANCE_STORE_RECEIPTS_H
#define QUITTANCE_STORE_RECEIPTS_H

#include "gateway/core/receipt.h"
#include "gateway/core/state.h"
#include "gateway/core/tree.h"
#include "gateway/core/typed.h"
#include "store/db.h"

struct receipt_row {
    struct signed_receipt signed_;
    struct hash hash;
    enum receipt_state state;
    enum receipt_code code;
    bool has_bundle;
    uint64_t bundle, bundle_index;
    uint64_t received_at_ms;
    /* from acceptance on */
    uint64_t accepted_at_ms, batch, price_version;
    struct amount amount;
    bool has_charged;
    struct address charged;                   /* the consumer that is billed; else the treasury */
    uint64_t promise, promise_index;
    uint64_t page, slot;                      /* where it lies (pages.h); 0: a whole row */
    char reason[256];
    char faults[1024];                        /* JSON; empty when none */
};

MUST_USE bool store_receipt_find(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found, struct err *err);
MUST_USE bool store_receipt_insert(struct db *db, const struct receipt_row *row, struct err *err);
/* quarantined -> accepted, with everything that acceptance sets. */
MUST_USE bool store_receipt_accept(struct db *db, const struct receipt_row *row, struct err *err);
MUST_USE bool store_receipt_refuse(struct db *db, struct job_id job, struct address provider, const char *reason, struct err *err);
/* A quarantined receipt that is held for another reason, or would be worth another amount now: code, faults and price. */
MUST_USE bool store_receipt_requeue(struct db *db, const struct receipt_row *row, struct err *err);
/* For one that is written anew from an archive, where a restored backup catches up; row is what store_receipt_find gave. */
MUST_USE bool store_receipt_delete(struct db *db, const struct receipt_row *row, struct err *err);
/* All of a batch, wherever they lie. */
MUST_USE bool store_receipts_rebatch(struct db *db, uint64_t from, uint64_t to, struct err *err);
/* The first consumer signature, and who is charged because of it. */
MUST_USE bool store_receipt_countersign(struct db *db, const struct receipt_row *row, struct err *err);
/* Anybody has a receipt for this job, in any state. */
MUST_USE bool store_receipt_job_known(struct db *db, struct job_id job, bool *known, struct err *err);
/* The same of many jobs at once, which all lie between first and last: known[i] of jobs[i]. */
MUST_USE bool store_receipt_jobs_known(struct db *db, const struct job_id *jobs, size_t count, struct job_id first, struct job_id last,
                                       bool *known, struct err *err);
/* Another provider's accepted receipt for this job. */
MUST_USE bool store_receipt_job_billed(struct db *db, struct job_id job, struct address except, bool *billed, struct err *err);
typedef bool receipt_fn(void *self, const struct receipt_row *row, struct err *err);      /* false: stop; with err set: fail */
/* Keys in the order of jobs from the newest on, after (job, provider); after NULL: all. */
typedef bool receipt_key_fn(void *self, struct job_id job, struct address provider, enum receipt_state state, struct err *err);
MUST_USE bool store_receipt_keys(struct db *db, const struct job_id *after, struct address after_provider, unsigned limit,
                                 receipt_key_fn *visit, void *self, struct err *err);
MUST_USE bool store_receipts_of_job(struct db *db, struct job_id job, receipt_fn *visit, void *self, struct err *err);
/* Those whose (jobId, provider) lies below, newest job first. */
MUST_USE bool store_receipts_before(struct db *db, struct job_id job, struct address provider, unsigned limit, receipt_fn *visit, void *self,
                                    struct err *err);
MUST_USE bool store_receipts_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, struct err *err);   /* by (jobId, provider) */
/* Backwards, from before a key on: those that lie in no page (pages.h has the others). */
MUST_USE bool store_receipt_rows_before(struct db *db, uint64_t batch, struct job_id job, struct address provider, unsigned limit,
                                        receipt_fn *visit, void *self, struct err *err);
/* The same of a batch that is closed, so that nothing of it changes, for who reads them more than once: open reads them all in short
 * transactions, and afterwards the store is not asked any more.  Outside a transaction.  The rows have no texts (reason, faults). */
struct batch_receipts;
MUST_USE bool batch_receipts_open(struct db *db, uint64_t batch, struct batch_receipts **receipts, struct err *err);
MUST_USE bool batch_receipts_each(struct batch_receipts *receipts, receipt_fn *visit, void *self, struct err *err);
void batch_receipts_close(struct batch_receipts *receipts);    /* NULL is fine */
/* Held ones, oldest first, after a cursor. */
struct held_cursor { uint64_t received_at_ms; struct job_id job; struct address provider; };
MUST_USE bool store_receipts_held(struct db *db, const struct held_cursor *after, unsigned limit, receipt_fn *visit, void *self, struct err *err);
/* How many are held, counted no further than `most`: whoever asks often says where it stops to matter. */
MUST_USE bool store_receipts_held_count(struct db *db, uint64_t most, uint64_t *held, struct err *err);
/* What strangers make us keep, in receipts; a bundle counts whole, as all its leaves are kept for any one of it. */
MUST_USE bool store_receipts_of_strangers(struct db *db, uint64_t *held, struct err *err);

/* What proves a receipt that was signed in a bundle, by itself. */
struct bundle_proof { struct receipt_bundle bundle; struct signature signature; uint64_t index; struct proof path; };
#define CONFLICTS_KEPT 8u                     /* a receipt, design 3 */
/* proof NULL: it was signed alone.  Beyond keep it is dropped. */
MUST_USE bool store_conflict_add(struct db *db, const struct receipt_row *other, const struct bundle_proof *proof, unsigned keep, struct err *err);
typedef bool conflict_fn(void *self, const struct receipt_row *other, const struct bundle_proof *proof, struct err *err);
MUST_USE bool store_conflicts_of(struct db *db, struct job_id job, struct address provider, conflict_fn *visit, void *self, struct err *err);

struct bundle_row { uint64_t id; struct receipt_bundle bundle; struct signature signature; struct buf leaves; };       /* leaves owned */
MUST_USE bool store_bundle_insert(struct db *db, struct bundle_row *row, struct err *err);       /* sets id */
typedef bool bundle_fn(void *self, const struct bundle_row *row, struct err *err);
MUST_USE bool store_bundles(struct db *db, bundle_fn *visit, void *self, struct err *err);       /* all, without their leaves */
MUST_USE bool store_bundle_find(struct db *db, uint64_t id, struct bundle_row *row, struct err *err);
struct promise_row { uint64_t id; struct inclusion_promise promise; struct signature signature; struct address signer; struct buf leaves; };
MUST_USE bool store_promise_insert(struct db *db, const struct promise_row *row, struct err *err);
MUST_USE bool store_promise_find(struct db *db, uint64_t id, struct promise_row *row, struct err *err);

MUST_USE bool store_provider_day(struct db *db, struct address provider, uint64_t day, struct amount *amount, struct err *err);
/* Sets the amount of each in the list. */
struct provider_day { struct address provider; uint64_t day; struct amount amount; };
MUST_USE bool store_provider_days_find(struct db *db, struct provider_day *list, size_t count, struct err *err);
/* It will be called with this list: see db_each_key_soon. */
MUST_USE bool store_provider_days_find_soon(struct db *db, const struct provider_day *list, size_t count, struct err *err);
MUST_USE bool store_provider_day_set(struct db *db, struct address provider, uint64_t day, struct amount amount, struct err *err);
MUST_USE bool store_provider_day_add(struct db *db, struct address provider, uint64_t day, struct amount more, struct err *err);
MUST_USE bool store_provider_days_add(struct db *db, const struct provider_day *more, size_t count, struct err *err);   /* each another */
/* What a consumer was billed: on a day, and on those from one up to (not including) another. */
MUST_USE bool store_consumer_day(struct db *db, struct address consumer, uint64_t day, struct amount *amount, struct err *err);
MUST_USE bool store_consumer_day_set(struct db *db, struct address consumer, uint64_t day, struct amount amount, struct err *err);
MUST_USE bool store_consumer_day_add(struct db *db, struct address consumer, uint64_t day, struct amount more, struct err *err);
struct consumer_day { struct address consumer; uint64_t day; struct amount amount; };
MUST_USE bool store_consumer_days_add(struct db *db, const struct consumer_day *more, size_t count, struct err *err);   /* likewise */
MUST_USE bool store_consumer_days(struct db *db, struct address consumer, uint64_t from, uint64_t until, struct amount *amount, struct err *err);

#endif
