#include "gateway/settle/lease.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/settle/process.h"

#define LOOK_MS 500u
#define BEAT_MS 4000u              /* two may be lost */
#define ALWAYS 1u                  /* the generation of who has the store alone */
#define EARLY_MS 500u              /* the holder's end lies before anybody else's start by this, too */

struct lease {
    struct writer *writer;
    struct db *db;                            /* the thread's */
    char holder[SETTLER_HOLDER], process[SETTLER_PROCESS];
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;                     /* all below */
    pthread_cond_t stops;
    bool stop;
    struct settler_row row;                   /* as read last */
    uint64_t since_ms;                        /* its generation and beat stand as they do since; monotonic, as is the next */
    uint64_t generation, until_ms;            /* ours, and its end; 0: none */
    struct err said;                          /* the thread's */
};

static void name_holder(char holder[SETTLER_HOLDER])
{
    char host[64];

    if (gethostname(host, sizeof host) != 0)
        snprintf(host, sizeof host, "unknown host");
    host[sizeof host - 1] = '\0';
    snprintf(holder, SETTLER_HOLDER, "process %ld on %s", (long)getpid(), host);
}

uint64_t lease_generation(struct lease *l)
{
    uint64_t generation;

    if (l == NULL)
        return ALWAYS;
    pthread_mutex_lock(&l->lock);
    generation = clock_monotonic_ms() < l->until_ms ? l->generation : 0;
    pthread_mutex_unlock(&l->lock);
    return generation;
}

bool lease_is_held(struct lease *l)
{
    return lease_generation(l) != 0;
}

void lease_row(struct lease *l, struct settler_row *row)
{
    pthread_mutex_lock(&l->lock);
    *row = l->row;
    pthread_mutex_unlock(&l->lock);
}

bool lease_check(struct lease *l, uint64_t generation, struct err *err)
{
    struct settler_row row;
    uint64_t ours = lease_generation(l);

    if (ours != 0 && ours == generation)
        return true;
    lease_row(l, &row);
    if (row.holder[0] == '\0' || strcmp(row.holder, l->holder) == 0)
        return err_set(err, ERR_AGAIN, "who settles is being decided");
    return err_set(err, ERR_AGAIN, "settling is done by %s", row.holder);
}

/* ---- what it writes ---- */

struct fenced { uint64_t generation; writer_fn *fn; void *self; };

static bool run_fenced(void *self, struct group *group, struct err *err)
{
    const struct fenced *f = self;

    return store_settler_check(group->db, f->generation, err) && f->fn(f->self, group, err);
}

bool lease_do(struct lease *l, uint64_t generation, struct writer *writer, writer_fn *fn, void *self, struct err *err)
{
    struct fenced fenced = { generation, fn, self };

    if (l == NULL)
        return writer_do(writer, fn, self, err);
    return lease_check(l, generation, err) && writer_do(writer, run_fenced, &fenced, err);
}

struct taking { const struct settler_row *seen; const char *holder, *process; bool taken; };

static bool take(void *self, struct group *group, struct err *err)
{
    struct taking *t = self;

    return store_settler_take(group->db, t->seen, t->holder, t->process, &t->taken, err);
}

static bool beat(void *self, struct group *group, struct err *err)
{
    return store_settler_beat(group->db, *(const uint64_t *)self, err);
}

static bool leave(void *self, struct group *group, struct err *err)
{
    return store_settler_leave(group->db, *(const uint64_t *)self, err);
}

/* ---- the thread ---- */

static void say(struct lease *l, const struct err *err)
{
    if (strcmp(l->said.text, err->text) != 0)
        log_event(LOG_WARN_LEVEL, "settler_lease", KV_TEXT("error", err->text));
    l->said = *err;
}

static void set(struct lease *l, uint64_t generation, uint64_t until_ms)
{
    pthread_mutex_lock(&l->lock);
    if (l->generation != generation)
        log_event(LOG_NOTICE_LEVEL, generation != 0 ? "settler_begins" : "settler_ends",
                  KV_U64("generation", generation != 0 ? generation : l->generation));
    l->generation = generation;
    l->until_ms = until_ms;
    pthread_mutex_unlock(&l->lock);
}

static bool keep(struct lease *l, uint64_t now_ms, struct err *err)
{
    uint64_t generation = l->generation;

    if (now_ms + LEASE_MS - EARLY_MS < l->until_ms + BEAT_MS)
        return true;                          /* the last beat is younger than that */
    if (writer_do(l->writer, beat, &generation, err)) {
        set(l, generation, now_ms + LEASE_MS - EARLY_MS);
        return true;
    }
    return false;
}

static bool try_to_take(struct lease *l, uint64_t now_ms, struct err *err)
{
    struct taking t = { .seen = &l->row, .holder = l->holder, .process = l->process };

    /* What it wrote and did not commit is undone, and the turn orders what it did before us: no more is left of it than of one that was
     * killed and started again. */
    if (l->row.holder[0] != '\0' && now_ms < l->since_ms + LEASE_MS && !process_is_dead(l->row.process))
        return true;
    if (!writer_do(l->writer, take, &t, err))
        return false;
    if (t.taken)
        set(l, l->row.generation + 1, now_ms + LEASE_MS - EARLY_MS);
    return true;
}

/* In a transaction, because beginning one is what reopens a connection that was lost. */
static bool read_row(struct lease *l, struct settler_row *row, struct err *err)
{
    bool ok;

    if (!db_begin(l->db, err))
        return false;
    ok = store_settler(l->db, row, err);
    db_rollback(l->db);
    return ok;
}

/* now_ms is from before anything is asked: what we then hold, we hold since later. */
bool lease_look(struct lease *l, struct err *err)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct settler_row row;

    if (!read_row(l, &row, err))
        return false;
    pthread_mutex_lock(&l->lock);
    if (l->since_ms == 0 || row.generation != l->row.generation || row.beat != l->row.beat)
        l->since_ms = clock_monotonic_ms();
    l->row = row;
    pthread_mutex_unlock(&l->lock);
    if (l->generation == 0)
        return try_to_take(l, now_ms, err);
    if (l->generation != row.generation || now_ms >= l->until_ms) {
        set(l, 0, 0);
        return true;
    }
    return keep(l, now_ms, err);
}

static void *run(void *self)
{
    struct lease *l = self;
    bool stop = false;

    thread_name("lease");
    while (!stop) {
        uint64_t at_ms = clock_monotonic_ms() + LOOK_MS;
        struct timespec until = { (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };
        struct err err = { 0 };

        if (lease_look(l, &err))
            l->said = (struct err){ 0 };
        else
            say(l, &err);
        pthread_mutex_lock(&l->lock);
        while (!l->stop && pthread_cond_timedwait(&l->stops, &l->lock, &until) == 0)
            continue;
        stop = l->stop;
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

bool lease_wait(struct lease *l, uint64_t wait_ms, struct err *err)
{
    uint64_t until_ms = clock_monotonic_ms() + wait_ms;

    while (!lease_is_held(l)) {
        if (clock_monotonic_ms() >= until_ms)
            return lease_check(l, 0, err);
        clock_sleep_ms(LOOK_MS / 10);
    }
    return true;
}

bool lease_new(const char *store_url, struct writer *writer, const char *holder, struct lease **lease, struct err *err)
{
    pthread_condattr_t attributes;
    struct lease *l;
    struct db *db;

    if (!db_open(store_url, DB_READ, &db, err))
        return false;
    *lease = NULL;
    if (!db_is_shared(db)) {
        db_close(db);
        return true;
    }
    l = mem_new(sizeof *l);
    l->writer = writer;
    l->db = db;
    snprintf(l->holder, sizeof l->holder, "%s", holder);
    process_self(l->process);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->stops, &attributes);
    pthread_condattr_destroy(&attributes);
    *lease = l;
    return true;
}

bool lease_start(const char *store_url, struct writer *writer, struct lease **lease, struct err *err)
{
    char holder[SETTLER_HOLDER];
    struct lease *l;

    name_holder(holder);
    if (!lease_new(store_url, writer, holder, &l, err))
        return false;
    if (l != NULL && pthread_create(&l->thread, NULL, run, l) != 0) {
        lease_stop(l);
        return err_set(err, ERR_IO, "no thread to keep the settler's lease");
    }
    if (l != NULL)
        l->threaded = true;
    *lease = l;
    return true;
}

void lease_stop(struct lease *l)
{
    struct err err = { 0 };

    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->stops);
    pthread_mutex_unlock(&l->lock);
    if (l->threaded)
        pthread_join(l->thread, NULL);
    if (l->generation != 0 && !writer_do(l->writer, leave, &l->generation, &err))
        log_event(LOG_WARN_LEVEL, "settler_lease", KV_TEXT("error", err.text));
    db_close(l->db);
    pthread_cond_destroy(&l->stops);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
