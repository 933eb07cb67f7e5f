/* What consumers are billed, summed by the UTC day of acceptance, whenever they signed: archives tell that day, so a store that is made
 * again from them finds the same sums, and a signature that comes late counts in the period of its job. */
#include "gateway/intake/inside.h"

/* Beside others nobody asks for the sums of one who has no limit: they only grow. */
static bool is_asked_for(const struct intake *intake, const struct group *group, struct address consumer)
{
    const struct consumer *c;

    if (!group->beside)
        return true;
    c = catalog_consumer(intake->gathered.snapshot->catalog, consumer, group->now_ms);
    return c != NULL && c->has_credit_limit;
}

static bool bring_sum(struct intake *intake, struct group *group, struct tally *sums, enum beside_base what, const struct tally_key *key,
                      uint64_t until_day, struct err *err)
{
    struct amount sum = AMOUNT_ZERO;

    return tally_find(sums, key) != NULL
        || ((!is_asked_for(intake, group, key->account)
             || store_consumer_days(group->db, key->account, key->number, until_day, &sum, err))
            && beside_base(intake, group, what, key, sum, err) && tally_add(sums, key, sum, err));
}

/* All of the period that the day lies in, this group included.  The first question of a group brings both sums from the store, so
 * nothing of the group is missing in them. */
static bool bring(struct intake *intake, struct group *group, struct address consumer, uint64_t day, struct err *err)
{
    const struct rule_limits *limits = &intake->config.limits;
    struct gathered *g = &intake->gathered;
    struct tally_key of_period = { .number = rules_period_start(limits, day), .account = consumer };
    struct tally_key of_day = { .number = day, .account = consumer };

    return bring_sum(intake, group, &g->credit, BASE_CREDIT, &of_period, rules_period_end(limits, day), err)
        && bring_sum(intake, group, &g->consumer_days, BASE_CONSUMER_DAY, &of_day, day + 1, err);
}

bool credit_used(struct intake *intake, struct group *group, const struct signed_receipt *r, uint64_t accepted_at_ms, struct amount *used,
                 struct err *err)
{
    uint64_t day = accepted_at_ms / DAY_MS;
    struct tally_key of_period = { .number = rules_period_start(&intake->config.limits, day), .account = r->receipt.consumer };
    const struct consumer *c;

    if (!r->has_consumer_signature)
        return true;
    c = catalog_consumer(intake->gathered.snapshot->catalog, r->receipt.consumer, group->now_ms);
    if (c == NULL || !c->has_credit_limit)
        return true;
    if (!bring(intake, group, c->address, day, err))
        return false;
    *used = tally_find(&intake->gathered.credit, &of_period)->amount;
    return true;
}

bool credit_use(struct intake *intake, struct group *group, const struct share *charge, uint64_t accepted_at_ms, struct err *err)
{
    uint64_t day = accepted_at_ms / DAY_MS;
    struct gathered *g = &intake->gathered;
    struct tally_key of_period = { .number = rules_period_start(&intake->config.limits, day), .account = charge->account };
    struct tally_key of_day = { .number = day, .account = charge->account };

    return charge->role != ROLE_CONSUMER || amount_is_zero(charge->amount)
        || (bring(intake, group, charge->account, day, err) && tally_add(&g->credit, &of_period, charge->amount, err)
            && tally_add(&g->consumer_days, &of_day, charge->amount, err));
}
