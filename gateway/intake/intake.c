/* Submitting and the pool of verify threads. */
#include "gateway/intake/inside.h"
#include "gateway/intake/offer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/lib/crypt.h"

static void submission_release(struct submission *s)
{
    group_promise_release(s->promises[0]);
    group_promise_release(s->promises[1]);
    memset(s->promises, 0, sizeof s->promises);
}

static struct work *work_new(const struct submission *s)
{
    struct work *work = mem_new(sizeof *work);

    work->leaves = mem_array(s->count + 1, sizeof *work->leaves);
    if (s->count >= JOBS_LEAST)
        page_content_init(&work->content, s->count);
    return work;
}

static void work_free(struct work *work)
{
    page_content_clear(&work->content);
    tree_free(work->tree);
    free(work->jobs);
    free(work->known);
    free(work->leaves);
    free(work);
}

/* On the writer's thread; on a pool thread only where the writer refused the task. */
static void submission_done(struct task *task, bool ok, const struct err *err)
{
    struct submission *s = (struct submission *)((char *)task - offsetof(struct submission, task));
    struct intake *intake = s->intake;
    struct work *work = s->work;
    size_t count = s->count;

    if (!ok) {
        if (work->kept)
            gather_lost(intake);
        submission_release(s);
    }
    work_free(work);
    s->work = NULL;
    pthread_mutex_lock(&intake->lock);
    if (ok)
        accept_count(intake, s);
    pthread_mutex_unlock(&intake->lock);
    log_event(LOG_DEBUG_LEVEL, ok ? "receipts_committed" : "receipts_failed", KV_U64("count", count),
              KV_TEXT("error", ok ? "" : err->text));
    if (!ok || !pair_go_on(intake, s))
        s->done(s, ok, err);                  /* s may be gone after it */
    pthread_mutex_lock(&intake->lock);
    intake->in_flight -= count;
    intake->submissions--;
    pthread_cond_broadcast(&intake->all_done);
    pthread_mutex_unlock(&intake->lock);
}

static void make_task(struct intake *intake, struct submission *s)
{
    if (s->is_bundle)
        verify_bundle(intake, s);
    verify_jobs(s);
    if (!s->is_bundle)
        verify_pack(s);
    s->task = (struct task){
        .run = accept_run, .foresee = foresee_group, .seal = seal_group, .seal_self = intake, .done = submission_done,
        .weight = s->count + 1, .repeatable = true, .beside = intake->other == NULL, .announced = true,
    };
}

/* All that a thread took together, in their order. */
static void hand_to_writer(struct intake *intake, struct submission *first)
{
    struct task *refused, *next;
    struct err err = { 0 };

    for (struct submission *s = first; s != NULL; s = queue_next(s)) {
        make_task(intake, s);
        s->task.next = queue_next(s) == NULL ? NULL : &queue_next(s)->task;
    }
    for (refused = writer_submit_all(intake->writer, &first->task, &err); refused != NULL; refused = next) {
        next = refused->next;
        submission_done(refused, false, &err);
    }
}

static bool chunk_was_last(struct intake *intake, struct submission *s)
{
    bool last;

    pthread_mutex_lock(&intake->lock);
    last = --s->chunks_left == 0;
    pthread_mutex_unlock(&intake->lock);
    return last;
}

static void verify_turn(struct intake *intake, const struct turn *turn)
{
    if (turn->whole) {
        verify_whole(intake, turn->first);
    } else {
        verify_chunk(intake, turn->first, turn->chunk);
        if (!chunk_was_last(intake, turn->first))
            return;
    }
    hand_to_writer(intake, turn->first);
}

static void *pool_main(void *self)
{
    struct intake *intake = self;

    thread_name("verify");
    pthread_mutex_lock(&intake->lock);
    for (;;) {
        struct turn turn;

        while (intake->first == NULL && !intake->stopping)
            pthread_cond_wait(&intake->work_waits, &intake->lock);
        if (intake->first == NULL)
            break;
        turn = queue_take(intake);
        pthread_mutex_unlock(&intake->lock);
        verify_turn(intake, &turn);
        pthread_mutex_lock(&intake->lock);
    }
    pthread_mutex_unlock(&intake->lock);
    return NULL;
}

static void stop_threads(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    while (intake->submissions > 0)
        pthread_cond_wait(&intake->all_done, &intake->lock);
    intake->stopping = true;
    pthread_cond_broadcast(&intake->work_waits);
    pthread_mutex_unlock(&intake->lock);
    ticker_stop(intake);
    for (unsigned i = 0; i < intake->thread_count; i++)
        pthread_join(intake->threads[i], NULL);
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    stop_threads(intake);
    gather_close(intake);
    buckets_free(intake->buckets);
    buckets_free(intake->announcements);
    buckets_free(intake->quoted);
    foresee_free(intake);
    tally_clear(&intake->gathered.postings);
    tally_clear(&intake->gathered.batches);
    tally_clear(&intake->gathered.days);
    tally_clear(&intake->gathered.measures);
    tally_clear(&intake->gathered.caches);
    free(intake->gathered.receipts);
    tally_clear(&intake->gathered.fees);
    tally_clear(&intake->gathered.demand);
    tally_clear(&intake->gathered.consumer_days);
    tally_clear(&intake->gathered.credit);
    tally_clear(&intake->gathered.bases);
    tally_clear(&intake->added.days);
    tally_clear(&intake->added.credit);
    free(intake->gathered.leaves);
    shares_clear(&intake->gathered.credits);
    free(intake->gathered.submissions);
    free(intake->gathered.recharges);
    free(intake->threads);
    pthread_cond_destroy(&intake->all_done);
    pthread_cond_destroy(&intake->work_waits);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}

bool intake_new(const struct intake_config *config, struct writer *writer, const struct signer *promise_signer,
                const struct clock *clock, struct snapshots *snapshots, struct intake **intake, struct err *err)
{
    struct intake *made = mem_new(sizeof *made);
    uint64_t seed;

    made->config = *config;
    made->writer = writer;
    made->signer = promise_signer;
    made->clock = clock;
    made->snapshots = snapshots;
    crypt_random(&seed, sizeof seed);
    made->buckets = buckets_new(config->rate_limit, config->rate_burst, seed);
    made->announcements = buckets_new(CAPACITY_RATE, CAPACITY_BURST, seed);
    made->quoted = buckets_new(QUOTE_RATE, QUOTE_BURST, seed);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work_waits, NULL);
    pthread_cond_init(&made->all_done, NULL);
    made->threads = mem_array(config->verify_threads, sizeof *made->threads);
    for (; made->thread_count < config->verify_threads; made->thread_count++)
        if (pthread_create(&made->threads[made->thread_count], NULL, pool_main, made) != 0) {
            intake_free(made);
            return err_set(err, ERR_IO, "no thread to verify receipts");
        }
    *intake = made;
    return true;
}

void intake_close(struct intake *intake, bool closed)
{
    atomic_store(&intake->closed, closed);
}

void intake_set_batch_amount_max(struct intake *intake, struct amount max)
{
    pthread_mutex_lock(&intake->lock);
    intake->config.batch_amount_max = max;
    pthread_mutex_unlock(&intake->lock);
}

static bool is_full(const struct intake *intake, size_t count, struct err *err)
{
    return intake->in_flight + count > INTAKE_IN_FLIGHT_MAX
        && !err_set(err, ERR_AGAIN, "%u receipts are being taken in already", INTAKE_IN_FLIGHT_MAX);
}

bool intake_submit(struct intake *intake, struct submission *s, struct err *err)
{
    struct work *work = work_new(s);          /* before the lock: a large one has pages to come */
    bool taken;

    pthread_mutex_lock(&intake->lock);
    taken = intake_may_take(intake, err) && !is_full(intake, s->count, err);
    if (taken) {
        s->intake = intake;
        memset(s->promises, 0, sizeof s->promises);
        s->bundle_good = false;
        s->bundle_key = (struct address){ { 0 } };
        s->next_chunk = 0;
        s->chunks_left = s->count == 0 ? 1 : (s->count + verify_chunk_size(s) - 1) / verify_chunk_size(s);
        s->work = work;
        intake->in_flight += s->count;
        intake->submissions++;
        writer_announce(intake->writer);      /* first: a thread may hand it over at once */
        queue_add(intake, s);
    }
    pthread_mutex_unlock(&intake->lock);
    if (!taken)
        work_free(work);
    return taken;
}

void submission_clear(struct submission *s)
{
    for (size_t i = 0; i < s->count; i++)
        faults_clear(&s->items[i].faults);
    free(s->items);
    submission_release(s);
    s->items = NULL;
    s->count = 0;
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    bool done, ok;
    struct err err;
};

static void wake(struct submission *s, bool ok, const struct err *err)
{
    struct waiting *w = s->owner;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    w->ok = ok;
    if (!ok)
        w->err = *err;
    pthread_cond_signal(&w->finished);        /* under the lock: the waiter's stack goes with it */
    pthread_mutex_unlock(&w->lock);
}

bool intake_submit_wait(struct intake *intake, struct submission *s, struct err *err)
{
    struct waiting w = { .lock = PTHREAD_MUTEX_INITIALIZER, .finished = PTHREAD_COND_INITIALIZER };

    s->done = wake;
    s->owner = &w;
    if (!intake_submit(intake, s, err))
        return false;
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.finished, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.finished);
    pthread_mutex_destroy(&w.lock);
    if (!w.ok)
        *err = w.err;
    return w.ok;
}

void intake_count(struct intake *intake, struct intake_counters *counters)
{
    pthread_mutex_lock(&intake->lock);
    *counters = intake->counters;
    pthread_mutex_unlock(&intake->lock);
}
