#include "store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "store/sums.h"
#include "store/writer_group.h"

#define GATHER_ALL_NS 1000000L                /* so long a small group waits for all that is announced, */
#define GATHER_HALF_NS 4000000L               /* and so long for half of it */

struct writer {
    struct group_state state;                 /* the writing thread's */
    pthread_t thread;
    bool threaded, running;                   /* running: inline, within a group */
    atomic_bool healthy;
    pthread_mutex_t lock;                     /* guards all below */
    pthread_cond_t work, finished;
    struct task *head, *tail;
    bool stopping;
    enum gathers { GATHERS_NOT, GATHERS_ALL, GATHERS_HALF } gathers;      /* what the thread waits for; not: for any task */
    size_t announced;                         /* tasks that are not here yet */
    size_t arrived;                           /* of those that were announced, in the queue */
    atomic_size_t waiting;                    /* weight; changed under the lock, read without */
};

bool writer_open(const char *url, const struct clock *clock, struct writer **writer, struct err *err)
{
    struct writer *w = mem_new(sizeof *w);
    pthread_condattr_t attributes;

    w->state.clock = *clock;
    if (!db_open(url, DB_WRITE, &w->state.db, err) || !db_migrate(w->state.db, err) || !group_recover(&w->state, err)) {
        db_close(w->state.db);
        free(w);
        return false;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->work, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&w->finished, NULL);
    atomic_init(&w->healthy, true);
    *writer = w;
    return true;
}

/* The lock is held, here and in the next two. */
static bool is_gathered(const struct writer *w)
{
    size_t may_lack = w->gathers == GATHERS_HALF ? w->arrived : 0;

    return w->announced <= may_lack || w->waiting >= GROUP_SMALL || w->stopping;
}

static void add_ns(struct timespec *time, long ns)
{
    time->tv_nsec += ns;
    time->tv_sec += time->tv_nsec / 1000000000L;
    time->tv_nsec %= 1000000000L;
}

static void gather(struct writer *w, enum gathers what, const struct timespec *began, long ns)
{
    struct timespec until = *began;
    bool late = false;

    add_ns(&until, ns);
    w->gathers = what;
    while (!late && !is_gathered(w))
        late = pthread_cond_timedwait(&w->work, &w->lock, &until) != 0;
    w->gathers = GATHERS_NOT;
}

static void wait_for_announced(struct writer *w)
{
    struct timespec now;

    if (w->head->alone || is_gathered(w))     /* alone: nothing that comes is of its group */
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    gather(w, GATHERS_ALL, &now, GATHER_ALL_NS);
    gather(w, GATHERS_HALF, &now, GATHER_HALF_NS);
}

/* What is looked for before a group runs and left over when its time is up would be looked for again with the next. */
static size_t group_max(const struct writer *w)
{
    return db_is_shared(w->state.db) ? WRITER_GROUP_FAR : WRITER_GROUP_MAX;
}

/* Takes what makes the next group off the queue; the lock is held and the queue not empty. */
static struct task *take_group(struct writer *w)
{
    struct task *first = w->head, *last = first;
    size_t weight = first->weight, announced = first->announced;

    while (!first->alone && last->next != NULL && !last->next->alone && weight + last->next->weight <= group_max(w)) {
        last = last->next;
        weight += last->weight;
        announced += last->announced;
    }
    w->head = last->next;
    if (w->head == NULL)
        w->tail = NULL;
    last->next = NULL;
    w->waiting -= weight;
    w->arrived -= announced;
    return first;
}

/* What the group had no time for is first in the queue again; the lock is held. */
static void put_back(struct writer *w, struct task *rest)
{
    struct task *last = rest;

    if (rest == NULL)
        return;
    for (struct task *task = rest; task != NULL; last = task, task = task->next) {
        w->waiting += task->weight;
        w->arrived += task->announced;
    }
    last->next = w->head;
    w->head = rest;
    if (w->tail == NULL)
        w->tail = last;
}

/* false: nothing came for a while, and sums wait to be folded in. */
static bool wait_for_work(struct writer *w, unsigned fold_ms)
{
    struct timespec until;
    bool waits = w->state.beside.oldest_ms != 0, late = false;

    clock_gettime(CLOCK_MONOTONIC, &until);
    add_ns(&until, fold_ms * 1000000L);
    while (w->head == NULL && !w->stopping && !late)
        late = waits ? pthread_cond_timedwait(&w->work, &w->lock, &until) != 0 : pthread_cond_wait(&w->work, &w->lock) != 0;
    return !late || w->head != NULL || w->stopping;
}

static void *writer_main(void *self)
{
    bool folded = true;
    struct writer *w = self;

    thread_name("writer");
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct task *group, *rest;

        if (!wait_for_work(w, folded ? FOLD_IDLE_MS : FOLD_MS)) {
            pthread_mutex_unlock(&w->lock);
            folded = group_fold(&w->state);
            atomic_store(&w->healthy, folded);
            pthread_mutex_lock(&w->lock);
            continue;
        }
        if (w->head == NULL)
            break;
        wait_for_announced(w);
        group = take_group(w);
        pthread_mutex_unlock(&w->lock);
        /* While this group is synced to disk the next one gathers: nobody waits on purpose. */
        atomic_store(&w->healthy, group_run(&w->state, group, &rest));
        pthread_mutex_lock(&w->lock);
        put_back(w, rest);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

bool writer_start(struct writer *w, struct err *err)
{
    bool waiting;

    if (w->threaded)
        return err_set(err, ERR_BUG, "the writer runs already");
    /* Those who wrote beside others may all have died. */
    if (!store_sums_wait(w->state.db, &waiting, err))
        return false;
    if (waiting)
        beside_note_others(&w->state.beside);
    /* Set before: the thread itself may ask. */
    w->threaded = true;
    if (pthread_create(&w->thread, NULL, writer_main, w) == 0)
        return true;
    w->threaded = false;
    return err_set(err, ERR_IO, "no thread for the writer");
}

void writer_close(struct writer *w)
{
    if (w == NULL)
        return;
    if (w->threaded) {
        pthread_mutex_lock(&w->lock);
        w->stopping = true;
        pthread_cond_signal(&w->work);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    /* Where the database does not answer, the next turn of anybody does it. */
    if (atomic_load(&w->healthy))
        (void)!group_fold(&w->state);
    db_close(w->state.db);
    pthread_cond_destroy(&w->finished);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void writer_turns_init(struct writer_turns *turns)
{
    pthread_mutex_init(&turns->lock, NULL);
    turns->doubt = turns->gated = NULL;
    turns->gate = NULL;
}

bool writer_turns_share(struct writer_turns *turns, struct writer *first, const char *url, struct err *err)
{
    struct db *gate;

    if (!db_is_shared(first->state.db))
        return true;
    if (!db_open(url, DB_WRITE, &gate, err))
        return false;
    pthread_mutex_lock(&turns->lock);
    turns->gate = gate;
    turns->gated = &first->state;
    pthread_mutex_unlock(&turns->lock);
    return true;
}

void writer_turns_clear(struct writer_turns *turns)
{
    db_close(turns->gate);
    pthread_mutex_destroy(&turns->lock);
}

void writer_work_beside(struct writer *w, enum writer_beside when)
{
    w->state.beside.when = when;
}

void writer_take_turns(struct writer *w, struct writer_turns *turns)
{
    w->state.turns = turns;
}

/* Each by itself; those that were not run. */
static struct task *run_inline(struct writer *w, struct task *first, struct err *err)
{
    struct task *none;

    if (w->running) {
        err_set(err, ERR_BUG, "a task submits a task and there is no thread to run it");
        return first;
    }
    w->running = true;
    for (struct task *task = first, *next; task != NULL; task = next) {
        next = task->next;
        task->next = NULL;
        atomic_store(&w->healthy, group_run(&w->state, task, &none));
    }
    w->running = false;
    return NULL;
}

void writer_announce(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->announced++;
    pthread_mutex_unlock(&w->lock);
}

static const char *refusal_of(const struct writer *w, const struct task *task)
{
    if (w->stopping)
        return "the writer is stopping";
    return w->waiting + task->weight > WRITER_QUEUE_MAX ? "the writer's queue is full" : NULL;
}

static void append(struct writer *w, struct task *task)
{
    task->next = NULL;
    if (w->tail != NULL)
        w->tail->next = task;
    else
        w->head = task;
    w->tail = task;
    w->waiting += task->weight;
    w->arrived += task->announced;
}

struct task *writer_submit_all(struct writer *w, struct task *first, struct err *err)
{
    struct task *task = first, *next;
    const char *refusal = NULL;

    pthread_mutex_lock(&w->lock);
    for (; task != NULL; task = task->next) {
        if (task->weight == 0)
            task->weight = 1;
        w->announced -= task->announced;
    }
    if (!w->threaded) {
        pthread_mutex_unlock(&w->lock);
        return run_inline(w, first, err);
    }
    for (task = first; task != NULL && (refusal = refusal_of(w, task)) == NULL; task = next) {
        next = task->next;                    /* the writer's from now on */
        append(w, task);
    }
    if (task != first && (w->gathers == GATHERS_NOT || is_gathered(w)))      /* else it would wake up to wait on */
        pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    if (task != NULL)
        err_set(err, ERR_AGAIN, "%s", refusal);
    return task;
}

bool writer_submit(struct writer *w, struct task *task, struct err *err)
{
    task->next = NULL;
    return writer_submit_all(w, task, err) == NULL;
}

/* A task on the waiting caller's stack. */
struct waited {
    struct task task;                         /* first: a waited is found by its task */
    struct writer *writer;
    writer_fn *fn;
    void *self;
    bool finished, ok;
    struct err err;
};

static bool waited_run(struct task *task, struct group *group, struct err *err)
{
    const struct waited *waited = (struct waited *)task;

    return waited->fn(waited->self, group, err);
}

static void waited_done(struct task *task, bool ok, const struct err *err)
{
    struct waited *waited = (struct waited *)task;
    struct writer *w = waited->writer;

    pthread_mutex_lock(&w->lock);
    waited->ok = ok;
    waited->err = *err;
    waited->finished = true;                  /* from the unlock on, waited may be gone */
    pthread_cond_broadcast(&w->finished);
    pthread_mutex_unlock(&w->lock);
}

bool writer_do(struct writer *w, writer_fn *fn, void *self, struct err *err)
{
    struct waited waited = {
        .task = { .run = waited_run, .done = waited_done, .weight = 1, .alone = true },
        .writer = w, .fn = fn, .self = self,
    };

    if (w->threaded && pthread_equal(pthread_self(), w->thread))
        return err_set(err, ERR_BUG, "the writer would wait for itself");
    if (!writer_submit(w, &waited.task, err))
        return false;
    pthread_mutex_lock(&w->lock);
    while (!waited.finished)
        pthread_cond_wait(&w->finished, &w->lock);
    pthread_mutex_unlock(&w->lock);
    if (!waited.ok)
        *err = waited.err;
    return waited.ok;
}

static bool nothing(void *self, struct group *group, struct err *err)
{
    (void)self;
    (void)group;
    (void)err;
    return true;
}

void writer_use_archives(struct writer *w, const char *dir, const uint8_t secret[32])
{
    db_use_archives(w->state.db, dir, secret);
}

bool writer_trust_clock(struct writer *w, struct err *err)
{
    bool ok;

    if (w->threaded)
        return err_set(err, ERR_BUG, "the writer runs already");
    w->state.trust_clock = true;
    ok = writer_do(w, nothing, NULL, err);
    w->state.trust_clock = false;
    return ok;
}

bool writer_healthy(const struct writer *w)
{
    return atomic_load(&w->healthy);
}

uint64_t writer_depth(const struct writer *w)
{
    return atomic_load(&w->waiting);
}
