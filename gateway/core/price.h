/* gateway/core/price.h - what one receipt is worth (design 5).  Pure: no I/O, no clock.
 *
 * Counts are below 2^53, prices below 2^96, amounts token base units.  Floored once a receipt, so an audit gets the
 * same sum.  Versions are numbered from 1 over all models. */
#ifndef QUITTANCE_CORE_PRICE_H
#define QUITTANCE_CORE_PRICE_H

#include "gateway/core/market.h"

enum split_part { SPLIT_PROVIDER, SPLIT_CREATOR, SPLIT_PROTOCOL };
#define SPLIT_PARTS 3
#define PRICE_UNIT_MAX 32

struct price_version {
    uint64_t version;
    bool any_model;                           /* "*" */
    struct hash model;                        /* zero when any_model */
    uint64_t effective_from_ms;               /* in force at the receipt's finishedAt */
    uint64_t recorded_at_ms;
    char unit[PRICE_UNIT_MAX * 4 + 1];        /* what METER_UNITS counts; may be empty */
    struct amount per_million[METER_COUNT];   /* base units for 10^6 of each meter */
    uint16_t split_bps[SPLIT_PARTS];          /* sums to exactly 10000 */
    struct market_rule market;                /* of a base: how it moves; window_s 0: it does not */
    struct market_step step;                  /* base 0: an operator set this version */
};

/* floor(sum of count * per_million / 10^6), cached tokens taken off the input.  ERR_OVERFLOW over 256 bits;
 * ERR_INVALID for cached over input, which receipt_check refuses. */
MUST_USE bool price_receipt(const struct price_version *version, const uint64_t count[METER_COUNT],
                            struct amount *price, struct err *err);

/* The version that a step makes out of its base: the same but for the prices, which take effect where the window ends.  Its
 * number and recordedAt are the caller's. */
void price_after_step(const struct price_version *base, const struct market_step *step, struct price_version *p);

/* Reads {model, effectiveFrom, unit?, perMillion, split, market?} as posted; version and recordedAt stay 0.  ERR_INVALID names
 * the member and the rule. */
MUST_USE bool price_from_json(const json *object, struct price_version *p, struct err *err);
/* With version and recordedAt, and `step` where it is one; caller owns. */
json *price_to_json(const struct price_version *p);

#endif
