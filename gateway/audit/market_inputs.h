/* gateway/audit/market_inputs.h - what markets are judged by: demand from receipts, capacity from announcements.  For market.c
 * only.  Filled while archives are read; questions are for a sorted one. */
#ifndef QUITTANCE_AUDIT_MARKET_INPUTS_H
#define QUITTANCE_AUDIT_MARKET_INPUTS_H

#include "gateway/core/catalog.h"

struct window_demand { uint64_t base, from_ms; struct u256 units; };
struct market_inputs {
    const struct domain *domain;
    struct announcement *announced;           /* owned; by (model, recordedAt) */
    size_t announced_count, announced_capacity, checked;      /* checked: those before were admitted */
    struct announcement *covering;            /* owned; scratch */
    size_t covering_capacity;
    struct window_demand *demand;             /* owned; by (base, from), each once */
    size_t demand_count, demand_capacity;
};
void market_inputs_clear(struct market_inputs *in);
/* ERR_DIFFERS: not signed by its provider, or out of its bounds. */
MUST_USE bool market_inputs_capacity(struct market_inputs *in, const struct announcement *a, uint64_t sequence, struct err *err);
MUST_USE bool market_inputs_demand(struct market_inputs *in, uint64_t base, uint64_t from_ms, uint64_t units, struct err *err);
/* Ready for questions.  ERR_DIFFERS: an announcement of a provider that was not admitted. */
MUST_USE bool market_inputs_settle(struct market_inputs *in, const struct catalog *catalog, uint64_t sequence, struct err *err);
struct u256 market_inputs_demand_of(const struct market_inputs *in, uint64_t base, uint64_t from_ms);
struct u256 market_inputs_capacity_of(struct market_inputs *in, const struct price_version *base, uint64_t from_ms);
/* The first window from from_ms on that an announcement may cover; UINT64_MAX: none. */
uint64_t market_inputs_busy(const struct market_inputs *in, const struct price_version *base, uint64_t from_ms);

#endif
