/* api/settlement_shapes.h - settlements as JSON, and the sums of their payments.  Results are owned by the caller. */
#ifndef QUITTANCE_API_SETTLEMENT_SHAPES_H
#define QUITTANCE_API_SETTLEMENT_SHAPES_H

#include "gateway/lib/json.h"
#include "store/batches.h"
#include "store/transactions.h"

/* The row as lists show it. */
json *settlement_to_json(const struct settlement_row *s);
/* With transactions and their attempts, and paid, skipped, left. */
MUST_USE bool settlement_in_full(struct db *db, const struct settlement_row *s, json **out, struct err *err);
/* The transaction that committed it, as mined; zero: none that we know. */
MUST_USE bool settlement_commit(struct db *db, uint64_t sequence, struct tx_hash *commit, struct err *err);
/* The member `settlement` of a receipt. */
MUST_USE bool settlement_of_receipt(struct db *db, const struct settlement_row *s, json **out, struct err *err);

/* paid: by this sequence's own calls.  Of what its leaves still lack now: skipped was in a call, left was in none. */
struct settlement_sums { struct amount paid, skipped, left; uint64_t transactions, skipped_accounts; };
/* Leaves of more accounts than this are not walked: skipped and left then stay zero and *whole false. */
#define SETTLEMENT_WALK_MAX 20000
MUST_USE bool settlement_sum(struct db *db, const struct settlement_row *s, struct settlement_sums *sums, bool *whole,
                             struct err *err);

#endif
