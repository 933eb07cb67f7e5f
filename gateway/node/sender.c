/* One connection: takes a group of receipts, posts it until each is answered for good (poster.h). */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/node/poster.h"
#include "gateway/node/refused.h"

#define REQUEST_TIMEOUT_MS 60000
#define ANSWER_MAX (32 * MIB)
#define LOOK_MS 500

struct sender {
    struct poster *p;
    struct http_client *http;
    struct spool_item *items, *done;          /* the group; room to sort out what is done with */
    struct outcome *outcomes;
    size_t count;
};

/* ---- one request ---- */

enum attempt {
    ATTEMPT_DONE,             /* some were answered for good */
    ATTEMPT_AGAIN,            /* none; after a pause */
    ATTEMPT_SMALLER,          /* the request as a whole is refused: parts of it may not be */
    ATTEMPT_FAILED            /* stop: it will not get better by itself */
};

static void count_kind(struct post_counts *c, enum outcome_kind kind)
{
    switch (kind) {
    case OUTCOME_ACCEPTED:    c->accepted++; break;
    case OUTCOME_DUPLICATE:   c->duplicate++; break;
    case OUTCOME_QUARANTINED: c->quarantined++; break;
    case OUTCOME_REJECTED:    c->rejected++; break;
    case OUTCOME_LATER:       return;
    }
    c->sent++;
}

/* What was refused is written down before it is let go of. */
static bool write_refused(struct sender *s, size_t part, struct err *err)
{
    const struct post_config *config = s->p->config;
    struct buf refused, held;
    bool ok;

    buf_init_max(&refused, SIZE_MAX / 4);
    buf_init_max(&held, SIZE_MAX / 4);
    for (size_t i = 0; i < part; i++)
        if (s->outcomes[i].kind == OUTCOME_REJECTED || (s->outcomes[i].kind == OUTCOME_QUARANTINED && !config->quiet))
            refused_line(s->outcomes[i].item, &s->items[i].receipt, s->outcomes[i].kind == OUTCOME_REJECTED ? &refused : &held);
    ok = refused_write(config->spool_dir, &refused, err) && refused_write(NULL, &held, err);
    buf_clear(&refused);
    buf_clear(&held);
    return ok;
}

/* The first part of the group has its outcomes: lets go of, or keeps, what is answered; the rest stays in the group. */
static bool settle(struct sender *s, size_t part, struct err *err)
{
    struct poster *p = s->p;
    size_t done = 0, left = 0, kept = 0;

    if (!write_refused(s, part, err))
        return false;
    for (size_t i = 0; i < part; i++)
        if (s->outcomes[i].kind == OUTCOME_REJECTED || (!p->config->until_proof && s->outcomes[i].kind != OUTCOME_LATER))
            s->done[done++] = s->items[i];
    if (!spool_release(p->spool, s->done, done, err))
        return false;
    for (size_t i = 0; p->config->until_proof && i < part; i++)
        if (s->outcomes[i].kind != OUTCOME_REJECTED && s->outcomes[i].kind != OUTCOME_LATER)
            s->done[kept++] = s->items[i];
    spool_keep(p->spool, s->done, kept);
    for (size_t i = 0; i < s->count; i++)
        if (i >= part || s->outcomes[i].kind == OUTCOME_LATER)
            s->items[left++] = s->items[i];
    s->count = left;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < part; i++)
        count_kind(&p->counts, s->outcomes[i].kind);
    if (done + kept > 0)
        p->failing_since_ms = 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return true;
}

/* A bundle that is refused as one may have been signed for a contract that has been replaced since. */
static bool is_stale(struct sender *s, size_t part, const struct domain *used)
{
    struct domain now;
    struct err err;
    const char *code;
    size_t len;

    for (size_t i = 0; i < part; i++)
        if (s->outcomes[i].kind != OUTCOME_REJECTED || !json_get_text(json_member(s->outcomes[i].item, "code"), &code, &len)
            || strcmp(code, receipt_codes[CODE_INVALID_SIGNATURE].name) != 0)
            return false;
    return poster_domain(s->p, s->http, true, &now, &err) && !hash_eq(now.separator, used->separator);
}

static enum attempt take_answer(struct sender *s, size_t part, const struct buf *body, const struct domain *used, struct err *err)
{
    size_t had = s->count;
    enum attempt result = ATTEMPT_AGAIN;
    json *answer;

    if (!json_read(body->data, body->len, &answer, err)) {
        err_prefix(err, "the gateway's answer");
        return ATTEMPT_AGAIN;
    }
    if (!group_outcomes(answer, s->items, part, s->outcomes, err))
        result = ATTEMPT_AGAIN;
    else if (s->p->config->form != GROUP_ARRAY && is_stale(s, part, used))
        err_set(err, ERR_AGAIN, "the gateway's contract has changed");
    else if (!settle(s, part, err))
        result = ATTEMPT_FAILED;
    else if (s->count < had)
        result = ATTEMPT_DONE;
    else
        err_set(err, ERR_AGAIN, "the gateway takes no more for now (too-many)");
    json_free(answer);
    return result;
}

/* A request of one receipt that is refused whole is that receipt's refusal. */
static enum attempt take_refusal(struct sender *s, const struct http_answer *answer, struct err *err)
{
    json *item = NULL;
    bool ok;

    if (!json_read(answer->body.data, answer->body.len, &item, err)) {
        item = json_new_object();
        json_put_u64(item, "status", (uint64_t)answer->status);
    }
    s->outcomes[0] = (struct outcome){ OUTCOME_REJECTED, item };
    ok = settle(s, 1, err);
    json_free(item);
    return ok ? ATTEMPT_DONE : ATTEMPT_FAILED;
}

static enum attempt judge(struct sender *s, size_t part, const struct http_answer *answer, const struct domain *used, struct err *err)
{
    switch (answer->status) {
    case 200:
        return take_answer(s, part, &answer->body, used, err);
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        err_set(err, ERR_AGAIN, "the gateway answers %d", answer->status);
        return ATTEMPT_AGAIN;
    case 400:
    case 413:
    case 422:
        return part > 1 ? ATTEMPT_SMALLER : take_refusal(s, answer, err);
    default:
        /* Not about these receipts: they are kept. */
        err_set(err, ERR_CONFIG, "%s/v1/receipts answers %d: %.300s", s->p->config->url, answer->status, buf_text(&answer->body));
        return ATTEMPT_FAILED;
    }
}

/* Until rate and gateway allow; false: stopped. */
static bool hold(struct poster *p, size_t count)
{
    uint64_t now = clock_monotonic_ms(), until, quiet;

    pthread_mutex_lock(&p->lock);
    until = now + pace_book(&p->pace, count, now);
    pthread_mutex_unlock(&p->lock);
    do {
        if (!poster_sleep_until(p, until))
            return false;
        pthread_mutex_lock(&p->lock);
        quiet = p->not_before_ms;
        pthread_mutex_unlock(&p->lock);
        until = quiet;
    } while (quiet > clock_monotonic_ms());
    return true;
}

static bool exchange(struct sender *s, const struct buf *body, const char *type, struct http_answer *answer, struct err *err)
{
    struct poster *p = s->p;
    char url[512];
    struct http_request request = {
        .method = "POST", .url = url, .headers = { type, "Prefer: return=minimal" },
        .body = body->data, .body_len = body->len, .timeout_ms = REQUEST_TIMEOUT_MS, .max_bytes = ANSWER_MAX,
    };
    uint64_t began = clock_monotonic_ms(), took;
    bool ok;

    snprintf(url, sizeof url, "%s/v1/receipts", p->config->url);
    ok = http_do(s->http, &request, answer, err);
    took = clock_monotonic_ms() - began;
    pthread_mutex_lock(&p->lock);
    p->counts.requests++;
    if (ok)
        histogram_add(&p->latency, took);
    pthread_mutex_unlock(&p->lock);
    return ok;
}

static enum attempt try_once(struct sender *s, size_t part, unsigned *retry_after_s, struct err *err)
{
    struct poster *p = s->p;
    struct domain domain = { 0 };
    struct http_answer answer;
    struct buf body;
    const char *type;
    enum attempt result = ATTEMPT_AGAIN;

    *retry_after_s = 0;
    if (p->config->form != GROUP_ARRAY && !poster_domain(p, s->http, false, &domain, err))
        return err->code == ERR_AGAIN ? ATTEMPT_AGAIN : ATTEMPT_FAILED;
    buf_init(&body);
    if (!group_encode(p->config->form, p->config->signer, p->config->provider, &domain, s->items, part, &body, &type, err)) {
        result = ATTEMPT_FAILED;
    } else if (hold(p, part) && exchange(s, &body, type, &answer, err)) {
        *retry_after_s = answer.retry_after_s;
        result = judge(s, part, &answer, &domain, err);
        if (answer.status == 413 && result == ATTEMPT_SMALLER) {
            pthread_mutex_lock(&p->lock);
            p->per_request = part / 2 < p->per_request ? part / 2 : p->per_request;
            pthread_mutex_unlock(&p->lock);
        }
        http_answer_clear(&answer);
    } else if (err->code == ERR_CONFIG) {
        result = ATTEMPT_FAILED;              /* the URL is none */
    }
    buf_clear(&body);
    return result;
}

/* ---- a group ---- */

static void pause_after(struct poster *p, unsigned attempt, unsigned retry_after_s, const struct err *why)
{
    uint64_t random;

    crypt_random(&random, sizeof random);
    poster_failing(p, why, retry_after_s);
    (void)poster_sleep_until(p, clock_monotonic_ms() + pace_backoff_ms(attempt, retry_after_s, random));
}

static void send_group(struct sender *s)
{
    struct poster *p = s->p;
    size_t part = s->count;
    unsigned attempt = 0, retry_after_s;

    while (s->count > 0 && !atomic_load(&p->stop)) {
        struct err err = { 0 };

        switch (try_once(s, part < s->count ? part : s->count, &retry_after_s, &err)) {
        case ATTEMPT_DONE:
            attempt = 0;
            part = s->count;
            break;
        case ATTEMPT_AGAIN:
            if (!atomic_load(&p->stop))
                pause_after(p, attempt++, retry_after_s, &err);
            break;
        case ATTEMPT_SMALLER:
            /* Halves, until what the gateway cannot take stands alone. */
            part = (part < s->count ? part : s->count) / 2;
            break;
        case ATTEMPT_FAILED:
            poster_fail(p, &err);
            break;
        }
    }
}

/* false: there will be no more. */
static bool take_group(struct sender *s)
{
    struct poster *p = s->p;
    struct err err;
    bool ok = true;

    s->count = 0;
    pthread_mutex_lock(&p->lock);
    while (ok && s->count == 0 && !atomic_load(&p->stop)) {
        uint64_t waiting = spool_waiting(p->spool), now = clock_monotonic_ms();
        uint64_t due = p->waiting_since_ms + p->config->flush_ms;

        if (waiting > 0 && (p->ended || waiting >= p->per_request || now >= due)) {
            ok = spool_take(p->spool, s->items, p->per_request, &s->count, &err);
            p->waiting_since_ms = now;
        } else if (p->ended && waiting == 0 && (!p->config->until_proof || spool_left(p->spool) == 0)) {
            break;
        } else {
            poster_wait_until(p, waiting > 0 && due < now + LOOK_MS ? due : now + LOOK_MS);
        }
    }
    pthread_mutex_unlock(&p->lock);
    if (!ok)
        poster_fail(p, &err);
    return ok && s->count > 0 && !atomic_load(&p->stop);
}

void *sender_main(void *poster)
{
    struct poster *p = poster;
    struct sender s = { .p = p, .http = http_new() };

    http_set_stop(s.http, &p->stop);
    s.items = mem_array(p->config->per_request, sizeof *s.items);
    s.done = mem_array(p->config->per_request, sizeof *s.done);
    s.outcomes = mem_array(p->config->per_request, sizeof *s.outcomes);
    while (take_group(&s))
        send_group(&s);
    http_free(s.http);
    free(s.items);
    free(s.done);
    free(s.outcomes);
    pthread_mutex_lock(&p->lock);
    p->senders--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}
