#include "chain/rpc_parts.h"

#include <stdio.h>

#include "gateway/lib/crypt.h"

#define LIES_FORGOTTEN_MS 86400000u      /* a reorg at the tip may look like one, once in a while */

static uint64_t monotonic(void *self)
{
    (void)self;
    return clock_monotonic_ms();
}

static const struct clock clock_monotonic = { monotonic, NULL };

static uint64_t chance(void *self)
{
    uint64_t v;

    (void)self;
    crypt_random(&v, sizeof v);
    return v;
}

const char *endpoint_state_name(enum endpoint_state state)
{
    switch (state) {
    case ENDPOINT_UP:          return "up";
    case ENDPOINT_DOWN:        return "down";
    case ENDPOINT_SLOW:        return "slow";
    case ENDPOINT_STALE:       return "stale";
    case ENDPOINT_FORKED:      return "forked";
    case ENDPOINT_LYING:       return "lying";
    case ENDPOINT_OTHER_CHAIN: return "other-chain";
    }
    bug("endpoint state %d", (int)state);
}

void rpc_set_clock(struct rpc *rpc, const struct clock *clock, rpc_random *random, void *self)
{
    rpc->clock = clock != NULL ? clock : &clock_monotonic;
    rpc->random = random != NULL ? random : chance;
    rpc->random_self = self;
}

void rpc_set_listener(struct rpc *rpc, rpc_listener *listener, void *self)
{
    rpc->listener = listener;
    rpc->listener_self = self;
}

bool rpc_waits_for_agreement(const struct rpc *rpc)
{
    return rpc->waits;
}

uint64_t rpc_now(const struct rpc *rpc)
{
    return clock_now_ms(rpc->clock);
}

size_t rpc_health(struct rpc *rpc, struct rpc_health list[RPC_URLS_MAX])
{
    uint64_t now_ms = rpc_now(rpc);

    pthread_mutex_lock(&rpc->lock);
    for (size_t i = 0; i < rpc->endpoint_count; i++) {
        const struct rpc_endpoint *e = &rpc->endpoints[i];

        list[i] = e->health;
        list[i].retry_in_ms = e->retry_at_ms > now_ms ? e->retry_at_ms - now_ms : 0;
    }
    pthread_mutex_unlock(&rpc->lock);
    return rpc->endpoint_count;
}

bool rpc_is_up(const struct rpc_endpoint *e)
{
    return e->health.state == ENDPOINT_UP;
}

/* Comes back by being looked at with each head, not by a pause. */
static bool is_behind(const struct rpc_endpoint *e)
{
    return e->health.state == ENDPOINT_STALE || e->health.state == ENDPOINT_FORKED;
}

bool rpc_is_usable(const struct rpc *rpc, const struct rpc_endpoint *e)
{
    return rpc->endpoint_count == 1 || rpc_is_up(e) || (!is_behind(e) && rpc_now(rpc) >= e->retry_at_ms);
}

/* Full jitter: anywhere between the shortest pause and one that doubles with each further failure. */
static uint64_t backoff_ms(const struct rpc *rpc, uint64_t times)
{
    uint64_t most = times >= 6 ? RPC_BACKOFF_MAX_MS : (uint64_t)RPC_BACKOFF_MIN_MS << times;

    if (most > RPC_BACKOFF_MAX_MS)
        most = RPC_BACKOFF_MAX_MS;
    return RPC_BACKOFF_MIN_MS + rpc->random(rpc->random_self) % (most - RPC_BACKOFF_MIN_MS + 1);
}

static uint64_t pause_ms(const struct rpc *rpc, const struct rpc_endpoint *e, enum endpoint_state state)
{
    uint64_t ms;

    switch (state) {
    case ENDPOINT_UP:
    case ENDPOINT_STALE:
    case ENDPOINT_FORKED:
        return 0;
    case ENDPOINT_DOWN:
    case ENDPOINT_SLOW:
        ms = backoff_ms(rpc, e->health.failures > RPC_FAILURES_MAX ? e->health.failures - RPC_FAILURES_MAX + 1 : 1);
        /* A node that says when may be believed, up to our own longest pause. */
        if (rpc->retry_after_s > 0 && ms < 1000u * (uint64_t)rpc->retry_after_s)
            ms = 1000u * (uint64_t)rpc->retry_after_s;
        return ms < RPC_BACKOFF_MAX_MS ? ms : RPC_BACKOFF_MAX_MS;
    case ENDPOINT_LYING:
        ms = e->lies >= 7 ? RPC_LYING_MAX_MS : (uint64_t)RPC_BACKOFF_MAX_MS << (e->lies > 0 ? e->lies - 1 : 0);
        return ms < RPC_LYING_MAX_MS ? ms : RPC_LYING_MAX_MS;
    case ENDPOINT_OTHER_CHAIN:
        return backoff_ms(rpc, 6);
    }
    bug("endpoint state %d", (int)state);
}

/* The one place where a state changes. */
static void set_state(struct rpc *rpc, struct rpc_endpoint *e, enum endpoint_state state, const char *why)
{
    struct rpc_health told;
    bool changed = e->health.state != state;

    pthread_mutex_lock(&rpc->lock);
    e->health.state = state;
    snprintf(e->health.why, sizeof e->health.why, "%s", why);
    e->retry_at_ms = state == ENDPOINT_UP ? 0 : rpc_now(rpc) + pause_ms(rpc, e, state);
    told = e->health;
    told.retry_in_ms = state == ENDPOINT_UP ? 0 : e->retry_at_ms - rpc_now(rpc);
    pthread_mutex_unlock(&rpc->lock);
    if (state != ENDPOINT_UP)
        e->at_head = false;
    if (changed && rpc->listener != NULL)
        rpc->listener(rpc->listener_self, &told);
}

void rpc_judge(struct rpc *rpc, struct rpc_endpoint *e, enum endpoint_state state, const char *format, ...)
{
    char why[sizeof e->health.why];
    va_list list;

    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    if (state == ENDPOINT_LYING) {
        e->lies = rpc_now(rpc) > e->lied_at_ms + LIES_FORGOTTEN_MS ? 1 : e->lies + 1;
        e->lied_at_ms = rpc_now(rpc);
    }
    set_state(rpc, e, state, why);
}

void rpc_note_head(struct rpc *rpc, struct rpc_endpoint *e, uint64_t head, uint64_t best)
{
    pthread_mutex_lock(&rpc->lock);
    e->health.head = head;
    e->health.lag = best > head ? best - head : 0;
    pthread_mutex_unlock(&rpc->lock);
}

void rpc_note_finalized(struct rpc *rpc, struct rpc_endpoint *e, uint64_t finalized)
{
    pthread_mutex_lock(&rpc->lock);
    e->health.finalized = finalized;
    pthread_mutex_unlock(&rpc->lock);
}

void rpc_note_success(struct rpc *rpc, struct rpc_endpoint *e, uint64_t took_ms)
{
    bool slow = took_ms >= RPC_SLOW_MS;

    pthread_mutex_lock(&rpc->lock);
    e->health.latency_ms = took_ms;
    e->health.failures = slow ? e->health.failures + 1 : 0;
    pthread_mutex_unlock(&rpc->lock);
    e->answered = true;
    if (slow && e->health.failures >= RPC_FAILURES_MAX)
        rpc_judge(rpc, e, ENDPOINT_SLOW, "answers take %llu ms", (unsigned long long)took_ms);
    else if (!slow && !rpc_is_up(e) && !is_behind(e))
        rpc_judge(rpc, e, ENDPOINT_UP, "%s", "");
}

/* Errors name their endpoint; beside its name that would be twice. */
static const char *without_name(const struct rpc_endpoint *e, const char *text)
{
    size_t len = strlen(e->name);

    return strncmp(text, e->name, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2 : text;
}

void rpc_note_failure(struct rpc *rpc, struct rpc_endpoint *e, uint64_t took_ms, const struct err *err)
{
    bool slow = took_ms >= RPC_SLOW_MS;

    pthread_mutex_lock(&rpc->lock);
    e->health.failures++;
    e->health.errors++;
    pthread_mutex_unlock(&rpc->lock);
    if (e->health.state == ENDPOINT_LYING && rpc_now(rpc) < e->retry_at_ms)
        return;
    /* One that let us wait so long is not given two more chances to; nor one that asked for a pause, or never answered. */
    if (e->health.state == ENDPOINT_OTHER_CHAIN || is_behind(e))
        return;
    if (slow)
        rpc_judge(rpc, e, ENDPOINT_SLOW, "%s", without_name(e, err->text));
    else if (e->health.failures >= RPC_FAILURES_MAX || rpc->retry_after_s > 0 || !e->answered || !rpc_is_up(e))
        rpc_judge(rpc, e, ENDPOINT_DOWN, "%s", without_name(e, err->text));
}

bool rpc_nobody(struct rpc *rpc, const char *what, const bool answered[RPC_URLS_MAX], struct err *err)
{
    char text[sizeof err->text] = "";
    size_t len = 0;

    for (size_t i = 0; i < rpc->endpoint_count && len < sizeof text; i++) {
        const struct rpc_endpoint *e = &rpc->endpoints[i];
        int n = snprintf(text + len, sizeof text - len, "%s%s %s%s%s", i > 0 ? "; " : "", e->name,
                         answered[i] ? "answers" : rpc_is_up(e) ? "gives no answer" : endpoint_state_name(e->health.state),
                         answered[i] || e->health.why[0] == '\0' ? "" : ": ", answered[i] ? "" : e->health.why);

        len += n > 0 ? (size_t)n : 0;
    }
    rpc->last_class = RPC_UNKNOWN;
    return err_set(err, ERR_AGAIN, "%s: %s", what, text);
}

bool rpc_too_few(struct rpc *rpc, const bool answered[RPC_URLS_MAX], struct err *err)
{
    rpc->waits = true;
    return rpc_nobody(rpc, "money waits for two endpoints that agree", answered, err);
}
