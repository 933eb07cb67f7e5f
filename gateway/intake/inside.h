/* gateway/intake/inside.h - what the files of this folder share; nobody else includes it.
 *
 * Threads: the pool's threads touch a submission only between intake_submit and the writer's task; everything in struct
 * group_state is the writer's thread's alone; counters and in_flight are under intake.lock. */
#ifndef QUITTANCE_INTAKE_INSIDE_H
#define QUITTANCE_INTAKE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/buckets.h"
#include "gateway/intake/intake.h"
#include "gateway/intake/tally.h"
#include "gateway/lib/json.h"
#include "gateway/pool/pool.h"
#include "store/batches.h"
#include "store/ledger.h"
#include "store/measures.h"
#include "store/pages.h"
#include "store/tree_parts.h"

#define VERIFY_CHUNK 64u                      /* items a thread takes at a time; of a bundle a frame */
#define SIDE_BY_SIDE 32u                      /* items hashed together */
#define WHOLE_MOST 16u                        /* items of short submissions that a thread takes at a time */
#define JOBS_LEAST 25u                        /* fewer jobs are asked for one by one */
#define PAGE_LEAST 8u                         /* fewer receipts cost less as rows of their own */
/* Receipts between submit and done.  Half of the writer's queue, so that a verified submission finds room there. */
#define INTAKE_IN_FLIGHT_MAX 100000u

/* A submission on its way. */
struct work {
    struct submission *next;                  /* in the pool's queue; then of those that a thread took with it */
    struct hash *leaves;                      /* owned; of its items, as bundle and promise trees hash them */
    struct tree *tree;                        /* owned; a bundle's */
    struct page_content content;              /* of all its items; no frames: it will not be a page */
    struct job_id *jobs;                      /* owned; of its items.  NULL: one stands among them twice, or they are few */
    struct job_id first_job, last_job;        /* they lie between these */
    bool *known;                              /* owned; by item, once the writer has asked for all jobs at once */
    bool asked;                               /* its task began once */
    bool kept;                                /* its task ran and succeeded: only the group can fail now */
};

/* parties.c: as the group's catalog has them. */
#define PARTY_MODELS 64u
struct parties {
    bool asked;
    struct address address;                   /* of the provider that was asked for last */
    const struct provider *provider;
    struct party_model { bool asked; struct hash digest; struct rule_model standing; } models[PARTY_MODELS];
};

/* A submission of the group that had receipts accepted, and where their leaves stand among the group's. */
struct promised { struct submission *s; size_t first_leaf, leaves; };

/* The debit of one receipt goes from one account to the other, and makes its model popular. */
struct recharge { uint64_t batch, accepted_at_ms; struct share from, to; struct popularity_fee fee; };

/* What the tasks of the commit group under way have added and the seal will write.  `marked` is how it stood when the
 * running task began: a task that fails goes back to it, as its savepoint does in the store. */
struct gathered {
    bool open;
    uint64_t number, now_ms;
    const struct snapshot *snapshot;
    struct parties parties;
    struct amount batch_amount_max;           /* one for the whole group */
    bool stepped;                             /* the running task is the first, and moved prices: gone with it if it fails */
    struct batch_row batch;                   /* the open one, with what this group has added so far */
    struct batch_row stored;                  /* the store's open one, as the group found it, and leaves it */
    uint64_t market_due_ms;                   /* when the next window ends; 0: prices moved with this group */
    struct shares credits;                    /* of the receipt under way: kept for its memory */
    struct tally postings, batches, days, demand;     /* demand: units by the version of the market's base */
    struct tally consumer_days, credit;       /* credit.c */
    struct tally bases;                       /* beside.c */
    struct tally measures, caches;            /* measure.c */
    struct popularity_terms epoch;            /* of the pool, at now_ms */
    bool epoch_running, epoch_stored;
    struct tally fees;                        /* what was paid to the protocol in it, by batch, consumer and model */
    struct hash *receipts, *leaves;           /* struct hashes of accepted receipts, in order, and their leaves of the promise tree */
    size_t leaf_count, leaf_capacity;
    struct promised *submissions;
    size_t submission_count, submission_capacity;
    struct recharge *recharges;               /* receipts of the open batch that have another payer since */
    size_t recharge_count, recharge_capacity;
    struct paging *paging;                    /* owned; accepted, and kept by the seal.  NULL: there is none */
    struct { struct batch_row stored; size_t leaves, submissions, recharges; uint64_t held; } marked;
};

struct jobs { struct job_id *list; size_t count, capacity; };      /* owned */
struct foreseen {
    uint64_t now_ms;                          /* of its group; 0: nothing was asked */
    uint64_t submissions_ms;                  /* of the group that has nothing but our submissions, the last there was */
    uint64_t paging_ms;                       /* of the group whose small submissions wait for its end, the last there was */
    struct jobs all, known;                   /* in order */
    struct provider_day *days;                /* owned; of its providers on its day, in order of address */
    size_t day_count, day_capacity;
};

/* kept.c; of_ms: now_ms of the group that left it, 0: none did. */
struct kept {
    uint64_t of_ms, market_due_ms;
    struct batch_row batch;
    struct popularity_terms epoch;
    bool epoch_running;
};

/* beside.c: what groups of ours that were written beside others added since the turn of this time, kept or not. */
struct added {
    uint64_t turn_ms, receipts;
    struct amount amount;
    struct tally days, credit;
};

struct intake {
    struct intake_config config;
    struct writer *writer;
    const struct signer *signer;
    const struct clock *clock;
    struct snapshots *snapshots;

    /* See intake_pair; other NULL: there is one book. */
    struct intake *other;
    struct db *other_store;
    bool is_predecessor;
    uint64_t last_finish_ms;                  /* the predecessor's */
    atomic_bool closed;
    atomic_bool paused;

    struct buckets *buckets;                  /* of providers; the writer's thread's alone, as are the next two */
    struct buckets *announcements, *quoted;
    _Atomic uint64_t market_due_ms;           /* when the next window of a market ends; 0: not known */
    bool ticks;
    struct db *reader;                        /* the ticker's, borrowed */
    uint64_t not_before_ms;                   /* nor is it tried again until then, after a failure; the ticker's */
    pthread_t ticker;
    int tick_stop;                            /* an eventfd; 0: none */
    struct gathered gathered;
    struct foreseen foreseen;
    struct kept kept;
    struct added added;
    bool held_known;
    uint64_t others;                          /* as of the last group: see struct group */
    uint64_t held;                            /* what strangers make us keep, this group's included: see store_receipts_of_strangers */

    pthread_mutex_t lock;
    pthread_cond_t work_waits, all_done;
    struct submission *first, *last;          /* chunks wait to be verified: queue.c */
    size_t waiting;                           /* submissions from first to last */
    size_t in_flight;                         /* receipts */
    size_t submissions;                       /* between submit and done */
    bool stopping;
    char paused_why[256];
    struct intake_counters counters;
    pthread_t *threads;
    unsigned thread_count;
};

/* queue.c: who waits for the pool's threads, under the lock; and what a thread does at a time: a chunk of a submission, or short
 * submissions whole, each the next of the one before. */
struct turn { struct submission *first; bool whole; size_t chunk; };
void queue_add(struct intake *intake, struct submission *s);
struct turn queue_take(struct intake *intake);       /* there must be one */
struct submission *queue_next(const struct submission *s);

/* verify.c: pool threads.  A chunk is so many items. */
size_t verify_chunk_size(const struct submission *s);
void verify_chunk(const struct intake *intake, struct submission *s, size_t chunk);
void verify_whole(const struct intake *intake, struct submission *first);
void verify_bundle(const struct intake *intake, struct submission *s);      /* after its last chunk, as is */
void verify_jobs(const struct submission *s);
void verify_pack(const struct submission *s);        /* of receipts signed one by one, after their jobs */

/* pair.c: the other book, while a contract is replaced. */
bool pair_fits_predecessor(const struct intake *intake, struct hash struct_hash, const struct signature *signature,
                           struct address signer);
MUST_USE bool pair_find(const struct intake *intake, const struct receipt *r, struct receipt_row *row, bool *found, struct err *err);
MUST_USE bool pair_job_billed(const struct intake *intake, const struct receipt *r, bool *billed, struct err *err);
/* Whether this contract still takes what is new; false: a fault that says which one does. */
bool pair_takes(const struct intake *intake, struct intake_item *item);
/* After the successor's commit; true: done() is called once the predecessor's book has answered too. */
bool pair_go_on(struct intake *intake, struct submission *s);

/* foresee.c: before the tasks of a group; whether it was asked for this one, and then of a job of it: nobody has a receipt for it. */
MUST_USE bool foresee_group(void *seal_self, const struct task *first, struct group *group, struct err *err);
bool foresee_is_done(const struct intake *intake, const struct group *group);
bool foresee_is_new(const struct intake *intake, struct job_id job);
/* Whether the receipts of its small submissions are kept together at its end. */
bool foresee_paging(const struct intake *intake, const struct group *group);
/* What the store has of a provider's day; false: it was not asked. */
bool foresee_day(const struct intake *intake, const struct group *group, struct address provider, struct amount *earned);
void foresee_free(struct intake *intake);

/* kept.c: what the group before left in memory goes into `gathered`; false: it is to be read.  And what this one leaves, at its end. */
bool kept_take(struct intake *intake, const struct group *group);
void kept_note(struct intake *intake, const struct group *group);

/* ticker.c: intake_tick_start's other half; after `stopping`. */
void ticker_stop(struct intake *intake);

/* beside.c: groups beside others (struct group.beside), which add nothing to a sum that others read, and decide nothing that hangs on
 * what others are about to add. */
/* At the start of one. */
void beside_begin(struct intake *intake, const struct group *group);
/* Where the group is none: true; else false, with err, which says why to whom debugs. */
MUST_USE bool in_turn(const struct group *group, const char *why, struct err *err);
/* What the store had of a sum as the group found it, which is its first addition in `days`, `credit` or `consumer_days`. */
enum beside_base { BASE_DAY = 1, BASE_CREDIT, BASE_CONSUMER_DAY };
MUST_USE bool beside_base(struct intake *intake, const struct group *group, enum beside_base what, const struct tally_key *key, struct amount base,
                          struct err *err);
/* Whether batch, day and credit hold the receipt that was just entered for sure, whatever others have added meanwhile. */
MUST_USE bool beside_fits(struct intake *intake, const struct group *group, const struct receipt *r, const struct share *charge, struct err *err);
/* The seal: leaves the sums to be folded in. */
MUST_USE bool beside_leave_sums(struct intake *intake, struct group *group, struct err *err);

/* gather.c: at the start of every task; reads what the task needs and marks where it began. */
MUST_USE bool gather_enter(struct intake *intake, struct group *group, struct err *err);
void gather_undo(struct intake *intake);       /* the task failed */
void gather_lost(struct intake *intake);       /* a task succeeded, its group did not */
void gather_close(struct intake *intake);      /* nothing of the group is kept in memory any more */
void gather_leaf(struct intake *intake, struct hash receipt, struct hash leaf);
void gather_submission(struct intake *intake, struct submission *s);
void gather_recharge(struct intake *intake, const struct recharge *r);
/* A receipt came into quarantine for this code, with `weight` receipts kept because of it; or one left it, or is held for
 * another reason now. */
void gather_held(struct intake *intake, enum receipt_code code, uint64_t weight);
void gather_let_go(struct intake *intake, const struct receipt_row *row, enum receipt_code from, enum receipt_code to);
/* Whether so much more held for this code would be too much of strangers. */
bool gather_is_full(const struct intake *intake, enum receipt_code code, uint64_t weight);
/* parties.c: in a task, after gather_enter; the provider is NULL where it is not admitted.  Borrowed of the group's catalog. */
const struct provider *parties_provider(struct gathered *g, struct address provider);
struct rule_model parties_model(struct gathered *g, struct hash model);
void parties_forget(struct parties *p);

/* book.c: judging and booking one receipt; in a task, after gather_enter. */
enum judging {
    JUDGE_NEW_JOB,                            /* nobody has a receipt for this job: that need not be asked */
    JUDGE_NORMAL,
    JUDGE_RELEASED                            /* by an operator */
};
MUST_USE bool book_judge(struct intake *intake, struct group *group, const struct signed_receipt *r, uint64_t received_at_ms,
                         enum judging judging, struct verdict *verdict, struct err *err);
/* What a held row would be worth now, where that changed; it stays held for what it is held for. */
MUST_USE bool book_reprice(struct intake *intake, struct group *group, struct receipt_row *row, struct err *err);
/* An accepted row was countersigned: its debit goes to whom it would have gone to, had the signature come with it.  over: the
 * consumer's credit limit would be passed, faults say by what; nothing is changed then.  faults: an empty list. */
MUST_USE bool book_recharge(struct intake *intake, struct group *group, struct receipt_row *row, struct faults *faults, bool *over,
                            struct err *err);
/* Prices, splits and charges it into the open batch and fills in all that acceptance sets but the promise; the caller stores the
 * row after book_promise. */
MUST_USE bool book_accept(struct intake *intake, struct group *group, const struct verdict *verdict, struct receipt_row *row,
                          struct err *err);
/* One more receipt under the group's promise; leaf: tree_promise_leaf of its hash. */
void book_promise(struct intake *intake, struct receipt_row *row, struct hash leaf);
/* Judges a held row again and stores what became of it; row->state and row->code say what.  Caller clears the verdict. */
MUST_USE bool book_again(struct intake *intake, struct group *group, bool operator_released, struct receipt_row *row,
                         struct verdict *verdict, struct err *err);
/* credit.c: what the consumer who would be billed for this, accepted then, was billed in that period; *used is left alone where it has
 * no limit now.  And what one is billed now, for a receipt accepted then. */
MUST_USE bool credit_used(struct intake *intake, struct group *group, const struct signed_receipt *r, uint64_t accepted_at_ms,
                          struct amount *used, struct err *err);
MUST_USE bool credit_use(struct intake *intake, struct group *group, const struct share *charge, uint64_t accepted_at_ms, struct err *err);
/* measure.c: what the rules of plausibility look at, and what an accepted receipt adds to it; p is its admitted provider. */
MUST_USE bool measure_facts(struct intake *intake, struct group *group, const struct provider *p, const struct receipt *r,
                            struct usage_facts *facts, struct err *err);
MUST_USE bool measure_accepted(struct intake *intake, struct group *group, const struct receipt *r, struct err *err);
MUST_USE bool measure_flush(struct intake *intake, struct group *group, struct err *err);
void book_faults_text(const struct faults *faults, char *text, size_t size);      /* as JSON that fits, the first ones */

/* market.c: at the start of a group, moves each market over all windows that have ended.  *stepped: versions were added. */
MUST_USE bool market_run(struct intake *intake, struct group *group, const struct catalog *catalog, bool *stepped, struct err *err);
/* What an accepted receipt asks of its market; and all of the group into the store. */
MUST_USE bool market_count(struct intake *intake, const struct price_version *price, const struct receipt *r, struct err *err);
MUST_USE bool market_flush(const struct intake *intake, struct group *group, struct err *err);

/* pause.c: ERR_AGAIN while this book is paused, or the other, into which it must look; under the lock. */
MUST_USE bool intake_may_take(const struct intake *intake, struct err *err);

/* change.c: a task of our own that the caller waits for: admissions, prices, releases.  Not from the writer's thread. */
typedef bool change_fn(void *self, struct intake *intake, struct group *group, struct err *err);
MUST_USE bool intake_change(struct intake *intake, change_fn *fn, void *self, size_t weight, bool alone, struct err *err);
/* Into the audit log, as done now by who; takes the detail. */
MUST_USE bool change_record(struct group *group, const char *who, const char *action, json *owned_detail, struct err *err);

/* admit_keys.c: whether p's payout account is as its wallet wants it; what it needs no word for is as it was (old: NULL, never
 * admitted). */
MUST_USE bool payout_agreed(const struct domain *domain, uint64_t now_ms, const struct provider *old, struct provider *p, struct err *err);

/* What accept.c and paging.c share of one submission's task. */
struct run {
    struct intake *intake;
    struct group *group;
    struct submission *s;
    bool bundle_good;                         /* and its key is one of the provider's */
    size_t promised;                          /* receipts accepted by this task */
    uint64_t bundle;                          /* id of its row, made with the first receipt that refers to it */
    struct paging *paging;                    /* borrowed or its own; NULL: each receipt is a row of its own */
};
/* accept.c: what is known of a kept receipt goes into the answer. */
void accept_show(struct intake_item *item, const struct receipt_row *row);
/* bundle.c: the bundle's one row, kept when the first of its receipts is. */
MUST_USE bool bundle_refer(struct run *run, size_t index, struct receipt_row *row, struct err *err);
/* A bundle's signature over one of its items. */
struct bundle_proof bundle_prove(struct run *run, size_t index);

/* paging.c: accepted receipts go into pages; those of a bundle or an array at the end of its task, those of all smaller submissions of
 * a group at the end of the group. */
bool paging_is_small(const struct submission *s);
void paging_begin(struct run *run);           /* run->paging stays NULL where there will be no page */
/* The row has all that acceptance sets but its promise. */
MUST_USE bool paging_add(struct run *run, size_t index, const struct receipt_row *row, struct err *err);
MUST_USE bool paging_end(struct run *run, struct err *err);         /* writes the submission's own */
void paging_free(struct run *run);
/* Writes the group's: at its end, or before the store is asked for one of these jobs, which it does not know yet. */
MUST_USE bool paging_write(struct intake *intake, struct group *group, struct err *err);
bool paging_holds(const struct intake *intake, const struct job_id *jobs, size_t count);      /* any of them */
void paging_forget(struct intake *intake);    /* the group's */

/* job_set.c: which jobs; their names are chosen by strangers, so where they lie depends on a seed. */
struct job_set { struct job_id *slots; size_t count, slot_count; uint64_t seed[2]; };     /* owned; all zero: empty */
void job_set_add(struct job_set *set, struct job_id job);        /* not all zero */
bool job_set_has(const struct job_set *set, struct job_id job);
void job_set_clear(struct job_set *set);

/* accept.c and seal.c: the writer's task of a submission, and the end of its group (seal_self is the intake). */
/* Not one that is rejected for its content, whatever is kept. */
bool accept_may_ask(const struct intake_item *item);
struct submission *submission_of(const struct task *task);
MUST_USE bool accept_run(struct task *task, struct group *group, struct err *err);
MUST_USE bool seal_group(void *seal_self, struct group *group, struct err *err);
void accept_count(struct intake *intake, const struct submission *s);

#endif
