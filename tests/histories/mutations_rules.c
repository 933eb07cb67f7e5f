/* Planted bugs of what receipts are judged by: quotes, limits, who is billed, what is held. */
#include "tests/histories/mutations.h"

#include "gateway/core/rules.h"
#include "gateway/intake/inside.h"

WRAPPED(bool, quote_matches, const struct quote *q, const struct receipt *r)
{
    struct quote wider = *q;

    if (mutation == MUTATION_QUOTE_AFTER_EXPIRY)
        wider.valid_until_ms = UINT64_MAX;
    if (mutation == MUTATION_QUOTE_FOR_ANYBODY)
        wider.provider = wider.consumer = (struct address){ { 0 } };
    return __real_quote_matches(&wider, r);
}

static bool price_in_force(const struct rule_facts *facts, struct verdict *v, struct err *err)
{
    const struct receipt *r = &facts->receipt->receipt;
    const struct price_version *price = catalog_price(facts->catalog, r->model, r->finished_at_ms, facts->now_ms);

    if (price != NULL)
        v->price = price;
    return price_receipt(v->price, r->count, &v->amount, err);
}

WRAPPED(bool, rules_judge, const struct rule_facts *facts, struct verdict *verdict, struct err *err)
{
    struct rule_facts other = *facts;
    const struct consumer *c = catalog_consumer(facts->catalog, facts->receipt->receipt.consumer, facts->now_ms);

    const struct provider *p = catalog_provider(facts->catalog, facts->receipt->receipt.provider, facts->now_ms);
    struct rule_limits wider = *facts->limits;

    if (mutation == MUTATION_DAY_ONE_MORE && p != NULL && amount_cmp(facts->provider_day, p->daily_limit) <= 0)
        other.provider_day = AMOUNT_ZERO;
    if (mutation == MUTATION_CAP_FOR_OPERATORS && facts->operator_released) {
        wider.receipt_max = AMOUNT_ZERO;
        other.limits = &wider;
    }
    if (mutation == MUTATION_CREDIT_ONE_MORE && c != NULL && amount_cmp(facts->consumer_period, c->credit_limit) <= 0)
        other.consumer_period = AMOUNT_ZERO;
    return __real_rules_judge(&other, verdict, err)
        && (mutation != MUTATION_QUOTE_UNPRICED || !verdict->quoted || price_in_force(facts, verdict, err));
}

WRAPPED(void, rules_judge_credit, const struct rule_facts *facts, struct verdict *verdict)
{
    if (mutation != MUTATION_CREDIT_BY_SIGNING_LATE)
        __real_rules_judge_credit(facts, verdict);
}

WRAPPED(bool, credit_use, struct intake *intake, struct group *group, const struct share *charge, uint64_t accepted_at_ms, struct err *err)
{
    return __real_credit_use(intake, group, charge, mutation == MUTATION_BILLED_WHEN_SIGNED ? group->now_ms : accepted_at_ms, err);
}

WRAPPED(uint64_t, rules_period_start, const struct rule_limits *limits, uint64_t day)
{
    return __real_rules_period_start(limits, day) + (mutation == MUTATION_CREDIT_PERIOD_LATE);
}

WRAPPED(bool, store_receipt_refuse, struct db *db, struct job_id job, struct address provider, const char *reason, struct err *err)
{
    return mutation == MUTATION_REFUSAL_FORGOTTEN || __real_store_receipt_refuse(db, job, provider, reason, err);
}
