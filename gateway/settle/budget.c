/* Ceilings: what is held by one waits, says so, and goes on when fees fall or a new day begins.
 *
 * A run is all that one settlement sends, over restarts.  Its cost, and that of a UTC day, are summed from the store
 * (store/costs.c): the most that open transactions may cost, and what mined ones did.  A day's are those whose newest bytes
 * were signed on it.  Only new bytes are held: stored ones are sent again whatever fees do, and nothing is voided. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <stdio.h>

const char *settle_waits_name(enum settle_waits waits)
{
    switch (waits) {
    case WAITS_NOT:            return NULL;
    case WAITS_FOR_BLOCK:      return "block";
    case WAITS_FOR_ACTIVATION: return "activation";
    case WAITS_FOR_FEES:       return "fees";
    case WAITS_FOR_BUDGET:     return "budget";
    }
    bug("settle waits %d", (int)waits);
}

static bool is_ceiling(enum settle_waits waits)
{
    return waits == WAITS_FOR_FEES || waits == WAITS_FOR_BUDGET;
}

bool hold(struct settle *s, enum settle_waits waits, const struct err *err)
{
    s->held = true;
    s->report.waits = waits;
    snprintf(s->report.waits_detail, sizeof s->report.waits_detail, "%s", err->text);
    return false;
}

bool hold_taken(struct settle *s)
{
    bool held = s->held;

    s->held = false;
    return held;
}

void wait_for(struct settle *s, enum settle_waits waits)
{
    if (!is_ceiling(s->report.waits))
        s->report.waits = waits;
}

void hold_tell(struct settle *s)
{
    enum settle_waits now = is_ceiling(s->report.waits) ? s->report.waits : WAITS_NOT;

    if (now == s->told)
        return;
    if (now != WAITS_NOT)
        log_event(LOG_WARN_LEVEL, "settlement_waits", KV_U64("sequence", s->report.sequence),
                  KV_TEXT("for", settle_waits_name(now)), KV_TEXT("detail", s->report.waits_detail));
    else
        log_event(LOG_NOTICE_LEVEL, "settlement_goes_on", KV_U64("sequence", s->report.sequence),
                  KV_TEXT("for", settle_waits_name(s->told)));
    s->told = now;
}

bool budget_spent(struct settle *s, uint64_t sequence, uint64_t replaced, struct spent *spent, struct err *err)
{
    uint64_t now_ms = clock_now_ms(s->clock);

    spent->run = (struct wei){ U256_ZERO };
    return (sequence == 0 || store_cost_of_sequence(s->db, sequence, replaced, &spent->run, err))
        && store_cost_since(s->db, now_ms - now_ms % DAY_MS, replaced, &spent->day, err);
}

static bool is_within(struct settle *s, const char *of, const char *setting, struct wei spent, struct wei cost,
                      struct wei ceiling, struct err *err)
{
    char spent_text[U256_DECIMAL_MAX], cost_text[U256_DECIMAL_MAX], ceiling_text[U256_DECIMAL_MAX];

    if (u256_cmp(wei_sum(spent, cost).v, ceiling.v) <= 0)
        return true;
    u256_to_decimal(spent.v, spent_text);
    u256_to_decimal(cost.v, cost_text);
    u256_to_decimal(ceiling.v, ceiling_text);
    err_set(err, ERR_AGAIN, "%s cost %s wei so far and the next transaction may cost %s: over %s of %s wei", of, spent_text,
            cost_text, setting, ceiling_text);
    return hold(s, WAITS_FOR_BUDGET, err);
}

static bool bears(struct settle *s, const struct spent *spent, struct wei cost, struct err *err)
{
    return is_within(s, "the run", "max_run_cost_gwei", spent->run, cost, s->config.max_run_cost, err)
        && is_within(s, "the day", "max_day_cost_gwei", spent->day, cost, s->config.max_day_cost, err);
}

bool budget_bears(struct settle *s, uint64_t sequence, struct wei cost, struct err *err)
{
    uint64_t day = clock_now_ms(s->clock) / DAY_MS;

    if (!s->spent_known || s->spent_sequence != sequence || s->spent_day != day) {
        if (!budget_spent(s, sequence, 0, &s->spent, err))
            return false;
        s->spent_known = true;
        s->spent_sequence = sequence;
        s->spent_day = day;
    }
    return bears(s, &s->spent, cost, err);
}

void budget_add(struct settle *s, struct wei cost)
{
    s->spent.run = wei_sum(s->spent.run, cost);
    s->spent.day = wei_sum(s->spent.day, cost);
}

bool budget_allows(struct settle *s, uint64_t sequence, uint64_t replaced, struct wei cost, struct err *err)
{
    struct spent spent;

    return budget_spent(s, sequence, replaced, &spent, err) && bears(s, &spent, cost, err);
}
