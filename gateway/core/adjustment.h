/* gateway/core/adjustment.h - an operator's correction of what an account earned (design 4), always against a protocol account.
 *
 * Up: the account is credited and the counter account debited; down: the other way round.  Postings stand in the batch that was
 * open; what an account cannot bear becomes its debt (debts.h).  JSON: sign "+" or "-", times Unix ms. */
#ifndef QUITTANCE_CORE_ADJUSTMENT_H
#define QUITTANCE_CORE_ADJUSTMENT_H

#include "gateway/core/ledger.h"
#include "gateway/lib/json.h"

#define ADJUSTMENT_REASON_MAX 200             /* characters */

struct adjustment {
    uint64_t id, batch, recorded_at_ms;
    struct address account, counter_account;
    bool up;
    struct amount amount;                     /* above 0, below 2^128 */
    char reason[ADJUSTMENT_REASON_MAX * 4 + 1];
    bool has_receipt;
    struct hash receipt;                      /* struct hash of the receipt that is corrected */
};
/* Both sides; no model. */
struct share adjustment_credit(const struct adjustment *a);
struct share adjustment_debit(const struct adjustment *a);
/* {id, account, counterAccount, amount, sign, reason, receipt, recordedAt}: the archive's members; caller owns. */
json *adjustment_to_json(const struct adjustment *a);
/* The members {account, amount, sign, reason, receipt?} as posted.  ERR_INVALID names the member and the rule. */
MUST_USE bool adjustment_from_json(const json *object, struct adjustment *a, struct err *err);

#endif
