/* tests/support/history.h - a small published history in a folder, and the chain that belongs to it, with one lie planted.
 *
 * Two providers (one with a payout account), two models (the second descends from the first), two price versions, three
 * batches.  Settlement 1 is batch 1 (packed), 2 is batch 2 and was cancelled, 3 is batch 2 carried, 4 is batch 3.  A bundle of
 * five: three receipts in batch 2, one in batch 3, one nowhere.  The first receipt and the bundle are signed by a key that their
 * provider lent, and took back in batch 3.  In batch 2 the child's creator is corrected downwards by more than it earned in it, and
 * owes the rest; batch 3 pays some of that, and corrects somebody upwards.  The lies are those of an operator who commits what he
 * publishes: digest and header fit, unless the lie is about them. */
#ifndef QUITTANCE_TESTS_HISTORY_H
#define QUITTANCE_TESTS_HISTORY_H

#include "gateway/audit/chain_view.h"

enum lie {
    LIE_NONE,
    LIE_CANCELLED_FILES_MISSING,   /* is none: the audit stands */
    LIE_CANCELLED_PRICE_FALSE,     /* neither: that is why it was cancelled */
    LIE_RECEIPT_DROPPED, LIE_RECEIPT_ADDED, LIE_RECEIPT_CHANGED, LIE_RECEIPT_TWICE, LIE_RECEIPTS_SWAPPED, LIE_RECEIPT_FUTURE,
    LIE_CONSUMER_SIGNATURE, LIE_PRICE_VERSION, LIE_PRICE_REWRITTEN, LIE_PRICE_UNPUBLISHED, LIE_AMOUNT,
    LIE_SPLIT, LIE_MODEL_CONTRACT, LIE_CONSUMER_REWRITTEN, LIE_LINEAGE_LINE, LIE_LINEAGE_SKIPPED, LIE_PAYOUT,
    LIE_BUNDLE_LEAF, LIE_BUNDLE_MISSING_LEAF, LIE_BUNDLE_SIGNATURE,
    LIE_PAYOUT_UNSIGNED, LIE_PAYOUT_SIGNATURE, LIE_DELEGATION_SIGNATURE, LIE_KEY_UNPUBLISHED, LIE_KEY_EXPIRED, LIE_KEY_REVOKED, LIE_KEY_OTHER,
    LIE_EPOCH_LATE, LIE_EPOCH_TERMS, LIE_POOL_TREASURY, LIE_POOL_FEES, LIE_POOL_SCORE, LIE_POOL_SHARE, LIE_POOL_CARRY, LIE_POOL_CAP,
    LIE_POOL_UNPAID, LIE_POOL_TWICE,
    LIE_ADJUSTMENT_DROPPED, LIE_ADJUSTMENT_TWICE, LIE_ADJUSTMENT_AMOUNT, LIE_DEBT, LIE_DEBT_FORGIVEN,
    LIE_SALT, LIE_RECEIPTS_ROOT, LIE_REWARD_MISSING, LIE_REWARD_EXTRA, LIE_CANCELLED_COUNTED, LIE_LEAF_FELL, LIE_REWARDS_ROOT, LIE_TOTAL,
    LIE_JSON_AMOUNT, LIE_JSON_FELL, LIE_JSON_PROOF, LIE_JSON_SHORT,
    LIE_BYTE, LIE_LINE_OF_NO_FORM, LIE_BATCH_PARENT,
    LIE_HEADER, LIE_CANCEL_HIDDEN,
    LIE_PAYMENT_MISSING, LIE_PAYMENT_DOUBLED, LIE_PAYMENT_OVER_LEAF, LIE_PAYMENT_TO_STRANGER, LIE_TOTAL_CLAIMED
};
#define LIES (LIE_TOTAL_CLAIMED + 1)

#define HISTORY_SETTLEMENTS 4
struct history {
    char dir[64];
    enum lie lie;
    struct chain_view view;
    struct chain_payments payments;
};
void history_make(struct history *h, enum lie lie);       /* secp_start must have been called */
/* The same, but receipt and bundle lines are sealed (core/seal.h) under this secret. */
extern const uint8_t history_secret[32];
void history_make_sealed(struct history *h, enum lie lie);
void history_clear(struct history *h);                    /* removes the folder */

#endif
