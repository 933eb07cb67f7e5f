/* gateway/settle/parts.h - inside of a struct settle and the stages of a run; only gateway/settle includes this.
 *
 * A stage does what can be done now and returns.  Whatever it changes goes through one writer task that ends in a
 * guarded move; `moved` is set to true by whoever changed something and never set to false.  Nothing kept in memory is
 * needed: watches, outcomes and left-out accounts only save work, and are found out again after a restart. */
#ifndef QUITTANCE_SETTLE_PARTS_H
#define QUITTANCE_SETTLE_PARTS_H

#include "gateway/settle/crash.h"
#include "gateway/settle/settle.h"

/* One open transaction, looked at again and again (follow.c, replace.c). */
struct watch {
    uint64_t tx;
    uint64_t since_block;                     /* chain height when its newest attempt was first looked at */
    uint64_t sent_ms;                         /* when its bytes were last handed to a node by us; 0: not yet */
    uint64_t used_look_ms;                    /* last look that found its nonce used and no receipt */
    unsigned used_looks;                      /* such looks in a row */
    uint64_t gap_since_ms;                    /* a nonce below it belongs to nobody; 0: not so */
};
/* What one mined distribute did, read from its logs (report.c). */
struct outcome { uint64_t tx; struct hash block_hash; struct amount paid; uint64_t skipped; };

/* How far a scan may reach at once, and what was recorded so far (payments.c). */
struct payments_scanner {
    uint64_t blocks;                          /* as many as nodes gave at once lately; 0: not tried yet */
    unsigned went_well;                       /* scans in a row */
    bool has_total;
    struct amount total;                      /* of all payments in the store */
    struct amount surplus;                    /* of that over what the contract paid, as known since the start */
    bool recounts;                            /* something differed: the sum is taken from the store itself */
    bool unchecked_told;
};

/* What a node said of bytes that were handed to it, until it is written (broadcast.c). */
struct sent_mark { uint64_t tx; bool was_prepared; struct tx_hash hash; struct err answer; };

/* What a run and a day cost so far (budget.c). */
struct spent { struct wei run, day; };

struct settle {
    struct settle_config config;
    struct db *db;
    struct writer *writer;
    struct rpc *rpc;
    const struct signer *signer;
    const struct clock *clock;
    struct address account;                   /* the signer's: whose nonces these are */
    uint64_t generation;                      /* of the lease when this was made: all below was found out under it */
    bool level;                               /* the store knew all that the chain does, when first looked */
    struct settle_report report;              /* of the batch that was worked on last */
    struct err unbooked;                      /* why an epoch of the popularity pool could not be booked, as told */
    struct watch *watches;                    /* by tx */
    size_t watch_count;
    struct outcome *outcomes;
    size_t outcome_count;
    struct sent_mark *marks;
    size_t mark_count;
    uint64_t data_free_until_ms;              /* until then this chain takes nothing for data */
    bool spent_known;                         /* since then, too: of what sequence and day, and how much */
    uint64_t spent_sequence, spent_day;
    struct spent spent;
    bool flight_known;                        /* since the last follow: what is not mined yet, and may cost at most */
    uint64_t flight_count;
    struct wei flight_cost;
    uint64_t left_out_sequence;               /* whose payments the accounts below make fail */
    struct address *left_out;
    size_t left_out_count;
    struct payments_scanner scanner;
    bool held;                                /* a ceiling just kept something from being sent (budget.c) */
    enum settle_waits told;                   /* the ceiling that the log names last */
    uint64_t paying_sequence, paying_mark;    /* all that is due is in flight: of what, and in which states (0: no) */
};

/* A task of the writer, as long as it is ours to settle (settle.c). */
MUST_USE bool settle_do(struct settle *s, writer_fn *fn, void *self, struct err *err);

/* -- what to work on (work.c) -- */
/* false while the chain knows settlements that this store does not: nothing is closed, sent or planned before. */
MUST_USE bool work_may_begin(struct settle *s, struct err *err);
/* A batch in progress first, else the lowest closed one whose rewards tree is not empty. */
MUST_USE bool work_find(struct settle *s, struct batch_row *batch, bool *found, struct err *err);
/* Neither receipts nor corrections. */
MUST_USE bool work_is_empty(struct settle *s, const struct batch_row *batch, bool *empty, struct err *err);
/* Whether a settlement of this batch would have any leaf. */
MUST_USE bool work_has_leaves(struct settle *s, const struct batch_row *batch, bool *has, struct err *err);

/* -- the popularity pool (popularity.c) -- */
/* Opens and books the epochs that are due; a failure is told and holds up nothing else. */
void popularity_book(struct settle *s);

/* -- transactions, copied out of the store (txs.c) -- */
struct transactions { struct transaction_row *list; size_t count; };      /* owned */
struct attempts { struct attempt_row *list; size_t count; };              /* owned, oldest first */
/* Of every account, by account and nonce. */
MUST_USE bool transactions_open(struct settle *s, struct transactions *txs, struct err *err);
MUST_USE bool transactions_of(struct settle *s, uint64_t sequence, struct transactions *txs, struct err *err);
void transactions_clear(struct transactions *txs);
MUST_USE bool attempts_of(struct settle *s, uint64_t tx, struct attempts *attempts, struct err *err);
void attempts_clear(struct attempts *attempts);
/* Prepared or sent: what it does may still come. */
bool transaction_is_unmined(const struct transaction_row *t);
/* Whether it does its work, or may still: not reverted, void or foreign, all of them final, and not one left behind by
 * an account whose key we have no more. */
bool transaction_holds_work(const struct settle *s, const struct transaction_row *t);
/* The one of this kind that holds the work, one with a receipt first; NULL: none, so it may be tried anew. */
const struct transaction_row *transactions_live(const struct settle *s, const struct transactions *txs,
                                                const char *kind);
/* ERR_AGAIN while this kind of work failed so often that the next try waits: each costs gas. */
MUST_USE bool transactions_may_retry(const struct settle *s, const struct transactions *txs, const char *kind,
                                     struct err *err);
/* Whether these bytes only use the nonce up: nothing, to ourselves. */
MUST_USE bool attempt_is_void(const struct attempt_row *a, struct address account, bool *is_void, struct err *err);

/* -- the chain as settled so far (heights.c) -- */
/* confirmed_block of behind.h, by our settings. */
MUST_USE bool confirmed_height(struct settle *s, uint64_t *height, bool *any, struct err *err);

/* -- ceilings (budget.c) -- */
/* False, always: what err says is a ceiling, and waited for; it is no failure of the step. */
bool hold(struct settle *s, enum settle_waits waits, const struct err *err);
/* Whether what just failed was only held by a ceiling; forgets it. */
bool hold_taken(struct settle *s);
/* What the stage waits for, where no ceiling holds anything: that is said first. */
void wait_for(struct settle *s, enum settle_waits waits);
/* One log line when a ceiling begins to hold, and one when it ends. */
void hold_tell(struct settle *s);
/* Room for one more cost under the ceilings of the run and the day; replaced: the transaction whose newest bytes it stands
 * for, or 0.  ERR_AGAIN and held where there is none. */
MUST_USE bool budget_allows(struct settle *s, uint64_t sequence, uint64_t replaced, struct wei cost, struct err *err);
/* What the run of this sequence and this day cost so far, as budget_allows counts. */
MUST_USE bool budget_spent(struct settle *s, uint64_t sequence, uint64_t replaced, struct spent *spent, struct err *err);
/* budget_allows for new transactions of a sequence: between two looks at them only we add to the sums, so they are taken from the
 * store once.  budget_add: so much more was signed. */
MUST_USE bool budget_bears(struct settle *s, uint64_t sequence, struct wei cost, struct err *err);
void budget_add(struct settle *s, struct wei cost);

/* -- sending (send.c) -- */
#define SEND_WINDOW 16u                       /* in flight at once: what pools keep of one account */
#define SEND_GROUP 16u                        /* signed and stored together, at most */
struct send_request {
    const char *kind;                         /* commit, distribute */
    uint64_t sequence, gas;
    const struct buf *data;                   /* calldata for the contract */
    const struct reward_leaves *set;          /* who is paid; NULL: nobody */
};
/* Most gas that one of our transactions may have: of the protocol, and of this chain's blocks (tx_gas_most). */
MUST_USE bool send_gas_limit(struct settle *s, uint64_t *limit, struct err *err);
/* Gas to give a call (tx_gas_limit).  A refusal is what the contract's error means. */
MUST_USE bool send_estimate(struct settle *s, const struct buf *data, uint64_t *gas, struct err *err);
MUST_USE bool send_fee(struct settle *s, struct fee *fee, struct err *err);
/* The most the chain takes for the data of this transaction besides its gas: twice of today's, as the price of the chain
 * below moves until ours is mined. */
MUST_USE bool send_data_fee(struct settle *s, const struct tx *tx, struct wei *fee, struct err *err);
/* Transactions of ours that are not mined, and the most they may take of the balance. */
MUST_USE bool send_in_flight(struct settle *s, size_t *count, struct wei *reserved, struct err *err);
/* How many more may be sent before some are mined. */
MUST_USE bool send_room(struct settle *s, size_t *room, struct err *err);
/* Chooses fee and nonces, signs, stores all, then sends in order.  count: up to SEND_GROUP, of one kind.  After an error some
 * may be stored or sent, which is the same: follow.c looks after them. */
MUST_USE bool send_new(struct settle *s, const struct send_request *requests, size_t count, struct err *err);

/* -- handing over (broadcast.c) -- */
/* Hands stored bytes to the node and records that. */
MUST_USE bool send_stored(struct settle *s, const struct transaction_row *t, const struct attempt_row *a,
                          struct err *err);
/* The same, recorded together with others by send_flush, which whoever calls this calls after it. */
MUST_USE bool send_stored_later(struct settle *s, const struct transaction_row *t, const struct attempt_row *a,
                                struct err *err);
MUST_USE bool send_flush(struct settle *s, struct err *err);

/* -- following (follow.c, missing.c, foreign.c, replace.c, void.c) -- */
/* What all looks of one round share. */
struct round {
    uint64_t latest;                          /* chain height */
    struct address account;                   /* whose next nonce, as the chain has it, is known; zero: nobody's yet */
    uint64_t chain_nonce;
};
/* One transaction during one look. */
struct look {
    struct settle *settle;
    const struct transaction_row *t;
    struct attempts attempts;
    struct watch *watch;
    struct round *round;
    struct tx_receipt receipt;                /* of its newest attempt, where has_receipt; owned */
    bool has_receipt;
    bool is_lowest;                           /* of its account's unmined ones: the only one that may be mined next */
    bool *moved;
};
MUST_USE bool follow_transactions(struct settle *s, bool *moved, struct err *err);
void watch_drop(struct settle *s, uint64_t tx);
/* None of its attempts has a receipt: what may be done about it. */
MUST_USE bool look_missing(struct look *l, struct err *err);
/* Offers more for gas where the newest attempt lies below the market and waited long enough. */
MUST_USE bool replace_when_low(struct look *l, const struct attempt_row *newest, struct err *err);
/* Bytes that no node ever took, for good: the nonce is used up by a transfer of nothing to ourselves. */
MUST_USE bool void_when_refused(struct look *l, bool *voided, struct err *err);
/* The nonce is used for good by a transaction that is not ours: named where it can be found, and recorded. */
MUST_USE bool give_nonce_up(struct look *l, struct err *err);
/* Nonces that the key used without us: told in the log, and by what where that can be found. */
void tell_passed(struct settle *s, uint64_t from, uint64_t to);
/* The lowest open nonce is not the chain's next and nobody's transaction lies between: what lies there is filled. */
MUST_USE bool fill_gap(struct look *l, uint64_t chain_nonce, struct err *err);

/* -- the stages; batch is in the state that the stage is for -- */
MUST_USE bool prepare_batch(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool commit_prepared(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool activate_committed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool distribute_active(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool finish_distributed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool payments_scan(struct settle *s, bool *moved, struct err *err);
/* Sends the commit, unless the contract has this sequence already; now: the state of the batch. */
MUST_USE bool commit_send(struct settle *s, const struct settlement_row *settlement, const struct transactions *txs,
                          enum batch_state now, bool *moved, struct err *err);
/* The commit was done, if by none of the transactions known here: its event in a confirmed block, recorded.  *found
 * false: it is in no confirmed block yet. */
MUST_USE bool commit_adopt(struct settle *s, const struct settlement_row *settlement, enum batch_state now, bool *found,
                           struct err *err);
/* Puts before the text who committed this sequence, with what, where its event is found; always false. */
bool commit_name(struct settle *s, uint64_t sequence, struct err *err);
/* The Committed event of a mined commit, checked against what the store prepared; recorded, closed -> committed. */
MUST_USE bool commit_mined(struct settle *s, const struct settlement_row *settlement, const struct transaction_row *t,
                           enum batch_state now, bool *moved, struct err *err);

/* Every change of an endpoint's state is logged from now on (endpoints.c). */
void endpoints_log(struct rpc *rpc);

/* -- small things shared by the stages -- */
MUST_USE bool settlement_of(struct settle *s, const struct batch_row *batch, struct settlement_row *settlement,
                            struct err *err);
/* One guarded move in a writer task of its own. */
MUST_USE bool move_batch(struct settle *s, uint64_t number, enum batch_state from, enum batch_state to,
                         struct err *err);
/* ERR_CHAIN where the last error was a revert: what the contract's words mean instead. */
bool explain_revert(struct settle *s, struct err *err);
bool is_left_out(const struct settle *s, uint64_t sequence, struct address account);
void leave_out(struct settle *s, uint64_t sequence, struct address account, const struct err *why);
void left_out_clear(struct settle *s);
void outcome_note(struct settle *s, const struct transaction_row *t, const struct tx_receipt *receipt);
MUST_USE bool report_fill(struct settle *s, const struct batch_row *batch, struct err *err);

#endif
