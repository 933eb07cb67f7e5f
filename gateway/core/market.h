/* gateway/core/market.h - a price that follows use: one step a window, from demand and announced capacity.  Pure.
 *
 * A market belongs to one price version, its base.  Windows are multiples of their length since 1970 UTC; the first is the
 * first whole one after the base took effect and was recorded.  When a window ends,
 *   demand    the units (market_units) of receipts accepted in it and priced by the base or a step of it
 *   capacity  units a second times the window's seconds, over all announcements known when it began that cover all of it
 *   utilisation = demand / capacity
 * and the multiplier of the base price moves:
 *   no capacity, or |utilisation - target| <= deadBand     not at all
 *   above                                                  times (1 + s)
 *   below                                                  divided by (1 + s), so that a step down undoes one up
 * with s = maxStep * min(1, |utilisation - target| / target), then kept within floor and ceiling.  Nothing but the multiplier
 * is carried on: it has 18 decimals and is kept apart from the prices, which are cut to whole units only when they are made
 * from it.  So a price of 1 moves too, as soon as its steps add up to a unit; a price above zero never becomes zero.
 * A window in which the multiplier does not move makes no version.  Windows that passed while nobody looked are judged one
 * after the other as they would have been: in them nothing was accepted, and announcements run out (CAPACITY_LIFE_MAX_MS). */
#ifndef QUITTANCE_CORE_MARKET_H
#define QUITTANCE_CORE_MARKET_H

#include "gateway/core/receipt.h"
#include "gateway/core/typed.h"
#include "gateway/lib/json.h"

#define MARKET_ONE UINT64_C(1000000000000000000)      /* a multiplier of 1 */
#define MARKET_WINDOW_MAX_S 86400u
#define MARKET_CEILING_MAX_BPS 1000000u               /* a hundred times the base price */
#define CAPACITY_UNITS_MAX UINT64_C(1000000000000)    /* a second, of one provider and model */
#define CAPACITY_LIFE_MAX_MS UINT64_C(3600000)
#define CAPACITY_SKEW_MS UINT64_C(300000)             /* how far from our clock validFrom may be, to either side */
/* An announcement recorded earlier than this before a window cannot cover it. */
#define CAPACITY_REACH_MS (CAPACITY_LIFE_MAX_MS + CAPACITY_SKEW_MS)

/* Basis points: of capacity (target, dead band), of the multiplier (step), of the base price (floor, ceiling). */
struct market_rule {
    uint32_t window_s;                        /* 0: the price does not move */
    uint32_t target_bps, dead_band_bps, max_step_bps, floor_bps, ceiling_bps;
};
/* What made a price version out of its base. */
struct market_step {
    uint64_t base;                            /* 0: no step, an operator set the version */
    uint64_t from_ms;                         /* of the window; it ends where the version takes effect */
    struct u256 demand, capacity;             /* units in the window */
    struct u256 multiplier;                   /* after it; 18 decimals */
};
/* One announcement as it is kept; the last of a provider, by validFrom, counts alone. */
struct announcement {
    struct capacity capacity;
    bool withdrawn;                           /* by the gateway, with the provider's expulsion: zero units, no signature */
    struct signature signature;
    uint64_t recorded_at_ms;
};

/* {window, target, deadBand, maxStep, floor, ceiling}.  ERR_INVALID names the member and the rule. */
MUST_USE bool market_rule_from_json(const json *object, struct market_rule *rule, struct err *err);
json *market_rule_to_json(const struct market_rule *rule);                                    /* caller owns */
/* {base, from, demand, capacity, multiplier}, the last three decimal strings. */
MUST_USE bool market_step_from_json(const json *object, struct market_step *step, struct err *err);
json *market_step_to_json(const struct market_step *step);

/* What a job takes of the capacity: input that was not cached, output, and what else the model sells. */
uint64_t market_units(const uint64_t count[METER_COUNT]);
uint64_t market_window_of(const struct market_rule *rule, uint64_t at_ms);            /* begin of the window that holds it */
uint64_t market_first_window(const struct market_rule *rule, uint64_t effective_from_ms, uint64_t recorded_at_ms);
struct u256 market_next(const struct market_rule *rule, struct u256 multiplier, struct u256 demand, struct u256 capacity);
/* floor(base * multiplier), at least 1 where base is.  base is below 2^96. */
struct amount market_price(struct amount base, struct u256 multiplier);
/* list: announcements of one model in order of (provider, validFrom). */
struct u256 market_capacity(const struct market_rule *rule, uint64_t from_ms, const struct announcement *list, size_t count);
int announcement_order(const void *a, const void *b);                                 /* for that order */
/* Shape and bounds, and times against now: the signature and the provider are the caller's.  ERR_INVALID names the member. */
MUST_USE bool capacity_check(const struct capacity *c, uint64_t now_ms, struct err *err);

#endif
