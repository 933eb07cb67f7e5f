/* api/held.h - how many receipts are held, and what release of all of them would add to an account, as prices and models stand now.
 * Both look each held receipt up, so with many of them an answer may be of a moment ago. */
#ifndef QUITTANCE_API_HELD_H
#define QUITTANCE_API_HELD_H

#include "gateway/core/ledger.h"
#include "store/receipts.h"

/* The catalog by its newest rows: their times are those of commit groups, which may be ahead of the clock. */
#define CATALOG_LATEST ((uint64_t)INT64_MAX)

/* The most held receipts that are looked at; with more, the sum is that of the oldest ones. */
#define HELD_SCAN_MAX 50000

/* As far as they are counted. */
#define HELD_COUNT_MAX 100000

struct held;
struct held *held_new(void);
void held_free(struct held *held);
/* Summed anew when something was committed since; where that takes long, for at most a twentieth of the time. */
MUST_USE bool held_of_account(struct held *held, struct db *db, const struct catalog *catalog, struct address account,
                              struct amount *sum, struct err *err);
MUST_USE bool held_count(struct held *held, struct db *db, uint64_t *number, struct err *err);      /* at most HELD_COUNT_MAX */
/* What one held receipt would be worth; false: not priced, or over 256 bits. */
bool held_worth(const struct catalog *catalog, const struct receipt_row *row, struct amount *worth);

#endif
