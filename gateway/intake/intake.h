/* gateway/intake/intake.h - receipts in: verified on a pool of threads, judged and kept by the writer, promised, answered.
 *
 *   intake_submit -> verify threads (hashes, signatures, content rules) -> writer task (duplicate, conflict, quarantine
 *   rules, price, ledger, one insert each) -> seal of the group (sums, one signed InclusionPromise) -> COMMIT -> done().
 *
 * Nothing is answered before it is durable.  The rules and their order are those of design section 3. */
#ifndef QUITTANCE_INTAKE_INTAKE_H
#define QUITTANCE_INTAKE_INTAKE_H

#include "chain/signer.h"
#include "gateway/core/rules.h"
#include "gateway/core/tree.h"
#include "gateway/intake/snapshot.h"
#include "store/receipts.h"
#include "store/writer.h"

struct intake_config {
    struct domain domain;
    struct rule_limits limits;
    uint64_t settle_within_ms;                /* settleBy = acceptedAt + this */
    uint64_t quote_max_ms;                    /* a quote lives so long */
    uint64_t quarantine_max;                  /* held receipts of strangers, then too-many */
    struct address protocol_account;
    /* cap / 4: the open batch closes before it passes this, a receipt over it is held; zero: no bound */
    struct amount batch_amount_max;
    uint64_t batch_receipts_max;              /* 5 million */
    /* New receipts a second of one provider, and how many at once; counted when their signatures are verified, so nobody
     * uses up another's.  0: no limit. */
    uint64_t rate_limit, rate_burst;
    unsigned verify_threads;
};

struct intake;
/* Borrows all but the config.  The promise signer may be the transaction signer. */
MUST_USE bool intake_new(const struct intake_config *config, struct writer *writer, const struct signer *promise_signer,
                         const struct clock *clock, struct snapshots *snapshots, struct intake **intake, struct err *err);
/* Prices that a market moves do so also while nothing is posted; and what other gateways change in a store that they share is known as
 * soon as they say so, or else within half a second.  Once, before anything is submitted.  reader: of the store, the ticking thread's from
 * now on. */
MUST_USE bool intake_tick_start(struct intake *intake, struct db *reader, struct err *err);
void intake_free(struct intake *intake);      /* waits until every submission is done */

/* From now on nothing is taken in or changed, here or in the other of a pair: ERR_AGAIN, here with these words.  Thread-safe,
 * as is the resume, which also looks anew at what the store holds; ERR_AGAIN: the other is paused still. */
void intake_pause(struct intake *intake, const char *why);
MUST_USE bool intake_resume(struct intake *intake, struct err *err);
bool intake_is_paused(const struct intake *intake);

/* As the contract's cap is now; from the next commit group on.  Thread-safe. */
void intake_set_batch_amount_max(struct intake *intake, struct amount max);

/* While a contract is replaced: two books, the successor's and its predecessor's, each with a store of its own.
 *
 * Submissions go to the successor.  A receipt or bundle whose signature fits the predecessor's domain alone goes on to its
 * book (the struct hash is the same, the digest is not).  No (provider, jobId) is in both: each book looks into the
 * other's store, so their writers must take turns (writer_take_turns). */
struct intake_pair {
    struct intake *successor, *predecessor;
    struct db *successor_store, *predecessor_store;      /* readers for the other one's writing thread, for nobody else */
    uint64_t last_finish_ms;                  /* jobs that finish later are the successor's alone */
};
/* Before anything is submitted; borrows all.  The successor is freed first. */
void intake_pair(const struct intake_pair *pair);
/* The contract takes no more batches, or soon will not: nothing more is accepted for it.  Thread-safe. */
void intake_close(struct intake *intake, bool closed);

/* The promise of a commit group, shared by all answers of that group; leaves kept as a tree for paths. */
struct group_promise { struct promise_row row; struct tree *tree; int references; };
void group_promise_release(struct group_promise *promise);    /* NULL is fine; thread-safe */

struct intake_item {
    /* in: what was decoded; faults holds `malformed` ones found while decoding */
    struct signed_receipt signed_;
    bool has_job_id;
    struct faults faults;
    struct hash hash;                         /* in for binary bundles (over the words as sent), else computed */
    bool has_hash;
    /* out */
    enum item_status status;
    enum receipt_code code;
    bool has_amount;
    struct amount amount;
    bool has_promise;                         /* accepted now, or a duplicate that has its first one */
    uint64_t promise, promise_index;          /* id in the store; equal to group's when accepted now */
    enum receipt_state existing_state;        /* of a duplicate */
    bool in_predecessor;                      /* whose book and promise it is: see intake_pair */
    /* intake's own */
    struct address key;                       /* that signed it, where it is not the provider; zero: the provider, or nobody */
    bool has_token;                           /* of its provider's rate */
    uint64_t retry_ms;                        /* too-many by the rate: when there is room again; 0: not known */
    bool goes_on;                             /* signed for the predecessor: not judged here */
    size_t decoded_faults;                    /* of faults: those that decoding found, */
    size_t first_faults;                      /* and those that were there before the books were asked */
};

struct submission {
    /* in; owned by the caller and untouched by it until done() */
    bool is_bundle;
    struct receipt_bundle bundle;             /* binary: provider and count from the words, root computed by intake */
    struct signature bundle_signature;
    bool bundle_root_given;                   /* JSON: must equal what the items give */
    struct intake_item *items;
    size_t count;
    /* On the writer's thread, or on a verify thread where the writer is stopping; must not block. */
    void (*done)(struct submission *submission, bool ok, const struct err *err);
    void *owner;
    /* out */
    /* References for the caller, by in_predecessor; NULL when nothing was accepted now. */
    struct group_promise *promises[2];
    /* intake's own */
    struct intake *intake;
    struct task task;
    size_t next_chunk, chunks_left;
    bool bundle_good;
    struct address bundle_key;                /* as an item's */
    void *work;
};
/* ERR_AGAIN: queues are full; nothing was taken, done() is not called.  A failed group answers done() with !ok: nothing of
 * the submission was kept, the same may be submitted again with fresh items. */
MUST_USE bool intake_submit(struct intake *intake, struct submission *submission, struct err *err);
void submission_clear(struct submission *submission);          /* items, faults, promise reference */
/* The same and waits. */
MUST_USE bool intake_submit_wait(struct intake *intake, struct submission *submission, struct err *err);

struct intake_counters { uint64_t accepted, duplicate, quarantined, rejected, by_code[RECEIPT_CODES]; };
void intake_count(struct intake *intake, struct intake_counters *counters);

#endif
