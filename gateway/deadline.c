#include "gateway/deadline.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"

struct deadline {
    atomic_bool over;
    uint64_t at_ms;                /* on the monotonic clock */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool end;
};

static void *run(void *self)
{
    struct deadline *d = self;
    const struct timespec until = { (time_t)(d->at_ms / 1000), (long)(d->at_ms % 1000) * 1000000 };

    thread_name("deadline");
    pthread_mutex_lock(&d->lock);
    while (!d->end && pthread_cond_timedwait(&d->ended, &d->lock, &until) == 0)
        continue;
    if (!d->end)
        atomic_store(&d->over, true);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void clear(struct deadline *d)
{
    pthread_cond_destroy(&d->ended);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

bool deadline_start(uint64_t after_ms, struct deadline **deadline, struct err *err)
{
    struct deadline *d = mem_new(sizeof *d);
    pthread_condattr_t attributes;

    d->at_ms = clock_monotonic_ms() + after_ms;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&d->thread, NULL, run, d) != 0) {
        clear(d);
        return err_set(err, ERR_IO, "no thread to watch the time-out");
    }
    *deadline = d;
    return true;
}

const atomic_bool *deadline_flag(const struct deadline *d)
{
    return d != NULL ? &d->over : NULL;
}

void deadline_free(struct deadline *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->lock);
    d->end = true;
    pthread_cond_signal(&d->ended);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    clear(d);
}
