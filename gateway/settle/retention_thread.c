#include "gateway/settle/retention_parts.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/settle/runner_parts.h"

#define PAUSE_MOVED_MS 2u                     /* the writer is others' too */
#define PAUSE_MS 10000u

struct retention_thread {
    struct db *db;
    struct retention *retention;
    struct lease *lease;
    bool indexed;                             /* all that lay there when it became ours to do */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

/* Once per change: a store that is full for a day is one line. */
static void tell(const struct err *why, struct err *told)
{
    if (strcmp(why->text, told->text) != 0)
        log_event(LOG_WARN_LEVEL, "retention_waits", KV_TEXT("error", why->text));
    *told = *why;
}

static bool step(struct retention_thread *t, bool *moved, struct err *err)
{
    if (!lease_is_held(t->lease))
        return true;
    if (!t->indexed && !retention_index_all(t->retention, err))
        return false;
    t->indexed = true;
    return retention_step(t->retention, moved, err);
}

static void *run(void *self)
{
    struct retention_thread *t = self;
    struct err told = { 0 }, err = { 0 };

    thread_name("retention");
    thread_background();
    pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        struct timespec until;
        bool moved = false, ok;

        pthread_mutex_unlock(&t->lock);
        err = (struct err){ 0 };
        ok = step(t, &moved, &err);
        if (!ok)
            tell(&err, &told);
        until = runner_deadline(ok && moved ? PAUSE_MOVED_MS : PAUSE_MS);
        pthread_mutex_lock(&t->lock);
        while (!t->stopping)
            if (pthread_cond_timedwait(&t->wake, &t->lock, &until) != 0)
                break;
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void free_thread(struct retention_thread *t)
{
    retention_free(t->retention);
    db_close(t->db);
    free(t);
}

static void init_locks(struct retention_thread *t)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool retention_start(const struct retention_config *config, const char *store_url, struct writer *writer, const struct clock *clock,
                     struct retention_thread **thread, struct err *err)
{
    struct retention_thread *t = mem_new(sizeof *t);

    if (!db_open(store_url, DB_READ, &t->db, err)) {
        free(t);
        return false;
    }
    t->lease = config->lease;
    t->retention = retention_new(config, t->db, writer, clock);
    init_locks(t);
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        free_thread(t);
        return err_set(err, ERR_IO, "the retention thread does not start");
    }
    *thread = t;
    return true;
}

void retention_stop(struct retention_thread *t)
{
    if (t == NULL)
        return;
    retention_quit(t->retention);
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free_thread(t);
}
