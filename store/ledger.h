/* store/ledger.h - summed double-entry postings a batch, and what accounts earned from them. */
#ifndef QUITTANCE_STORE_LEDGER_H
#define QUITTANCE_STORE_LEDGER_H

#include "gateway/core/ledger.h"
#include "store/db.h"

/* Adds to the row of (batch, account, role, model).  count: receipts behind it. */
MUST_USE bool store_posting_add(struct db *db, uint64_t batch, const struct share *share, uint64_t count, struct err *err);
/* The same of many at once, each of another key. */
struct posting { uint64_t batch; struct share share; uint64_t count; };
MUST_USE bool store_postings_add(struct db *db, const struct posting *list, size_t count, struct err *err);
/* It will be called with this list: see db_each_key_soon. */
MUST_USE bool store_postings_add_soon(struct db *db, const struct posting *list, size_t count, struct err *err);
/* Takes from it what one receipt had put there; a row that held nothing else goes.  ERR_BUG: it does not hold that much. */
MUST_USE bool store_posting_take(struct db *db, uint64_t batch, const struct share *share, struct err *err);
/* All of a batch, before it is booked anew. */
MUST_USE bool store_postings_clear(struct db *db, uint64_t batch, struct err *err);
typedef bool posting_fn(void *self, const struct posting *p, struct err *err);
MUST_USE bool store_postings_of_batch(struct db *db, uint64_t batch, posting_fn *visit, void *self, struct err *err);   /* by account, role, model */
MUST_USE bool store_postings_of_account(struct db *db, struct address account, posting_fn *visit, void *self, struct err *err);
/* All that have postings, by address, those after one. */
typedef bool account_fn(void *self, struct address account, struct err *err);
MUST_USE bool store_accounts(struct db *db, struct address after, unsigned limit, account_fn *visit, void *self, struct err *err);
MUST_USE bool store_postings_of_account_in(struct db *db, struct address account, uint64_t batch, posting_fn *visit, void *self, struct err *err);
/* The highest batch up to a bound in which the account has a posting; 0: none. */
MUST_USE bool store_account_batch_up_to(struct db *db, struct address account, uint64_t bound, uint64_t *batch, struct err *err);

struct payment { uint64_t block, log_index; struct address account; struct amount amount; struct tx_hash tx; };
MUST_USE bool store_payment_add(struct db *db, const struct payment *p, struct err *err);      /* the same again changes nothing */
MUST_USE bool store_account_paid(struct db *db, struct address account, struct amount *paid, struct tx_hash *last, bool *any, struct err *err);
MUST_USE bool store_payments_total(struct db *db, struct amount *total, struct err *err);
MUST_USE bool store_payments_total_at(struct db *db, uint64_t block, struct amount *total, struct err *err);   /* up to it */
typedef bool payment_fn(void *self, const struct payment *p, struct err *err);
/* In the order of the chain: the last, zero where there is none; those after a place. */
MUST_USE bool store_payment_last(struct db *db, struct payment *p, struct err *err);
MUST_USE bool store_payments_after(struct db *db, uint64_t block, uint64_t log_index, unsigned limit, payment_fn *visit, void *self,
                                   struct err *err);
MUST_USE bool store_payments_of_account(struct db *db, struct address account, payment_fn *visit, void *self, struct err *err);

#endif
