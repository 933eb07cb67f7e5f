/* store/transactions.h - one row a (account, nonce), its signed attempts, and whom a distribute pays.
 *
 * The next nonce is decided here, in the commit that keeps the signed attempt: there is no counter that could drift. */
#ifndef QUITTANCE_STORE_TRANSACTIONS_H
#define QUITTANCE_STORE_TRANSACTIONS_H

#include "gateway/core/state.h"
#include "store/batches.h"
#include "store/db.h"

struct transaction_row {
    uint64_t id, nonce, sequence, created_at_ms;      /* sequence 0: none */
    struct address account;
    char kind[16];                                    /* commit, distribute, void: fills a gap of nonces */
    enum tx_state state;
    uint64_t block, gas_used;
    struct hash block_hash;
    struct tx_hash mined, taken_by;                   /* taken_by: the foreign one that used the nonce; zero: not known */
    struct wei gas_price, l1_fee;
};
struct attempt_row {
    struct tx_hash hash;
    uint64_t tx, seq, gas, created_at_ms, sent_at_ms;
    struct buf raw;                                   /* owned */
    struct wei max_fee, max_priority_fee;
    struct wei data_fee;                              /* most that the chain takes for its bytes, besides gas */
    char answer[256];
};
void attempt_clear(struct attempt_row *a);
/* The nonce the next transaction of this account must have: one over the highest row, or chain_nonce where that is
 * more: the key was used by hand. */
MUST_USE bool store_tx_next_nonce(struct db *db, struct address account, uint64_t chain_nonce, uint64_t *nonce, struct err *err);
/* Inserts transaction (state prepared) and its first attempt; ids are set.  ERR_CONFLICT: the nonce is taken. */
MUST_USE bool store_tx_insert(struct db *db, struct transaction_row *t, const struct attempt_row *first,
                              const struct reward_leaves *set, struct err *err);       /* set may be NULL */
MUST_USE bool store_attempt_insert(struct db *db, const struct attempt_row *a, struct err *err);     /* a replacement */
MUST_USE bool store_attempt_sent(struct db *db, struct tx_hash hash, uint64_t now_ms, const char *answer, struct err *err);
MUST_USE bool store_tx_move(struct db *db, uint64_t id, enum tx_state from, enum tx_state to, struct err *err);
MUST_USE bool store_tx_mined(struct db *db, const struct transaction_row *t, struct err *err);       /* sent or foreign -> mined with where and what */
MUST_USE bool store_tx_unmined(struct db *db, uint64_t id, struct err *err);                         /* mined -> sent: reorg */
MUST_USE bool store_tx_foreign(struct db *db, uint64_t id, const struct tx_hash *by, struct err *err);   /* sent -> foreign; by NULL: not known */
typedef bool transaction_fn(void *self, const struct transaction_row *t, struct err *err);
/* Of every account, as a key may be rotated while one is open: prepared, sent, mined, and foreign ones of settlements
 * that are not final: their receipt may turn up yet.  By account and nonce. */
MUST_USE bool store_tx_open(struct db *db, transaction_fn *visit, void *self, struct err *err);
/* Of this account's that are not mined yet: how many, and what their newest attempts may cost at most, without what they carry. */
MUST_USE bool store_tx_unmined_cost(struct db *db, struct address account, uint64_t *count, struct wei *cost, struct err *err);
MUST_USE bool store_tx_at(struct db *db, struct address account, uint64_t nonce, struct transaction_row *t, bool *found,
                          struct err *err);
MUST_USE bool store_tx_of_sequence(struct db *db, uint64_t sequence, transaction_fn *visit, void *self, struct err *err);
MUST_USE bool store_tx_find(struct db *db, uint64_t id, struct transaction_row *t, bool *found, struct err *err);
typedef bool attempt_fn(void *self, const struct attempt_row *a, struct err *err);
MUST_USE bool store_attempts(struct db *db, uint64_t tx, attempt_fn *visit, void *self, struct err *err);                  /* oldest first */
/* What transactions cost so far or may yet: gas * max fee + data fee of the newest attempt while not mined, else what was
 * taken; one whose nonce another took costs nothing.  Of a settlement, or of those whose newest bytes were signed since
 * then; without `except`.  All bits set where a sum is over 256. */
MUST_USE bool store_cost_of_sequence(struct db *db, uint64_t sequence, uint64_t except, struct wei *cost, struct err *err);
MUST_USE bool store_cost_since(struct db *db, uint64_t since_ms, uint64_t except, struct wei *cost, struct err *err);
MUST_USE bool store_set_load(struct db *db, uint64_t tx, struct reward_leaves *set, struct err *err);
/* Both newest first. */
MUST_USE bool store_tx_in_state(struct db *db, enum tx_state state, unsigned limit, transaction_fn *visit, void *self, struct err *err);
MUST_USE bool store_tx_list(struct db *db, uint64_t below_id, unsigned limit, transaction_fn *visit, void *self, struct err *err);

#endif
