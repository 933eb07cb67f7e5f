/* Groups that are written beside those of other gateways.
 *
 * What others add at the same time is not known, but what they may add is: of the room that a sum had left at the last turn, each of so many
 * writers takes no more than its part.  So the limit holds whatever the others do, and what would need more is decided in a turn,
 * where all of it is known. */
#include "gateway/intake/inside.h"

#include "store/sums.h"

bool in_turn(const struct group *group, const char *why, struct err *err)
{
    return !group->beside || err_set(err, ERR_AGAIN, "to be decided in a turn: %s", why);
}

void beside_begin(struct intake *intake, const struct group *group)
{
    struct added *a = &intake->added;

    if (!group->beside || a->turn_ms == group->after_ms)
        return;
    a->turn_ms = group->after_ms;
    a->receipts = 0;
    a->amount = AMOUNT_ZERO;
    tally_reset(&a->days);
    tally_reset(&a->credit);
}

static struct tally_key base_key(enum beside_base what, const struct tally_key *key)
{
    return (struct tally_key){ .number = key->number, .account = key->account, .role = (int)what };
}

bool beside_base(struct intake *intake, const struct group *group, enum beside_base what, const struct tally_key *key, struct amount base,
                 struct err *err)
{
    const struct tally_key of = base_key(what, key);

    return !group->beside || tally_add(&intake->gathered.bases, &of, base, err);
}

/* -- room -- */

static struct amount amount_in(const struct tally *t, const struct tally_key *key)
{
    const struct tally_row *row = tally_find(t, key);

    return row != NULL ? row->amount : AMOUNT_ZERO;
}

/* What this group adds to a sum. */
static struct amount more_of(const struct gathered *g, enum beside_base what, const struct tally *sums, const struct tally_key *key)
{
    const struct tally_key of = base_key(what, key);
    struct amount more;

    if (!amount_sub(amount_in(sums, key), amount_in(&g->bases, &of), &more))
        bug("a sum is less than what it was");
    return more;
}

/* If every writer added as much as we. */
static bool fits(struct amount base, struct amount before, struct amount more, uint64_t writers, struct amount limit)
{
    struct amount own, all, sum;

    return amount_add(before, more, &own) && u256_mul_u64(own.base_units, writers, &all.base_units) && amount_add(base, all, &sum)
        && amount_cmp(sum, limit) <= 0;
}

static bool sum_fits(const struct intake *intake, const struct group *group, enum beside_base what, const struct tally *sums,
                     const struct tally *before, const struct tally_key *key, struct amount limit)
{
    const struct gathered *g = &intake->gathered;
    const struct tally_key of = base_key(what, key);

    return fits(amount_in(&g->bases, &of), amount_in(before, key), more_of(g, what, sums, key), group->writers, limit);
}

static bool batch_fits(const struct intake *intake, const struct group *group)
{
    const struct gathered *g = &intake->gathered;
    uint64_t most = intake->config.batch_receipts_max;
    struct amount receipts, more;

    receipts = amount_from_u64(g->batch.receipts - g->stored.receipts);
    if (!amount_sub(g->batch.amount, g->stored.amount, &more))
        bug("a batch is less than what it was");
    return (most == 0 || fits(amount_from_u64(g->stored.receipts), amount_from_u64(intake->added.receipts), receipts, group->writers,
                              amount_from_u64(most)))
        && (amount_is_zero(g->batch_amount_max)
            || fits(g->stored.amount, intake->added.amount, more, group->writers, g->batch_amount_max));
}

static bool day_fits(struct intake *intake, const struct group *group, const struct receipt *r)
{
    const struct tally_key key = { .number = group->clock_ms / DAY_MS, .account = r->provider };

    return sum_fits(intake, group, BASE_DAY, &intake->gathered.days, &intake->added.days, &key,
                    rules_daily_limit(&intake->config.limits, parties_provider(&intake->gathered, r->provider)));
}

static bool credit_fits(const struct intake *intake, const struct group *group, const struct share *charge)
{
    const struct gathered *g = &intake->gathered;
    const struct consumer *c = charge->role == ROLE_CONSUMER ? catalog_consumer(g->snapshot->catalog, charge->account, group->now_ms) : NULL;
    const struct tally_key key = { .number = rules_period_start(&intake->config.limits, group->now_ms / DAY_MS), .account = charge->account };

    return c == NULL || !c->has_credit_limit
        || sum_fits(intake, group, BASE_CREDIT, &g->credit, &intake->added.credit, &key, c->credit_limit);
}

bool beside_fits(struct intake *intake, const struct group *group, const struct receipt *r, const struct share *charge, struct err *err)
{
    if (!group->beside)
        return true;
    return (batch_fits(intake, group) || in_turn(group, "the batch is nearly full", err))
        && (day_fits(intake, group, r) || in_turn(group, "a provider's day is nearly full", err))
        && (credit_fits(intake, group, charge) || in_turn(group, "a consumer's credit is nearly used", err));
}

/* -- the seal -- */

static void leave(struct group *group, enum sum_kind kind, const struct tally_key *key, uint64_t number, uint64_t second, struct amount amount,
                  uint64_t count)
{
    const struct sum sum = {
        .key = { .kind = kind, .number = number, .second = second, .account = key->account, .role = key->role, .model = key->model },
        .amount = amount, .count = count,
    };

    store_sum_pack(&sum, group->sums);
}

/* The rows of this group alone, each as it is. */
static void leave_rows(struct group *group, enum sum_kind kind, const struct tally *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i].count != 0)
            leave(group, kind, &t->list[i].key, t->list[i].key.number, 0, t->list[i].amount, t->list[i].count);
}

/* Rows whose first addition is what the store had; `added` learns what is more. */
static bool leave_days(const struct gathered *g, struct group *group, enum sum_kind kind, enum beside_base what, const struct tally *days,
                       struct tally *added, struct err *err)
{
    for (size_t i = 0; i < days->count; i++) {
        const struct tally_key *key = &days->list[i].key;
        struct amount more;

        if (days->list[i].count < 2)
            continue;
        more = more_of(g, what, days, key);
        if (kind != 0)
            leave(group, kind, key, key->number, 0, more, 0);
        if (added != NULL && !tally_add(added, key, more, err))
            return false;
    }
    return true;
}

static void leave_fees(const struct gathered *g, struct group *group)
{
    for (size_t i = 0; i < g->fees.count; i++) {
        const struct tally_row *f = &g->fees.list[i];

        if (f->count != 0)
            leave(group, SUM_FEE, &f->key, g->epoch.epoch, f->key.number, f->amount, 0);
    }
}

static bool leave_demand(const struct gathered *g, struct group *group, struct err *err)
{
    for (size_t i = 0; i < g->demand.count; i++) {
        const struct tally_row *d = &g->demand.list[i];
        const struct price_version *base = catalog_price_version(g->snapshot->catalog, d->key.number);

        if (base == NULL)
            return err_set(err, ERR_BUG, "the base of a market is not in the catalog");
        if (d->count != 0)
            leave(group, SUM_DEMAND, &d->key, base->version, market_window_of(&base->market, g->now_ms), d->amount, 0);
    }
    return true;
}

/* Before it is known whether the group is kept: then too much is counted, until the next turn. */
static bool count_batch(struct intake *intake, struct err *err)
{
    const struct gathered *g = &intake->gathered;
    struct added *a = &intake->added;

    for (size_t i = 0; i < g->batches.count; i++) {
        a->receipts += g->batches.list[i].count;
        if (!amount_add(a->amount, g->batches.list[i].amount, &a->amount))
            return err_set(err, ERR_OVERFLOW, "what was added to a batch is over 256 bits");
    }
    return true;
}

bool beside_leave_sums(struct intake *intake, struct group *group, struct err *err)
{
    const struct gathered *g = &intake->gathered;
    struct added *a = &intake->added;

    leave_rows(group, SUM_BATCH, &g->batches);
    leave_rows(group, SUM_POSTING, &g->postings);
    leave_rows(group, SUM_CACHE_DAY, &g->caches);
    leave_fees(g, group);
    return count_batch(intake, err) && leave_demand(g, group, err)
        && leave_days(g, group, SUM_PROVIDER_DAY, BASE_DAY, &g->days, &a->days, err)
        && leave_days(g, group, SUM_CONSUMER_DAY, BASE_CONSUMER_DAY, &g->consumer_days, NULL, err)
        && leave_days(g, group, 0, BASE_CREDIT, &g->credit, &a->credit, err);
}
