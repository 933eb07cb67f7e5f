#include "gateway/settle/runner_parts.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/settle/parts.h"

#include <stdlib.h>

#define PAUSE_BUSY_MS 500u         /* something is unfinished */
#define PAUSE_IDLE_MS 2000u        /* only payments are looked for */
#define PAUSE_HELD_MS 4000u        /* fees are waited for: they change with each block */
#define PAUSE_MAX_MS 30000u        /* after errors */
#define STUCK_KEPT_MS 60000u       /* shorter waits are each run's own: the store is not told */
#define TRIES 3u                   /* a node that stumbles once ends no run */

static bool is_over(const struct settle_report *r)
{
    return r->nothing || r->state == BATCH_FINAL || r->state == BATCH_CANCELLED;
}

/* Close where that is wanted, then whatever can be done.  *wanted stays while older work is in the way. */
static bool one_round(struct runner *r, bool *wanted, bool *moved, struct settle_report *report, struct err *err)
{
    struct batch_row batch;
    bool closed = false, blocked = false;

    if (*wanted) {
        if (!settle_close(r->settle, &closed, err) || (!closed && !work_find(r->settle, &batch, &blocked, err)))
            return false;
        *wanted = blocked;
    }
    if (!settle_step(r->settle, moved, report, err))
        return false;
    *moved = *moved || closed;
    return true;
}

/* A fee that is raised again and again while nothing is mined is no progress. */
static bool is_as_before(const struct settle_report *a, const struct settle_report *b)
{
    return a->sequence == b->sequence && a->state == b->state && a->transactions == b->transactions && a->failed == b->failed
        && a->receipts == b->receipts && amount_cmp(a->paid, b->paid) == 0;
}

/* Work that stands still, though nothing says that it must wait.  Before the report becomes the new one. */
static void note_movement(struct runner *r, const struct settle_report *report)
{
    if (is_over(report) || report->waits == WAITS_FOR_ACTIVATION)
        r->report.stuck_since_ms = 0;
    else if (r->report.stuck_since_ms == 0 || (r->report.settle.state != 0 && !is_as_before(&r->report.settle, report)))
        r->report.stuck_since_ms = clock_now_ms(r->clock);
}

static void note_success(struct runner *r, bool wanted, const struct settle_report *report)
{
    struct run_report *now = &r->report;

    note_movement(r, report);

    /* An idle look after a run that did something does not wipe out what it did. */
    if (!report->nothing || now->settle.state == 0)
        now->settle = *report;
    if (now->running && !wanted && is_over(report)) {
        now->running = false;
        now->last_success_ms = clock_now_ms(r->clock);
    } else if (!is_over(report)) {
        now->running = true;       /* unfinished work goes on by itself, asked for or not */
    }
    if (now->running)
        now->error = (struct err){ 0 };
}

static void note_failure(struct runner *r, const struct err *err)
{
    const struct settle_report *reached = &r->settle->report;

    /* Once per change: a chain that is away for a day is one line. */
    if (strcmp(r->report.error.text, err->text) != 0)
        log_event(err->code == ERR_AGAIN ? LOG_WARN_LEVEL : LOG_ERROR_LEVEL, "settlement_failed",
                  KV_TEXT("error", err->text));
    if (r->report.stuck_since_ms == 0)
        r->report.stuck_since_ms = clock_now_ms(r->clock);
    if (reached->has_sequence && !is_over(reached))
        r->report.settle = *reached;
    r->report.running = false;
    r->report.error = *err;
}

static bool set_marks(void *self, struct group *group, struct err *err)
{
    return marks_set(group, self, err);
}

/* For whoever looks without this service, and for the next one.  Holds the lock on entry and return. */
static void keep_marks(struct runner *r)
{
    uint64_t since_ms = r->report.stuck_since_ms, now_ms = clock_now_ms(r->clock);
    struct run_marks marks = { r->report.last_success_ms, since_ms != 0 && now_ms > since_ms + STUCK_KEPT_MS ? since_ms : 0 };
    struct err err = { 0 };

    if (marks.last_success_ms == r->kept.last_success_ms && marks.stuck_since_ms == r->kept.stuck_since_ms)
        return;
    pthread_mutex_unlock(&r->lock);
    /* A store that takes nothing is told by readiness; the figures themselves are still in the report. */
    if (!settle_do(r->settle, set_marks, &marks, &err))
        log_event(LOG_WARN_LEVEL, "run_marks_not_kept", KV_TEXT("error", err.text));
    r->kept = marks;
    pthread_mutex_lock(&r->lock);
}

static void answer_plan(struct runner *r)
{
    struct plan_request *request = r->plan;

    pthread_mutex_unlock(&r->lock);
    request->ok = settle_plan(r->settle, &request->plan, &request->err);
    pthread_mutex_lock(&r->lock);
    r->plan = NULL;
    pthread_cond_broadcast(&r->changed);
}

/* What to wait before the next look. */
static uint64_t pause_after(const struct runner *r, bool moved, const struct settle_report *report)
{
    if (moved)
        return 0;
    if (report->waits == WAITS_FOR_ACTIVATION || (is_over(report) && !r->wanted))
        return PAUSE_IDLE_MS;
    if (report->waits == WAITS_FOR_FEES || report->waits == WAITS_FOR_BUDGET)
        return PAUSE_HELD_MS;
    return PAUSE_BUSY_MS;
}

static uint64_t pause_after_failure(uint64_t pause_ms)
{
    if (pause_ms < PAUSE_BUSY_MS)
        return PAUSE_BUSY_MS;
    return pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
}

/* Whether the request that was being worked on stays: what failed goes away by itself as a rule. */
static bool may_stumble(struct runner *r, const struct err *err)
{
    return (err->code == ERR_AGAIN || err->code == ERR_UNKNOWN) && ++r->failures < TRIES;
}

/* Holds the lock on entry and return. */
static uint64_t step(struct runner *r, uint64_t pause_ms)
{
    struct settle_report report;
    struct err err = { 0 };
    bool wanted = r->wanted, moved = false, ok;

    r->poked = false;
    r->taken = wanted;
    r->wanted = false;
    pthread_mutex_unlock(&r->lock);
    ok = one_round(r, &wanted, &moved, &report, &err);
    pthread_mutex_lock(&r->lock);
    r->taken = false;
    if (ok) {
        r->failures = 0;
        r->wanted = r->wanted || wanted;
        note_success(r, r->wanted, &report);
        pause_ms = pause_after(r, moved, &report);
    } else if (r->stopping) {
        pause_ms = 0;                  /* it was let go of: no news */
    } else if (r->report.running && may_stumble(r, &err)) {
        r->wanted = r->wanted || wanted;
        pause_ms = PAUSE_BUSY_MS;
    } else {
        r->failures = 0;
        note_failure(r, &err);
        pause_ms = pause_after_failure(pause_ms);
    }
    pthread_cond_broadcast(&r->changed);
    return pause_ms;
}

/* Until it is time, or somebody wants something. */
static void wait(struct runner *r, uint64_t pause_ms)
{
    uint64_t until_ms = clock_monotonic_ms() + pause_ms, now_ms = until_ms - pause_ms;

    for (; now_ms < until_ms && !r->stopping && !r->poked && r->plan == NULL; now_ms = clock_monotonic_ms()) {
        uint64_t left_ms = until_ms - now_ms;
        struct timespec until = runner_deadline(r->lease != NULL && left_ms > RUNNER_LOOK_MS ? RUNNER_LOOK_MS : left_ms);

        pthread_cond_timedwait(&r->wake, &r->lock, &until);
        runner_hear(r);
    }
}

static void *run(void *self)
{
    struct runner *r = self;
    uint64_t pause_ms = 0;

    thread_name("settle");
    thread_background();
    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        if (r->plan != NULL)
            answer_plan(r);
        if (runner_is_settler(r)) {
            runner_hear(r);
            pause_ms = step(r, pause_ms);
            keep_marks(r);
            runner_tell(r);
        } else {
            runner_listen(r);
            pause_ms = RUNNER_LOOK_MS;
        }
        wait(r, pause_ms);
    }
    if (r->plan != NULL)
        answer_plan(r);            /* who asked a moment ago is not left waiting */
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void runner_free(struct runner *r)
{
    settle_free(r->settle);
    if (r->rpc != NULL)
        rpc_free(r->rpc);
    db_close(r->db);
    buf_clear(&r->told);
    free(r);
}

static void init_locks(struct runner *r)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, &attributes);
    pthread_cond_init(&r->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool runner_start(const struct settle_config *config, const char *store_url, const char *rpc_urls,
                  struct writer *writer,
                  const struct signer *signer, const struct clock *clock, struct runner **runner, struct err *err)
{
    const struct rpc_config rpc = { rpc_urls, config->rpc.auth_file, config->rpc.ca_file };
    struct runner *r = mem_new(sizeof *r);

    r->clock = clock;
    r->writer = writer;
    r->lease = config->lease;
    buf_init(&r->told);
    if (!db_open(store_url, DB_READ, &r->db, err) || !rpc_open(&rpc, &r->rpc, err)
        || !settle_new(config, r->db, writer, r->rpc, signer, clock, &r->settle, err)
        || !marks_load(r->db, &r->kept, err)) {
        runner_free(r);
        return false;
    }
    r->report.last_success_ms = r->kept.last_success_ms;
    r->report.stuck_since_ms = r->kept.stuck_since_ms;
    rpc_set_stop(r->rpc, &r->quit);
    init_locks(r);
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        runner_free(r);
        return err_set(err, ERR_IO, "the settling thread does not start");
    }
    *runner = r;
    return true;
}

void runner_quit(struct runner *r)
{
    if (r == NULL)
        return;
    atomic_store(&r->quit, true);
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void runner_stop(struct runner *r)
{
    if (r == NULL)
        return;
    runner_quit(r);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    runner_free(r);
}
