/* store/batches.h - batches of receipts and the settlements they become. */
#ifndef QUITTANCE_STORE_BATCHES_H
#define QUITTANCE_STORE_BATCHES_H

#include "gateway/core/header.h"
#include "gateway/core/state.h"
#include "store/db.h"

struct batch_row {
    uint64_t number, opened_at_ms, closed_at_ms, receipts, sequence;    /* sequence 0: none */
    enum batch_state state;
    struct amount amount;
    struct address protocol_account;
};
MUST_USE bool store_batch_open(struct db *db, struct batch_row *batch, struct err *err);           /* the open one */
MUST_USE bool store_batch_find(struct db *db, uint64_t number, struct batch_row *batch, bool *found, struct err *err);
MUST_USE bool store_batch_add(struct db *db, uint64_t number, uint64_t receipts, struct amount amount, struct err *err);
/* The same to a batch that was read before; ERR_BUG, at the latest with the commit, where its row is not as it says. */
MUST_USE bool store_batch_add_to(struct db *db, struct batch_row *batch, uint64_t receipts, struct amount amount, struct err *err);
/* Closes the open batch and opens the next. */
MUST_USE bool store_batch_close(struct db *db, uint64_t now_ms, struct address next_protocol_account, struct err *err);
/* What a batch holds, counted anew after receipts were moved into it or out of it. */
MUST_USE bool store_batch_restate(struct db *db, uint64_t number, struct address protocol_account, uint64_t receipts,
                                  struct amount amount, struct err *err);
/* The protocol account of an open batch that holds nothing yet may still be set. */
MUST_USE bool store_batch_set_protocol_account(struct db *db, struct address account, struct err *err);
/* The lowest batch in a state between closed and distributed, both included; cancelled ones wait for carry. */
MUST_USE bool store_batch_unfinished(struct db *db, struct batch_row *batch, bool *found, struct err *err);
/* One guarded UPDATE of the batch and of its settlement's state; a move that changes no row is ERR_BUG. */
MUST_USE bool store_batch_move(struct db *db, uint64_t number, enum batch_state from, enum batch_state to, struct err *err);
MUST_USE bool store_batch_carry(struct db *db, uint64_t sequence, struct err *err);    /* cancelled -> closed; ERR_CONFLICT */

struct settlement_row {
    uint64_t sequence, batch;
    enum batch_state state;
    struct hash parent;
    struct settlement_content content;
    uint64_t accounts, prepared_at_ms;
    bool has_header;
    struct hash header;
    uint64_t committed_at_s, active_at_s, commit_block;
};
MUST_USE bool store_settlement_insert(struct db *db, const struct settlement_row *s, struct err *err);    /* also sets batches.sequence */
MUST_USE bool store_settlement_committed(struct db *db, const struct settlement_row *s, struct err *err); /* header and times */
MUST_USE bool store_settlement_find(struct db *db, uint64_t sequence, struct settlement_row *s, bool *found, struct err *err);
MUST_USE bool store_settlement_last(struct db *db, struct settlement_row *s, bool *found, struct err *err);   /* highest sequence */
/* The highest settlement that was not cancelled and is in one of the states prepared or later / active or later. */
MUST_USE bool store_settlement_last_valid(struct db *db, struct settlement_row *s, bool *found, struct err *err);
MUST_USE bool store_settlement_active(struct db *db, struct settlement_row *s, bool *found, struct err *err);
/* The highest of which the chain has had its last word: active or later, or cancelled. */
MUST_USE bool store_settlement_decided(struct db *db, struct settlement_row *s, bool *found, struct err *err);
typedef bool settlement_fn(void *self, const struct settlement_row *s, struct err *err);
/* Newest first; 0: from the top. */
MUST_USE bool store_settlements(struct db *db, uint64_t below_sequence, unsigned limit, settlement_fn *visit, void *self, struct err *err);

struct reward_leaf { struct address account; struct amount claimable; };
struct reward_leaves { struct reward_leaf *list; size_t count; };                 /* sorted by account; owned */
void reward_leaves_clear(struct reward_leaves *leaves);
MUST_USE bool store_leaves_insert(struct db *db, uint64_t sequence, const struct reward_leaves *leaves, struct err *err);
MUST_USE bool store_leaves_load(struct db *db, uint64_t sequence, struct reward_leaves *leaves, struct err *err);
MUST_USE bool store_leaf_find(struct db *db, uint64_t sequence, struct address account, struct amount *claimable, bool *found, struct err *err);

#endif
