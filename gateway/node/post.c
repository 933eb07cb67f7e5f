#include "gateway/node/post.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/node/domain.h"
#include "gateway/node/poster.h"

#define STEP_MS 100

/* ---- what the threads share ---- */

void poster_fail(struct poster *p, const struct err *err)
{
    pthread_mutex_lock(&p->lock);
    if (!p->failed)
        p->err = *err;
    p->failed = true;
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void poster_wait_until(struct poster *p, uint64_t ms)
{
    const struct timespec until = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

    /* Signalled or not, the caller looks again at what it waits for. */
    (void)pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

bool poster_sleep_until(struct poster *p, uint64_t ms)
{
    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->stop) && clock_monotonic_ms() < ms)
        poster_wait_until(p, ms);
    pthread_mutex_unlock(&p->lock);
    return !atomic_load(&p->stop);
}

void poster_failing(struct poster *p, const struct err *why, unsigned retry_after_s)
{
    uint64_t now = clock_monotonic_ms(), quiet = now + (uint64_t)retry_after_s * 1000;

    pthread_mutex_lock(&p->lock);
    p->counts.retries++;
    p->last = *why;
    if (p->failing_since_ms == 0)
        p->failing_since_ms = now;
    if (retry_after_s > 0 && quiet > p->not_before_ms)
        p->not_before_ms = quiet;
    pthread_mutex_unlock(&p->lock);
}

bool poster_domain(struct poster *p, struct http_client *http, bool anew, struct domain *domain, struct err *err)
{
    struct domain fetched;
    bool known;

    pthread_mutex_lock(&p->lock);
    known = p->has_domain && !anew;
    fetched = p->domain;
    pthread_mutex_unlock(&p->lock);
    if (!known && !node_fetch_domain(http, p->config->url, &fetched, err))
        return false;
    pthread_mutex_lock(&p->lock);
    p->has_domain = true;
    p->domain = fetched;
    pthread_mutex_unlock(&p->lock);
    *domain = fetched;
    return true;
}

/* ---- the run ---- */

struct threads { pthread_t list[POST_CONNECTIONS_MAX + 1]; unsigned count; };

static bool start_threads(struct poster *p, struct threads *t, struct err *err)
{
    const unsigned wanted = p->config->connections + (p->config->until_proof ? 1 : 0);

    p->senders = p->config->connections;
    for (; t->count < wanted; t->count++)
        if (pthread_create(&t->list[t->count], NULL, t->count < p->config->connections ? sender_main : proof_main, p) != 0)
            return err_set(err, ERR_AGAIN, "no thread for connection %u of %u can be started", t->count + 1, wanted);
    return true;
}

static void join_threads(const struct threads *t)
{
    for (unsigned i = 0; i < t->count; i++)
        pthread_join(t->list[i], NULL);
}

/* Without a spool what is read is lost with us, so whoever pipes is told soon; with one it is safe while more comes. */
static bool is_given_up(struct poster *p, struct err *err)
{
    uint64_t now = clock_monotonic_ms(), since;
    bool over;

    pthread_mutex_lock(&p->lock);
    since = p->failing_since_ms > p->not_before_ms ? p->failing_since_ms : p->not_before_ms;
    over = p->failing_since_ms != 0 && (p->ended || p->config->spool_dir == NULL) && now > since && now - since >= p->config->give_up_ms;
    if (over)
        err_set(err, ERR_AGAIN, "no success for %" PRIu64 " s: %s", (now - since) / 1000, p->last.text);
    pthread_mutex_unlock(&p->lock);
    return over;
}

static void tell_once(struct report *report, struct poster *p, bool *full)
{
    bool now = spool_full(p->spool);

    if (now != *full)
        report_note(report,
                    now ? "the spool is full (%" PRIu64 " bytes): not reading on" : "the spool has room again (%" PRIu64 " bytes taken): reading on",
                    spool_bytes(p->spool));
    *full = now;
}

/* Reads while there are lines, then waits for the senders; false: err, threads may still run. */
static bool drive(struct poster *p, struct feed *feed, struct report *report, struct err *err)
{
    bool ended = false, full = false;
    unsigned senders = p->config->connections;

    while (senders > 0 && !atomic_load(&p->stop)) {
        if (atomic_load(p->config->interrupted))
            return feed_sync(feed, err);
        if (!ended && !feed_step(feed, STEP_MS, &ended, err))
            return false;
        if (!ended)
            tell_once(report, p, &full);
        pthread_mutex_lock(&p->lock);
        if (ended && !p->ended) {
            p->ended = true;
            pthread_cond_broadcast(&p->changed);
        }
        if (ended || full)
            poster_wait_until(p, clock_monotonic_ms() + STEP_MS);
        senders = p->senders;
        pthread_mutex_unlock(&p->lock);
        report_progress(report, p);
        if (is_given_up(p, err))
            return false;
    }
    return true;
}

/* Everything was said; was it everything that was to be done? */
static bool verdict(struct poster *p, struct err *err)
{
    uint64_t left = spool_left(p->spool);

    if (p->failed) {
        *err = p->err;
        return left == 0 ? false : p->config->spool_dir != NULL ? err_prefix(err, "%" PRIu64 " receipts stay in %s", left, p->config->spool_dir)
             : err_prefix(err, "%" PRIu64 " receipts were not answered", left);
    }
    if (left > 0)
        return err_set(err, ERR_AGAIN, "stopped: %" PRIu64 " receipts %s", left,
                       p->config->spool_dir != NULL ? "stay in the spool" : "were not answered");
    if (p->counts.malformed > 0)
        return err_set(err, ERR_INVALID, "%" PRIu64 " lines are no receipts that can be posted", p->counts.malformed);
    return true;
}

static void note_faults(struct report *report, const struct poster *p)
{
    const struct segment_faults *faults = spool_faults(p->spool);

    if (faults->torn_bytes > 0)
        report_note(report, "the spool ended in %" PRIu64 " bytes of receipts that were never taken: cut off", faults->torn_bytes);
    if (faults->damaged > 0)
        report_note(report, "%" PRIu64 " receipts in the spool are damaged and lost; the files are kept as *.damaged", faults->damaged);
}

static void run(struct poster *p, int fd)
{
    struct feed *feed = feed_new(p, fd);
    struct threads threads = { .count = 0 };
    struct report report;
    struct err err;

    report_begin(&report, p);
    note_faults(&report, p);
    if (!start_threads(p, &threads, &err) || !drive(p, feed, &report, &err))
        poster_fail(p, &err);
    atomic_store(&p->stop, true);
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    join_threads(&threads);
    report_end(&report, p);
    feed_free(feed);
}

bool post_lines(const struct post_config *config, int fd, struct err *err)
{
    struct poster p = {
        .config = config, .began_ms = clock_monotonic_ms(), .per_request = config->per_request, .pace = { .per_second = config->rate },
    };
    pthread_condattr_t attr;
    bool ok;

    if (!spool_open(config->spool_dir, config->spool_max, &p.spool, err))
        return false;
    p.waiting_since_ms = p.began_ms;
    pthread_mutex_init(&p.lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);      /* as clock_monotonic_ms */
    pthread_cond_init(&p.changed, &attr);
    pthread_condattr_destroy(&attr);
    run(&p, fd);
    ok = verdict(&p, err);
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    spool_free(p.spool);
    return ok;
}
