/* Which epoch it is. */
#include "gateway/pool/pool.h"

static bool same_settings(const struct pool_settings *a, const struct pool_settings *b)
{
    return a->epoch_ms == b->epoch_ms && amount_cmp(a->budget, b->budget) == 0 && a->cap_bps == b->cap_bps;
}

bool pool_set(struct db *db, uint64_t now_ms, const struct pool_settings *settings, struct err *err)
{
    struct pool_settings in_force;
    bool found;

    if (!store_pool_settings_at(db, now_ms, &in_force, &found, err))
        return false;
    if (found ? same_settings(&in_force, settings) : amount_is_zero(settings->budget))
        return true;
    return store_pool_settings_add(db, now_ms, settings, err);
}

/* The epoch after that one; 0 and 0: the first.  Not found: none has begun; next->begins_ms says when one does. */
static bool next_epoch(struct db *db, uint64_t epoch, uint64_t ended_ms, uint64_t now_ms, struct popularity_terms *next, bool *found,
                       struct err *err)
{
    struct pool_settings s;
    uint64_t begins_ms = ended_ms;

    if (!store_pool_settings_at(db, ended_ms, &s, found, err))
        return false;
    if ((!*found || amount_is_zero(s.budget)) && !store_pool_settings_on_after(db, ended_ms, &begins_ms, &s, found, err))
        return false;
    if (!*found || begins_ms > now_ms) {
        next->begins_ms = *found ? begins_ms : UINT64_MAX;
        *found = false;
    } else {
        *next = (struct popularity_terms){ epoch + 1, begins_ms, (begins_ms / s.epoch_ms + 1) * s.epoch_ms, s.budget, s.cap_bps };
    }
    return true;
}

bool pool_epoch_now(struct db *db, uint64_t now_ms, struct popularity_terms *terms, bool *running, bool *stored, struct err *err)
{
    struct epoch_row last = { 0 };

    if (!store_epoch_last(db, &last, stored, err))
        return false;
    *terms = last.terms;
    *running = *stored;
    while (!*running || terms->ends_ms <= now_ms) {
        *stored = false;
        if (!next_epoch(db, terms->epoch, terms->ends_ms, now_ms, terms, running, err))
            return false;
        if (!*running)
            return true;
    }
    return true;
}

bool pool_open_epochs(struct db *db, uint64_t now_ms, struct err *err)
{
    struct epoch_row last = { 0 };
    bool found;

    if (!store_epoch_last(db, &last, &found, err))
        return false;
    while (last.terms.ends_ms <= now_ms) {
        if (!next_epoch(db, last.terms.epoch, last.terms.ends_ms, now_ms, &last.terms, &found, err))
            return false;
        if (!found)
            return true;
        if (!store_epoch_add(db, &last.terms, err))
            return false;
    }
    return true;
}
