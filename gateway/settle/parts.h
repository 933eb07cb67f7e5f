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
};
/* What one mined distribute did, read from its logs (report.c). */
struct outcome { uint64_t tx; struct hash block_hash; struct amount paid; uint64_t skipped; };

struct settle {
    struct settle_config config;
    struct db *db;
    struct writer *writer;
    struct rpc *rpc;
    const struct signer *signer;
    const struct clock *clock;
    struct address account;                   /* the signer's: whose nonces these are */
    struct settle_report report;              /* of the batch that was worked on last */
    struct watch *watches;
    size_t watch_count;
    struct outcome *outcomes;
    size_t outcome_count;
    uint64_t left_out_sequence;               /* whose payments the accounts below make fail */
    struct address *left_out;
    size_t left_out_count;
};

/* -- what to work on (work.c) -- */
/* A batch in progress first, else the lowest closed one whose rewards tree is not empty. */
MUST_USE bool work_find(struct settle *s, struct batch_row *batch, bool *found, struct err *err);
/* Whether a settlement of this batch would have any leaf. */
MUST_USE bool work_has_leaves(struct settle *s, const struct batch_row *batch, bool *has, struct err *err);

/* -- transactions, copied out of the store (txs.c) -- */
struct transactions { struct transaction_row *list; size_t count; };      /* owned */
struct attempts { struct attempt_row *list; size_t count; };              /* owned, oldest first */
MUST_USE bool transactions_open(struct settle *s, struct transactions *txs, struct err *err);
MUST_USE bool transactions_of(struct settle *s, uint64_t sequence, struct transactions *txs, struct err *err);
void transactions_clear(struct transactions *txs);
MUST_USE bool attempts_of(struct settle *s, uint64_t tx, struct attempts *attempts, struct err *err);
void attempts_clear(struct attempts *attempts);
/* ERR_HALT when one of them was reverted or its nonce was used by somebody else. */
MUST_USE bool transactions_sound(const struct transactions *txs, struct err *err);
/* True while one is prepared or sent: nothing new is sent before it is mined. */
bool transactions_unmined(const struct transactions *txs);
/* The newest of this kind; NULL: none. */
const struct transaction_row *transactions_newest(const struct transactions *txs, const char *kind);

/* -- the chain as settled so far (heights.c) -- */
/* The highest block that counts as confirmed; *any false while there is none. */
MUST_USE bool confirmed_height(struct settle *s, uint64_t *height, bool *any, struct err *err);

/* -- sending (send.c) -- */
struct send_request {
    const char *kind;                         /* commit, distribute */
    uint64_t sequence, gas;
    const struct buf *data;                   /* calldata for the contract */
    const struct reward_leaves *set;          /* who is paid; NULL: nobody */
};
/* Gas to give a call: a fifth more than eth_estimateGas says.  A refusal is what the contract's error means. */
MUST_USE bool send_estimate(struct settle *s, const struct buf *data, uint64_t *gas, struct err *err);
MUST_USE bool send_fee(struct settle *s, struct fee *fee, struct err *err);
/* Chooses fee and nonce, signs, stores, then sends. */
MUST_USE bool send_new(struct settle *s, const struct send_request *request, struct err *err);
/* Hands stored bytes to the node and records that. */
MUST_USE bool send_stored(struct settle *s, const struct transaction_row *t, const struct attempt_row *a,
                          struct err *err);

/* -- following (follow.c, replace.c) -- */
MUST_USE bool follow_transactions(struct settle *s, bool *moved, struct err *err);
/* Offers more for gas where the newest attempt lies below the market and waited long enough. */
MUST_USE bool replace_when_low(struct settle *s, const struct transaction_row *t, const struct attempt_row *newest,
                               struct watch *watch, uint64_t latest, bool *moved, struct err *err);

/* -- the stages; batch is in the state that the stage is for -- */
MUST_USE bool prepare_batch(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool commit_prepared(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool activate_committed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool distribute_active(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool finish_distributed(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err);
MUST_USE bool payments_scan(struct settle *s, bool *moved, struct err *err);
/* The Committed event of a mined commit, checked against what the store prepared; recorded, closed -> committed. */
MUST_USE bool commit_mined(struct settle *s, const struct settlement_row *settlement, const struct transaction_row *t,
                           enum batch_state now, bool *moved, struct err *err);

/* -- small things shared by the stages -- */
MUST_USE bool settlement_of(struct settle *s, const struct batch_row *batch, struct settlement_row *settlement,
                            struct err *err);
/* One guarded move in a writer task of its own. */
MUST_USE bool move_batch(struct settle *s, uint64_t number, enum batch_state from, enum batch_state to,
                         struct err *err);
bool is_left_out(const struct settle *s, uint64_t sequence, struct address account);
void leave_out(struct settle *s, uint64_t sequence, struct address account, const struct err *why);
void outcome_note(struct settle *s, const struct transaction_row *t, const struct tx_receipt *receipt);
MUST_USE bool report_fill(struct settle *s, const struct batch_row *batch, struct err *err);

#endif
