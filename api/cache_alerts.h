/* api/cache_alerts.h - which providers report far fewer cache hits than their peers (core/hidden.h), for their rows. */
#ifndef QUITTANCE_API_CACHE_ALERTS_H
#define QUITTANCE_API_CACHE_ALERTS_H

#include "gateway/lib/json.h"
#include "store/measures.h"

struct cache_alert { struct hash model; struct cache_peer peer; };
struct cache_alerts { struct cache_alert *list; size_t count, capacity; };
/* As the days up to now say. */
MUST_USE bool cache_alerts_load(struct db *db, uint64_t now_ms, struct cache_alerts *alerts, struct err *err);
void cache_alerts_clear(struct cache_alerts *alerts);
/* [{model, jobs, inputTokens, cachedTokens, medianInputTokens, medianCachedTokens}]; NULL: none. */
json *cache_alerts_of(const struct cache_alerts *alerts, struct address provider);

#endif
