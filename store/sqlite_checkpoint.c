#include "store/sqlite_checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gateway/base/mem.h"

struct checkpointer {
    sqlite3 *writer;                          /* borrowed */
    char *path;
    pthread_t thread;
    bool started;                             /* the writer's alone */
    int frames;                               /* of the log at its commit before, likewise */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* under lock */
    bool wanted, stopping;
    int copied;                               /* frames of the present log that the thread has copied */
};

/* In the database and synced, as far as no reader needs the older state; a lock that somebody else holds is not waited for. */
static int copy_log(sqlite3 *session)
{
    int all = 0, copied = 0;

    if (sqlite3_wal_checkpoint_v2(session, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &copied) != SQLITE_OK)
        return 0;
    return copied > 0 ? copied : 0;
}

/* Without a session of its own there is nothing to do: the writer copies a late log by itself. */
static void *checkpointer_main(void *self)
{
    struct checkpointer *c = self;
    sqlite3 *session = NULL;
    bool can = sqlite3_open_v2(c->path, &session, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
            && sqlite3_exec(session, "PRAGMA synchronous = FULL; PRAGMA cache_size = 0", NULL, NULL, NULL) == SQLITE_OK;

    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        int copied;

        if (!c->wanted) {
            pthread_cond_wait(&c->wake, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        copied = can ? copy_log(session) : 0;
        pthread_mutex_lock(&c->lock);
        c->copied = copied;
        c->wanted = false;
    }
    pthread_mutex_unlock(&c->lock);
    sqlite3_close_v2(session);
    return NULL;
}

/* After each commit of the writer: the frames of the log.  A checkpoint that fails is tried again with a later commit. */
static int committed(void *self, sqlite3 *writer, const char *database, int frames)
{
    struct checkpointer *c = self;
    bool mine;
    int rest = frames > c->frames && 2 * (frames - c->frames) > CHECKPOINT_REST ? 2 * (frames - c->frames) : CHECKPOINT_REST;

    (void)database;
    c->frames = frames;
    if (frames < CHECKPOINT_AT)
        return SQLITE_OK;
    if (!c->started)
        c->started = pthread_create(&c->thread, NULL, checkpointer_main, c) == 0;
    pthread_mutex_lock(&c->lock);
    mine = frames >= CHECKPOINT_LATE || (!c->wanted && c->copied > 0 && frames - c->copied <= rest);
    if (mine)
        c->copied = 0;
    else if (!c->wanted) {
        c->wanted = true;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
    if (mine)
        copy_log(writer);
    return SQLITE_OK;
}

struct checkpointer *checkpointer_new(sqlite3 *writer, const char *path)
{
    struct checkpointer *c = mem_new(sizeof *c);

    *c = (struct checkpointer){ .writer = writer, .path = mem_text(path) };
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    sqlite3_wal_hook(writer, committed, c);
    return c;
}

void checkpointer_free(struct checkpointer *c)
{
    if (c == NULL)
        return;
    sqlite3_wal_hook(c->writer, NULL, NULL);
    if (c->started) {
        pthread_mutex_lock(&c->lock);
        c->stopping = true;
        pthread_cond_signal(&c->wake);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
    }
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
}
