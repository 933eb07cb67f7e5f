#include "gateway/core/rules.h"

#include <inttypes.h>

#define CAP_PARTS 4u                           /* receipt_max is this part of the contract's cap */

/* A rule that is broken adds its fault, with the figures. */
typedef void rule_fn(const struct rule_facts *facts, struct verdict *verdict);

static void unknown_provider(const struct rule_facts *facts, struct verdict *verdict)
{
    if (facts->provider == NULL)
        faults_add(&verdict->faults, CODE_UNKNOWN_PROVIDER, "/provider", "this provider is not admitted");
}

static void unknown_model(const struct rule_facts *facts, struct verdict *verdict)
{
    if (!facts->model.claimed)
        faults_add(&verdict->faults, CODE_UNKNOWN_MODEL, "/model", "nobody registered this model");
}

static void unverified_creator(const struct rule_facts *facts, struct verdict *verdict)
{
    if (facts->model.claimed && !facts->model.verified)
        faults_add(&verdict->faults, CODE_UNVERIFIED_CREATOR, "/model", "no creator's claim to this model is verified");
}

static void unpriced(const struct rule_facts *facts, struct verdict *verdict)
{
    if (verdict->price == NULL)
        faults_add(&verdict->faults, CODE_UNPRICED, "/model", "no price was in force at finishedAt %" PRIu64,
                   facts->receipt->receipt.finished_at_ms);
}

static void late(const struct rule_facts *facts, struct verdict *verdict)
{
    uint64_t finished_at_ms = facts->receipt->receipt.finished_at_ms;

    if (facts->clock_ms > finished_at_ms && facts->clock_ms - finished_at_ms > facts->limits->max_age_ms)
        faults_add(&verdict->faults, CODE_LATE, "/finishedAt", "finished %" PRIu64 " ms ago, allowed are %" PRIu64 " ms",
                   facts->clock_ms - finished_at_ms, facts->limits->max_age_ms);
}

static void duplicate_job(const struct rule_facts *facts, struct verdict *verdict)
{
    if (facts->job_billed_by_other)
        faults_add(&verdict->faults, CODE_DUPLICATE_JOB, "/jobId", "another provider has an accepted receipt for this job");
}

static void implausible_usage(const struct rule_facts *facts, struct verdict *verdict)
{
    if (facts->provider != NULL)
        plausible_judge(&facts->limits->plausibility, facts->provider, &facts->receipt->receipt, &facts->usage, &verdict->faults);
}

struct amount rules_daily_limit(const struct rule_limits *limits, const struct provider *p)
{
    return p != NULL && p->has_daily_limit ? p->daily_limit : limits->daily_limit;
}

static void over_limit(const struct rule_facts *facts, struct verdict *verdict)
{
    struct amount limit = rules_daily_limit(facts->limits, facts->provider);
    char amount_text[U256_DECIMAL_MAX], day_text[U256_DECIMAL_MAX], limit_text[U256_DECIMAL_MAX];
    struct amount day;

    if (verdict->price == NULL)
        return;
    if (amount_add(facts->provider_day, verdict->amount, &day) && amount_cmp(day, limit) <= 0)
        return;
    u256_to_decimal(verdict->amount.base_units, amount_text);
    u256_to_decimal(facts->provider_day.base_units, day_text);
    u256_to_decimal(limit.base_units, limit_text);
    faults_add(&verdict->faults, CODE_OVER_LIMIT, "/provider", "%s on top of %s earned this day, the limit is %s",
               amount_text, day_text, limit_text);
}

uint64_t rules_period_start(const struct rule_limits *limits, uint64_t day)
{
    return limits->credit_days == 0 ? 0 : day - day % limits->credit_days;
}

uint64_t rules_period_end(const struct rule_limits *limits, uint64_t day)
{
    return limits->credit_days == 0 ? INT64_MAX : rules_period_start(limits, day) + limits->credit_days;
}

void rules_judge_credit(const struct rule_facts *facts, struct verdict *verdict)
{
    char amount_text[U256_DECIMAL_MAX], period_text[U256_DECIMAL_MAX], limit_text[U256_DECIMAL_MAX];
    const struct consumer *c;
    struct amount period;

    /* Without the signature the treasury pays. */
    if (verdict->price == NULL || !facts->receipt->has_consumer_signature)
        return;
    c = catalog_consumer(facts->catalog, facts->receipt->receipt.consumer, facts->now_ms);
    if (c == NULL || !c->has_credit_limit)
        return;
    if (amount_add(facts->consumer_period, verdict->amount, &period) && amount_cmp(period, c->credit_limit) <= 0)
        return;
    u256_to_decimal(verdict->amount.base_units, amount_text);
    u256_to_decimal(facts->consumer_period.base_units, period_text);
    u256_to_decimal(c->credit_limit.base_units, limit_text);
    faults_add(&verdict->faults, CODE_OVER_LIMIT, "/consumer", "%s on top of %s billed this period, the credit limit is %s",
               amount_text, period_text, limit_text);
}

static bool is_over(struct amount amount, struct amount max, unsigned times)
{
    struct amount bound = AMOUNT_ZERO;

    if (amount_is_zero(max))
        return false;
    for (unsigned i = 0; i < times; i++)
        if (!amount_add(bound, max, &bound))
            return false;
    return amount_cmp(amount, bound) > 0;
}

static void hold_too_large(const struct rule_facts *facts, struct verdict *verdict, const char *what)
{
    char amount_text[U256_DECIMAL_MAX], max_text[U256_DECIMAL_MAX];

    u256_to_decimal(verdict->amount.base_units, amount_text);
    u256_to_decimal(facts->limits->receipt_max.base_units, max_text);
    faults_add(&verdict->faults, CODE_OVER_LIMIT, "/provider", "%s in one receipt, %s (a quarter of the contract's cap is %s)",
               amount_text, what, max_text);
}

/* No settlement may grow by more than the cap, so nobody behind this one would ever be paid: not even an operator's word helps. */
static void over_cap(const struct rule_facts *facts, struct verdict *verdict)
{
    if (verdict->price != NULL && is_over(verdict->amount, facts->limits->receipt_max, CAP_PARTS))
        hold_too_large(facts, verdict, "more than one settlement may pay");
}

static void over_part_of_cap(const struct rule_facts *facts, struct verdict *verdict)
{
    if (verdict->price != NULL && is_over(verdict->amount, facts->limits->receipt_max, 1)
        && !is_over(verdict->amount, facts->limits->receipt_max, CAP_PARTS))
        hold_too_large(facts, verdict, "more than one batch holds");
}

static void countersignature_missing(const struct rule_facts *facts, struct verdict *verdict)
{
    if (facts->limits->require_countersignature && !facts->receipt->has_consumer_signature)
        faults_add(&verdict->faults, CODE_COUNTERSIGNATURE_MISSING, "/consumerSignature", "the consumer did not sign");
}

static void quote_mismatch(const struct rule_facts *facts, struct verdict *verdict)
{
    const struct receipt *r = &facts->receipt->receipt;

    if (!hash_is_zero(r->quote) && !verdict->quoted)
        quote_fault(facts->quote, r, &verdict->faults);
}

/* In the order of the design; the first that fails gives the code. */
static const struct { rule_fn *rule; bool operator_may_release; } rules[] = {
    { unknown_provider,         false },
    { unknown_model,            false },
    { unverified_creator,       false },
    { unpriced,                 false },
    { late,                     true },
    { duplicate_job,            true },
    { implausible_usage,        true },
    { over_cap,                 false },
    { over_part_of_cap,         true },
    { over_limit,               true },
    { rules_judge_credit,       true },
    { countersignature_missing, true },
    { quote_mismatch,           true },
};

struct rule_model rules_model(const struct catalog *c, struct hash model, uint64_t at_ms)
{
    return (struct rule_model){ catalog_model_claimed(c, model), catalog_model(c, model, at_ms) != NULL };
}

bool rules_judge(const struct rule_facts *facts, struct verdict *verdict, struct err *err)
{
    const struct receipt *r = &facts->receipt->receipt;
    struct verdict v = { 0 };

    v.quoted = facts->quote != NULL && quote_matches(facts->quote, r);
    v.price = v.quoted ? catalog_price_version(facts->catalog, facts->quote->price_version)
                       : catalog_price(facts->catalog, r->model, r->finished_at_ms, facts->now_ms);
    if (v.price != NULL && !price_receipt(v.price, r->count, &v.amount, err))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (!(facts->operator_released && rules[i].operator_may_release))
            rules[i].rule(facts, &v);
    v.code = faults_first(&v.faults);
    *verdict = v;
    return true;
}
