#include "api/cache_alerts.h"

#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"

static void keep(void *self, struct hash model, const struct cache_peer *peer)
{
    struct cache_alerts *alerts = self;

    if (alerts->count == alerts->capacity) {
        alerts->capacity = alerts->capacity == 0 ? 8 : alerts->capacity * 2;
        alerts->list = mem_grow(alerts->list, alerts->capacity, sizeof *alerts->list);
    }
    alerts->list[alerts->count++] = (struct cache_alert){ model, *peer };
}

bool cache_alerts_load(struct db *db, uint64_t now_ms, struct cache_alerts *alerts, struct err *err)
{
    *alerts = (struct cache_alerts){ 0 };
    if (store_cache_hidden(db, now_ms / DAY_MS, keep, alerts, err))
        return true;
    cache_alerts_clear(alerts);
    return false;
}

void cache_alerts_clear(struct cache_alerts *alerts)
{
    free(alerts->list);
    *alerts = (struct cache_alerts){ 0 };
}

json *cache_alerts_of(const struct cache_alerts *alerts, struct address provider)
{
    json *rows = NULL;

    for (size_t i = 0; i < alerts->count; i++) {
        const struct cache_alert *a = &alerts->list[i];
        json *row;

        if (!address_eq(a->peer.provider, provider))
            continue;
        row = json_new_object();
        json_put_hash(row, "model", a->model);
        json_put_u64(row, "jobs", a->peer.use.jobs);
        json_put_u64(row, "inputTokens", a->peer.use.input);
        json_put_u64(row, "cachedTokens", a->peer.use.cached);
        json_put_u64(row, "medianInputTokens", a->peer.median.input);
        json_put_u64(row, "medianCachedTokens", a->peer.median.cached);
        if (rows == NULL)
            rows = json_new_array();
        json_add(rows, row);
    }
    return rows;
}
