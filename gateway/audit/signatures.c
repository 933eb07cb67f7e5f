#include "gateway/audit/signatures.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"

#define CHUNK 128u                 /* checks handed over at once: some milliseconds of work */
#define CHUNKS 64u                 /* bounds what may wait */
#define THREADS_MAX 64

struct chunk { uint64_t first; size_t count; struct signature_check list[CHUNK]; };
struct signatures {
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;        /* of everything below */
    struct chunk *ring;            /* owned; CHUNKS of them: [taken, filled) wait, [.., taken) are done or under work */
    uint64_t filled, taken, done;
    bool stopping;
    bool has_fault;
    uint64_t fault_at;             /* the lowest number of a check that is false */
    struct signature_check fault;
    uint64_t asked;                /* numbers the checks; the reader's alone */
};

static bool holds(const struct signature_check *check, struct address *found, struct err *err)
{
    return secp_recover(&check->signature, check->digest, found, err) && address_eq(*found, check->signer);
}

bool signature_check_now(const struct signature_check *check, uint64_t sequence, struct err *err)
{
    const struct receipt named = { .job_id = check->job_id, .provider = check->provider };
    char name[RECEIPT_NAME], where[RECEIPT_NAME + 24];
    struct place at = { sequence, where };
    struct address found;
    struct err why = { 0 };

    if (holds(check, &found, &why))
        return true;
    receipt_name(&named, name);
    snprintf(where, sizeof where, "%s%s", name, check->by_consumer ? ", by the consumer" : "");
    return why.code != ERR_NONE ? differs(err, DIFFERS_SIGNATURE, at, "a signature", why.text)
                                : differs_address(err, DIFFERS_SIGNATURE, at, check->signer, found);
}

/* ---- the threads ---- */

static void work_on(struct signatures *s, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        struct address found;
        struct err err;

        if (holds(&chunk->list[i], &found, &err))
            continue;
        pthread_mutex_lock(&s->lock);
        if (!s->has_fault || chunk->first + i < s->fault_at) {
            s->has_fault = true;
            s->fault_at = chunk->first + i;
            s->fault = chunk->list[i];
        }
        pthread_mutex_unlock(&s->lock);
        return;                               /* a later one of this chunk would not be told */
    }
}

static void *worker(void *self)
{
    struct signatures *s = self;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct chunk *chunk;

        while (s->taken == s->filled && !s->stopping)
            pthread_cond_wait(&s->changed, &s->lock);
        if (s->stopping)
            break;
        chunk = mem_new(sizeof *chunk);
        *chunk = s->ring[s->taken++ % CHUNKS];     /* its place may be filled again */
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        work_on(s, chunk);
        free(chunk);
        pthread_mutex_lock(&s->lock);
        s->done++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void start_threads(struct signatures *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    s->ring = mem_array(CHUNKS, sizeof *s->ring);
    for (long i = 0; i < (cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : cores); i++)
        if (pthread_create(&s->threads[s->thread_count], NULL, worker, s) == 0)
            s->thread_count++;
    if (s->thread_count == 0)
        bug("no thread can be started");
}

struct signatures *signatures_new(void)
{
    struct signatures *s = mem_new(sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    return s;
}

void signatures_free(struct signatures *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->ring);
    free(s);
}

/* ---- the reader's side ---- */

/* The chunk being filled is nobody else's until it is handed over. */
static void hand_over(struct signatures *s)
{
    pthread_mutex_lock(&s->lock);
    s->filled++;
    pthread_cond_broadcast(&s->changed);
    while (s->filled - s->taken == CHUNKS)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    s->ring[s->filled % CHUNKS].count = 0;
}

void signatures_add(struct signatures *s, const struct signature_check *check)
{
    struct chunk *chunk;

    if (s->thread_count == 0)
        start_threads(s);
    chunk = &s->ring[s->filled % CHUNKS];
    if (chunk->count == 0)
        chunk->first = s->asked;
    chunk->list[chunk->count++] = *check;
    s->asked++;
    if (chunk->count == CHUNK)
        hand_over(s);
}

bool signatures_settle(struct signatures *s, uint64_t sequence, struct err *err)
{
    bool faulty;

    if (s->thread_count == 0)
        return true;
    if (s->ring[s->filled % CHUNKS].count > 0)
        hand_over(s);
    pthread_mutex_lock(&s->lock);
    while (s->done < s->filled)
        pthread_cond_wait(&s->changed, &s->lock);
    faulty = s->has_fault;
    s->has_fault = false;
    pthread_mutex_unlock(&s->lock);
    return !faulty || signature_check_now(&s->fault, sequence, err);
}
