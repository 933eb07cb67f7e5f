#include "store/sqlite_checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/base/thread.h"

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
    bool alone;                               /* the writer: there is no thread, or it has no session */
    unsigned log;                             /* counts those that began anew */
    int asked;                                /* frames of the log when it was wanted */
    int copied;                               /* frames of the present log that the thread has copied */
    int again_at;                             /* frames of the log at which it is worth another look */
};

/* In the database and synced, as far as no reader needs the older state; a lock that somebody else holds is not waited for. */
static int copy_log(sqlite3 *session)
{
    int all = 0, copied = 0;

    if (sqlite3_wal_checkpoint_v2(session, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &copied) != SQLITE_OK)
        return 0;
    return copied > 0 ? copied : 0;
}

/* SQLite syncs the database only with a copy that is whole, and while somebody writes that would be the writer's last part of it: his
 * commit would wait for all that was copied before. */
static bool sync_database(sqlite3 *session)
{
    sqlite3_file *file = NULL;

    return sqlite3_file_control(session, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file != NULL && file->pMethods != NULL
        && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

static int copy_and_sync(sqlite3 *session, int before)
{
    int copied = copy_log(session);

    return copied <= before || sync_database(session) ? copied : 0;
}

static void *checkpointer_main(void *self)
{
    struct checkpointer *c = self;
    sqlite3 *session = NULL;
    bool can = sqlite3_open_v2(c->path, &session, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
            && sqlite3_exec(session, "PRAGMA synchronous = FULL; PRAGMA cache_size = 0", NULL, NULL, NULL) == SQLITE_OK;

    thread_name("checkpoint");
    pthread_mutex_lock(&c->lock);
    c->alone = !can;
    while (!c->stopping && can) {
        int copied, before = c->copied;
        unsigned log = c->log;

        if (!c->wanted) {
            pthread_cond_wait(&c->wake, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        copied = copy_and_sync(session, before);
        pthread_mutex_lock(&c->lock);
        if (c->log == log) {                  /* else that log is gone, copied whole */
            c->copied = copied;
            c->again_at = copied > before ? 0 : c->asked + c->asked / 4;
        }
        c->wanted = false;
    }
    pthread_mutex_unlock(&c->lock);
    sqlite3_close_v2(session);
    return NULL;
}

/* How many frames that the thread left are the writer's. */
static int writers_part(int frames, int written)
{
    int rest = 2 * written > CHECKPOINT_REST ? 2 * written : CHECKPOINT_REST;

    return frames >= CHECKPOINT_LATE && frames / CHECKPOINT_LATE_PART > rest ? frames / CHECKPOINT_LATE_PART : rest;
}

/* The lock is held.  Whether the writer is to copy; else the thread is woken where there is something for it. */
static bool is_mine(struct checkpointer *c, int frames, int written)
{
    if (c->alone)
        return frames >= CHECKPOINT_LATE;
    if (c->wanted || frames < c->again_at)
        return false;
    if (c->copied > 0 && c->again_at == 0 && frames - c->copied <= writers_part(frames, written))
        return true;
    c->wanted = true;
    c->asked = frames;
    pthread_cond_signal(&c->wake);
    return false;
}

/* After each commit of the writer: the frames of the log.  A checkpoint that fails is tried again with a later commit. */
static int committed(void *self, sqlite3 *writer, const char *database, int frames)
{
    struct checkpointer *c = self;
    bool is_new = frames < c->frames, mine;
    int written = is_new ? frames : frames - c->frames;

    (void)database;
    c->frames = frames;
    if (frames < CHECKPOINT_AT && !is_new)
        return SQLITE_OK;
    pthread_mutex_lock(&c->lock);
    if (is_new) {
        c->log++;
        c->copied = c->again_at = 0;
    }
    if (frames >= CHECKPOINT_AT && !c->started) {
        c->started = pthread_create(&c->thread, NULL, checkpointer_main, c) == 0;
        c->alone = !c->started;
    }
    mine = frames >= CHECKPOINT_AT && is_mine(c, frames, written);
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
