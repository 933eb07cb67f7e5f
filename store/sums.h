/* store/sums.h - what a group that was written beside others has accepted, in sum.
 *
 * The tables of sums (batches, postings, days, fees, demand, cache use) have one row for what all writers add to, so only a turn writes
 * them.  A group beside others leaves its sums in a row of its own, with its number and times; whoever has the next turn folds all such
 * rows into the tables before it does anything else, so that nothing that has a turn ever misses a sum.  Readers may: until then. */
#ifndef QUITTANCE_STORE_SUMS_H
#define QUITTANCE_STORE_SUMS_H

#include "gateway/core/ledger.h"
#include "store/db.h"

enum sum_kind { SUM_BATCH = 1, SUM_POSTING, SUM_FEE, SUM_PROVIDER_DAY, SUM_CONSUMER_DAY, SUM_CACHE_DAY, SUM_DEMAND };
#define SUM_KINDS 7

/* One key for all; what a kind does not name is zero.
 *
 *   SUM_BATCH         number: batch                          count: receipts
 *   SUM_POSTING       number: batch, account, role, model    count: receipts
 *   SUM_FEE           number: epoch, second: batch, account: consumer, model
 *   SUM_PROVIDER_DAY  number: day, account
 *   SUM_CONSUMER_DAY  number: day, account
 *   SUM_CACHE_DAY     number: day, account: provider, model  count: jobs; amount: cache_use_pack
 *   SUM_DEMAND        number: version of the base, second: ms that the window begins */
struct sum_key { enum sum_kind kind; uint64_t number, second; struct address account; int role; struct hash model; };
struct sum { struct sum_key key; struct amount amount; uint64_t count; };

/* Appends it as it is kept; `sums` says so itself where it has no room. */
void store_sum_pack(const struct sum *s, struct buf *sums);
/* The group's row; number must be one that no other ever has. */
MUST_USE bool store_sums_keep(struct db *db, uint64_t number, uint64_t now_ms, uint64_t clock_ms, const struct buf *sums, struct err *err);

/* Whether any waits to be folded in: then who decides by a sum has a turn first. */
MUST_USE bool store_sums_wait(struct db *db, bool *waiting, struct err *err);

/* How many groups there were, and the highest of each among them; zeros: none. */
struct folded { uint64_t groups, number, now_ms, clock_ms; };
/* In a turn.  ERR_STORE: a row is damaged; ERR_OVERFLOW. */
MUST_USE bool store_sums_fold(struct db *db, struct folded *folded, struct err *err);

#endif
