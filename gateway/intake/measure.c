/* What usage of a provider adds up to: gathered a commit group as its sums are, so that a row is read and written once a group.
 *
 * In `measures` a key is (slot, provider, kind) and the first addition is what the store had; in `caches` it is (day, provider,
 * model), of this group alone. */
#include "gateway/intake/inside.h"

#include <stdlib.h>

#include "gateway/base/mem.h"

enum { PAST_WORK = -1, PAST_HOURS = -2 };     /* beside enum measure in keys: sums over the hours before */

static struct tally_key measure_key(enum measure kind, uint64_t slot, struct address provider)
{
    return (struct tally_key){ .number = slot, .account = provider, .role = (int)kind };
}

static uint64_t to_u64(struct amount amount)
{
    uint64_t value;

    return u256_to_u64(amount.base_units, &value) ? value : UINT64_MAX;
}

/* How long a slot of this kind is looked at. */
static uint64_t slots_kept(const struct intake *intake, enum measure kind)
{
    switch (kind) {
    case MEASURE_BUSY_MS:  return intake->config.limits.max_age_ms / MINUTE_MS + 60;
    case MEASURE_WORK:     return JUMP_HOURS_KEPT;
    case MEASURE_EVIDENCE: return 1;
    }
    bug("measure %d", (int)kind);
}

/* The first of a new slot sweeps the old ones. */
static bool sweep(const struct intake *intake, struct group *group, enum measure kind, uint64_t slot, struct address provider, struct err *err)
{
    uint64_t kept = slots_kept(intake, kind), before = slot > kept ? slot - kept : 0;

    return store_measures_drop(group->db, provider, kind, before, err)
        && (kind != MEASURE_EVIDENCE || store_evidence_drop(group->db, provider, before, err));
}

static bool measure(struct intake *intake, struct group *group, enum measure kind, uint64_t slot, struct address provider,
                    uint64_t *value, struct err *err)
{
    struct tally *measures = &intake->gathered.measures;
    struct tally_key key = measure_key(kind, slot, provider);
    const struct tally_row *sum = tally_find(measures, &key);
    bool found;

    if (sum != NULL) {
        *value = to_u64(sum->amount);
        return true;
    }
    return store_measure(group->db, provider, kind, slot, value, &found, err)
        && (found || sweep(intake, group, kind, slot, provider, err))
        && tally_add(measures, &key, amount_from_u64(*value), err);
}

static bool measure_add(struct intake *intake, struct group *group, enum measure kind, uint64_t slot, struct address provider,
                        uint64_t more, struct err *err)
{
    struct tally_key key = measure_key(kind, slot, provider);
    uint64_t value;

    return measure(intake, group, kind, slot, provider, &value, err)
        && (more == 0 || tally_add(&intake->gathered.measures, &key, amount_from_u64(more), err));
}

/* The minutes of a job that are still counted: what began before them would be held as late. */
static void minutes_of(const struct intake *intake, const struct group *group, const struct receipt *r, uint64_t *first, uint64_t *end)
{
    uint64_t now = group->clock_ms / MINUTE_MS, kept = slots_kept(intake, MEASURE_BUSY_MS);
    uint64_t oldest = now > kept ? now - kept + 1 : 0;

    *first = r->started_at_ms / MINUTE_MS > oldest ? r->started_at_ms / MINUTE_MS : oldest;
    *end = (r->finished_at_ms + MINUTE_MS - 1) / MINUTE_MS;
}

static bool fullest_minute(struct intake *intake, struct group *group, const struct receipt *r, uint64_t most,
                           struct usage_facts *facts, struct err *err)
{
    uint64_t first, end, busy_ms;

    minutes_of(intake, group, r, &first, &end);
    /* One that is too full says enough: a long job is not walked through to its end. */
    for (uint64_t minute = first; minute < end && facts->minute_busy_ms <= most * MINUTE_MS; minute++) {
        if (!measure(intake, group, MEASURE_BUSY_MS, minute, r->provider, &busy_ms, err))
            return false;
        busy_ms += receipt_busy_ms(r, minute);
        if (busy_ms > facts->minute_busy_ms) {
            facts->minute = minute;
            facts->minute_busy_ms = busy_ms;
        }
    }
    return true;
}

/* Hours that are over do not change: asked once a group, and never written back. */
static bool past_hours(struct intake *intake, struct group *group, struct address provider, uint64_t hour, struct usage_facts *facts,
                       struct err *err)
{
    struct tally *measures = &intake->gathered.measures;
    const struct tally_key work = { .number = hour, .account = provider, .role = PAST_WORK };
    const struct tally_key span = { .number = hour, .account = provider, .role = PAST_HOURS };

    if (tally_find(measures, &work) != NULL && tally_find(measures, &span) != NULL) {
        facts->past_work = to_u64(tally_find(measures, &work)->amount);
        facts->past_hours = to_u64(tally_find(measures, &span)->amount);
        return true;
    }
    return store_measure_past(group->db, provider, MEASURE_WORK, hour > JUMP_HOURS_KEPT ? hour - JUMP_HOURS_KEPT : 0, hour,
                              &facts->past_work, &facts->past_hours, err)
        && tally_add(measures, &work, amount_from_u64(facts->past_work), err)
        && tally_add(measures, &span, amount_from_u64(facts->past_hours), err);
}

static bool hours(struct intake *intake, struct group *group, const struct receipt *r, struct usage_facts *facts, struct err *err)
{
    uint64_t hour = group->clock_ms / HOUR_MS;

    return measure(intake, group, MEASURE_WORK, hour, r->provider, &facts->hour_work, err)
        && past_hours(intake, group, r->provider, hour, facts, err);
}

bool measure_facts(struct intake *intake, struct group *group, const struct provider *p, const struct receipt *r,
                   struct usage_facts *facts, struct err *err)
{
    const struct plausibility *limits = &intake->config.limits.plausibility;
    struct provider_class class_ = plausible_class(limits, p);
    bool looks = class_.parallelism != 0 || limits->max_jump != 0 || (limits->unique_evidence && !hash_is_zero(r->evidence));

    return (!looks || in_turn(group, "usage that is compared with the provider's other jobs", err))
        && (class_.parallelism == 0 || fullest_minute(intake, group, r, class_.parallelism, facts, err))
        && (limits->max_jump == 0 || hours(intake, group, r, facts, err))
        && (!limits->unique_evidence || hash_is_zero(r->evidence)
            || store_evidence_find(group->db, r->provider, group->clock_ms / DAY_MS, r->evidence, &facts->evidence_job,
                                   &facts->evidence_seen, err));
}

static bool add_minutes(struct intake *intake, struct group *group, const struct receipt *r, struct err *err)
{
    uint64_t first, end;

    minutes_of(intake, group, r, &first, &end);
    for (uint64_t minute = first; minute < end; minute++)
        if (!measure_add(intake, group, MEASURE_BUSY_MS, minute, r->provider, receipt_busy_ms(r, minute), err))
            return false;
    return true;
}

static bool add_evidence(struct intake *intake, struct group *group, const struct receipt *r, struct err *err)
{
    uint64_t day = group->clock_ms / DAY_MS, known;

    return measure(intake, group, MEASURE_EVIDENCE, day, r->provider, &known, err)
        && (known >= EVIDENCE_DAY_MAX
            || (measure_add(intake, group, MEASURE_EVIDENCE, day, r->provider, 1, err)
                && store_evidence_add(group->db, r->provider, day, r->evidence, r->job_id, err)));
}

static bool add_cache(struct intake *intake, const struct group *group, const struct receipt *r, struct err *err)
{
    struct tally_key key = { .number = group->clock_ms / DAY_MS, .account = r->provider, .model = r->model };

    return tally_add(&intake->gathered.caches, &key, cache_use_pack(r->count[METER_INPUT], r->count[METER_CACHED]), err);
}

bool measure_accepted(struct intake *intake, struct group *group, const struct receipt *r, struct err *err)
{
    const struct plausibility *limits = &intake->config.limits.plausibility;
    const struct provider *p = parties_provider(&intake->gathered, r->provider);

    return add_cache(intake, group, r, err)
        && (p == NULL || plausible_class(limits, p).parallelism == 0 || add_minutes(intake, group, r, err))
        && (limits->max_jump == 0
            || measure_add(intake, group, MEASURE_WORK, group->clock_ms / HOUR_MS, r->provider, receipt_work(r), err))
        && (!limits->unique_evidence || hash_is_zero(r->evidence) || add_evidence(intake, group, r, err));
}

static bool flush_caches(const struct tally *caches, struct group *group, struct err *err)
{
    struct cache_day *days = mem_array(caches->count + 1, sizeof *days);
    bool ok;

    for (size_t i = 0; i < caches->count; i++) {
        const struct tally_row *row = &caches->list[i];

        days[i] = (struct cache_day){ row->key.number, row->key.model, row->key.account, cache_use_unpack(row->amount, row->count) };
    }
    ok = store_cache_days_add(group->db, days, caches->count, err);
    free(days);
    return ok;
}

bool measure_flush(struct intake *intake, struct group *group, struct err *err)
{
    struct gathered *g = &intake->gathered;

    tally_sort(&g->measures);
    tally_sort(&g->caches);
    for (size_t i = 0; i < g->measures.count; i++) {
        const struct tally_row *m = &g->measures.list[i];

        if (m->count >= 2 && !store_measure_set(group->db, m->key.account, (enum measure)m->key.role, m->key.number, to_u64(m->amount), err))
            return false;
    }
    return flush_caches(&g->caches, group, err);
}
