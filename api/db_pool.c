#include "api/db_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/mem.h"

struct db_pool {
    const char *url, *archive_dir;
    const uint8_t *secret;
    size_t max, open, idle;
    struct db **idle_list;                    /* room for max */
    pthread_mutex_t lock;
    pthread_cond_t given;
};

struct db_pool *db_pool_new(const char *store_url, const char *archive_dir, const uint8_t secret[32], size_t max)
{
    struct db_pool *pool = mem_new(sizeof *pool);

    pool->url = store_url;
    pool->archive_dir = archive_dir;
    pool->secret = secret;
    pool->max = max;
    pool->idle_list = mem_array(max, sizeof(struct db *));
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->given, NULL);
    return pool;
}

void db_pool_free(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->idle; i++)
        db_close(pool->idle_list[i]);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool->idle_list);
    free(pool);
}

/* NULL: there is room to open one more, already counted. */
static struct db *take_idle(struct db_pool *pool)
{
    struct db *db = NULL;

    pthread_mutex_lock(&pool->lock);
    while (pool->idle == 0 && pool->open == pool->max)
        pthread_cond_wait(&pool->given, &pool->lock);
    if (pool->idle > 0)
        db = pool->idle_list[--pool->idle];
    else
        pool->open++;
    pthread_mutex_unlock(&pool->lock);
    return db;
}

static void forget_one(struct db_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->open--;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}

bool db_pool_take(struct db_pool *pool, struct db **db, struct err *err)
{
    struct db *taken = take_idle(pool);

    if (taken == NULL) {
        if (!db_open(pool->url, DB_READ, &taken, err)) {
            forget_one(pool);
            return false;
        }
        db_use_archives(taken, pool->archive_dir, pool->secret);
    }
    if (!db_begin(taken, err)) {
        db_close(taken);                      /* a broken connection is not lent again */
        forget_one(pool);
        return false;
    }
    *db = taken;
    return true;
}

void db_pool_give(struct db_pool *pool, struct db *db)
{
    db_rollback(db);
    pthread_mutex_lock(&pool->lock);
    pool->idle_list[pool->idle++] = db;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}
