/* api/account_sums.h - what one account earned, was settled, was paid: the one query behind every page and answer. */
#ifndef QUITTANCE_API_ACCOUNT_SUMS_H
#define QUITTANCE_API_ACCOUNT_SUMS_H

#include "gateway/core/ledger.h"
#include "store/db.h"

struct account_sums {
    struct amount earned, settled, paid, pending, charged;
    struct amount debt;                       /* as of the last settlement; adjusted stands in by_role */
    struct amount by_role[ROLES];
    struct shares by_model;                   /* owned; role and account are those of the first row */
    bool was_charged;
};
MUST_USE bool account_sum(struct db *db, struct address account, struct account_sums *sums, struct err *err);
void account_sums_clear(struct account_sums *sums);

#endif
