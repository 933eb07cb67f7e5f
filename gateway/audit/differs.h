/* gateway/audit/differs.h - how a difference is told: sequence, kind, place, what was expected and what was found.
 *
 * "settlement 3: amount: receipt 0190... of 0xAb...: expected 12, found 13".  All write ERR_DIFFERS and return false. */
#ifndef QUITTANCE_AUDIT_DIFFERS_H
#define QUITTANCE_AUDIT_DIFFERS_H

#include "gateway/base/amount.h"
#include "gateway/base/hex.h"

/* In the order in which they are looked for.  The names are for people and scripts that read the message. */
enum difference {
    DIFFERS_HEADER,            /* the chain of headers */
    DIFFERS_ARCHIVE,           /* bytes or shape of the file */
    DIFFERS_BATCH,             /* the batch line */
    DIFFERS_CATALOG,           /* a price, provider, model or capacity line */
    DIFFERS_QUOTE,             /* a quote line */
    DIFFERS_MARKET,            /* a step of a market's price */
    DIFFERS_BUNDLE,
    DIFFERS_RECEIPT,           /* shape, order, count */
    DIFFERS_DOUBLE_BILLING,
    DIFFERS_SIGNATURE,
    DIFFERS_PRICE,             /* which version */
    DIFFERS_AMOUNT,
    DIFFERS_SPLIT,
    DIFFERS_RECEIPTS_ROOT,
    DIFFERS_POPULARITY,        /* an epoch of the pool: its terms, scores, fees, shares, what was carried */
    DIFFERS_ADJUSTMENT,        /* order, made twice */
    DIFFERS_REWARD,            /* a reward line against the credits of its receipts */
    DIFFERS_LEAF_FELL,
    DIFFERS_DEBT,              /* a debt line against what was taken and earned */
    DIFFERS_REWARDS_ROOT,
    DIFFERS_TOTAL,
    DIFFERS_REWARDS_JSON,
    DIFFERS_PAYMENT
};
#define DIFFERENCES (DIFFERS_PAYMENT + 1)
const char *difference_name(enum difference kind);

/* sequence 0: not of one settlement. */
struct place { uint64_t sequence; const char *where; };
bool differs(struct err *err, enum difference kind, struct place at, const char *expected, const char *found);
bool differs_u64(struct err *err, enum difference kind, struct place at, uint64_t expected, uint64_t found);
bool differs_hash(struct err *err, enum difference kind, struct place at, struct hash expected, struct hash found);
bool differs_address(struct err *err, enum difference kind, struct place at, struct address expected, struct address found);
bool differs_amount(struct err *err, enum difference kind, struct place at, struct amount expected, struct amount found);

#endif
