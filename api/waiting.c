#include "api/waiting.h"

#define SLOW_MAX 64

void waiting_init(struct waiting *w)
{
    *w = (struct waiting){ 0 };
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->none_left, NULL);
}

void waiting_clear(struct waiting *w)
{
    pthread_cond_destroy(&w->none_left);
    pthread_mutex_destroy(&w->lock);
}

bool waiting_enter(struct waiting *w, bool slow)
{
    bool ok;

    pthread_mutex_lock(&w->lock);
    ok = !w->closed && (!slow || w->slow < SLOW_MAX);
    w->count += ok ? 2 : 0;
    w->slow += ok && slow;
    pthread_mutex_unlock(&w->lock);
    return ok;
}

void waiting_slow_ends(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    w->slow--;
    pthread_mutex_unlock(&w->lock);
}

void waiting_leave(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    if (--w->count == 0)
        pthread_cond_broadcast(&w->none_left);
    pthread_mutex_unlock(&w->lock);
}

void waiting_close(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    while (w->count > 0)
        pthread_cond_wait(&w->none_left, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

bool waiting_start_thread(void *(*run)(void *self), void *self)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool ok;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    ok = pthread_create(&thread, &attr, run, self) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}
