#include "api/samples.h"

#include <string.h>

static const struct { const char *name; uint64_t step_ms; size_t count; } ranges[LIVE_RANGES] = {
    [LIVE_HOUR] = { "hour", 10 * 1000, 360 },
    [LIVE_DAY]  = { "day", 5 * 60 * 1000, 288 },
    [LIVE_WEEK] = { "week", 30 * 60 * 1000, 336 },
};

bool live_range_from_name(const char *name, enum live_range *range)
{
    for (size_t i = 0; i < LIVE_RANGES; i++)
        if (strcmp(name, ranges[i].name) == 0) {
            *range = (enum live_range)i;
            return true;
        }
    return false;
}

/* Counts become what came in since the sample before; a first one has none. */
static void keep(struct ring *ring, size_t most, const struct figures *now)
{
    struct figures step = *now;

    step.accepted -= ring->before.accepted;
    step.duplicate -= ring->before.duplicate;
    step.quarantined -= ring->before.quarantined;
    step.rejected -= ring->before.rejected;
    ring->before = *now;
    ring->list[(ring->first + ring->count) % most] = step;
    if (ring->count < most)
        ring->count++;
    else
        ring->first = (ring->first + 1) % most;
}

void samples_add(struct samples *samples, const struct figures *now)
{
    for (size_t i = 0; i < LIVE_RANGES; i++)
        if (now->at_ms >= samples->rings[i].before.at_ms + ranges[i].step_ms)
            keep(&samples->rings[i], ranges[i].count, now);
}

void samples_restore(struct samples *samples, const struct figures *row)
{
    struct figures sum = *row;
    const struct figures *so_far = &samples->restored;

    sum.accepted += so_far->accepted;
    sum.duplicate += so_far->duplicate;
    sum.quarantined += so_far->quarantined;
    sum.rejected += so_far->rejected;
    samples_add(samples, &sum);
    samples->restored = sum;
}

void samples_begin(struct samples *samples, const struct figures *now)
{
    for (size_t i = 0; i < LIVE_RANGES; i++) {
        struct ring *ring = &samples->rings[i];
        uint64_t at_ms = ring->count > 0 ? ring->before.at_ms : now->at_ms;

        ring->before = *now;
        ring->before.at_ms = at_ms;
    }
}

enum column { AT, ACCEPTED, DUPLICATE, QUARANTINED, REJECTED, HELD, UNSETTLED, GAS, GAS_RUNS };
static const char *const columns[] = {
    [AT] = "at", [ACCEPTED] = "accepted", [DUPLICATE] = "duplicate", [QUARANTINED] = "quarantined", [REJECTED] = "rejected",
    [HELD] = "held", [UNSETTLED] = "oldestUnsettled", [GAS] = "gasBalance", [GAS_RUNS] = "gasRuns",
};

static json *wei_to_json(struct wei wei)
{
    return json_new_amount((struct amount){ wei.v });
}

static json *value(const struct figures *f, enum column column)
{
    switch (column) {
    case AT:          return json_new_u64(f->at_ms);
    case ACCEPTED:    return json_new_u64(f->accepted);
    case DUPLICATE:   return json_new_u64(f->duplicate);
    case QUARANTINED: return json_new_u64(f->quarantined);
    case REJECTED:    return json_new_u64(f->rejected);
    case HELD:        return json_new_u64(f->held);
    case UNSETTLED:
        /* Its age in ms. */
        return json_new_u64(f->unsettled_since_ms > 0 && f->unsettled_since_ms < f->at_ms ? f->at_ms - f->unsettled_since_ms : 0);
    case GAS:         return f->has_gas ? wei_to_json(f->gas) : json_new_null();
    case GAS_RUNS:    return f->has_gas && f->gas_runs <= INT64_MAX ? json_new_u64(f->gas_runs) : json_new_null();
    }
    bug("column %d", (int)column);
}

json *samples_to_json(const struct samples *samples, enum live_range range)
{
    const struct ring *ring = &samples->rings[range];
    json *object = json_new_object();

    json_put_text(object, "range", ranges[range].name);
    json_put_u64(object, "step", ranges[range].step_ms);
    for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
        json *list = json_new_array();

        for (size_t i = 0; i < ring->count; i++)
            json_add(list, value(&ring->list[(ring->first + i) % ranges[range].count], (enum column)c));
        json_put(object, columns[c], list);
    }
    return object;
}
