/* api/parties.h - whose a receipt is: its provider, its consumer, and every account that earned from it. */
#ifndef QUITTANCE_API_PARTIES_H
#define QUITTANCE_API_PARTIES_H

#include "gateway/core/ledger.h"
#include "store/receipts.h"

/* Who gets what of an accepted receipt; shares_clear. */
MUST_USE bool receipt_shares(struct db *db, const struct catalog *catalog, const struct receipt_row *row, struct shares *shares,
                             struct err *err);
MUST_USE bool receipt_is_of(struct db *db, const struct catalog *catalog, const struct receipt_row *row, struct address account,
                            bool *is, struct err *err);

#endif
