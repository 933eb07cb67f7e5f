/* gateway/core/rules.h - the quarantine rules of design section 3, in their order.  Pure.
 *
 * To add a rule: a code in receipt.h, a row in the table of rules.c, what it must know in struct rule_facts. */
#ifndef QUITTANCE_CORE_RULES_H
#define QUITTANCE_CORE_RULES_H

#include "gateway/core/plausible.h"
#include "gateway/core/quote.h"

struct rule_limits {
    uint64_t max_age_ms;                      /* [receipts] max_age */
    struct amount daily_limit;                /* [receipts] daily_limit, where the provider has none of its own */
    uint64_t credit_days;                     /* [consumers] period: a credit limit is for so many UTC days; 0: for ever */
    bool require_countersignature;
    struct amount receipt_max;                /* one receipt over this is held: a quarter of the contract's cap; zero: no bound */
    struct plausibility plausibility;
};

/* How a model stood at acceptance; one look-up does for many receipts. */
struct rule_model {
    bool claimed;                             /* somebody registered it */
    bool verified;                            /* a creator's claim to it was */
};
struct rule_model rules_model(const struct catalog *c, struct hash model, uint64_t at_ms);

/* Everything the rules look at. */
struct rule_facts {
    const struct catalog *catalog;
    const struct rule_limits *limits;
    const struct signed_receipt *receipt;
    const struct provider *provider;          /* the receipt's, as admitted at now_ms; NULL: it is not */
    struct rule_model model;                  /* the receipt's */
    uint64_t now_ms;                          /* acceptance, in the order of the books */
    uint64_t clock_ms;                        /* and by the time of day: what is late */
    bool job_billed_by_other;                 /* another provider has an accepted receipt for this job */
    struct amount provider_day;               /* what this provider's accepted receipts earned this UTC day so far */
    struct usage_facts usage;                 /* of an admitted provider */
    const struct quote *quote;                /* that the receipt names; NULL: none, or none that this gateway issued */
    struct amount consumer_period;            /* what the consumer who would be billed was billed this period so far */
    bool operator_released;                   /* an operator overrides what is held for an operator */
};

struct verdict {
    enum receipt_code code;                   /* CODE_ACCEPTED or the first quarantine rule that failed */
    const struct price_version *price;        /* that of a quote that binds, else the one in force; NULL while unpriced */
    bool quoted;                              /* by a quote that binds */
    struct amount amount;                     /* known as soon as price is */
    struct faults faults;                     /* of all rules that failed, with the figures; caller clears */
};
/* p NULL: not admitted. */
struct amount rules_daily_limit(const struct rule_limits *limits, const struct provider *p);
/* The period that a day lies in: its first UTC day, and the one behind its last. */
uint64_t rules_period_start(const struct rule_limits *limits, uint64_t day);
uint64_t rules_period_end(const struct rule_limits *limits, uint64_t day);
/* ERR_OVERFLOW only: a price over 256 bits. */
MUST_USE bool rules_judge(const struct rule_facts *facts, struct verdict *verdict, struct err *err);
/* The credit limit alone, as it is now, for what was accepted before its consumer signed.  The verdict has price and amount, and gets
 * the fault. */
void rules_judge_credit(const struct rule_facts *facts, struct verdict *verdict);

#endif
