#include "gateway/lib/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/lib/file.h"

#define CALL_MAX ((size_t)256 * 1024)        /* bytes a call: a kernel that does not preempt itself gives its core to nobody within one */

/* A sorted part of the file, and what of it is in memory. */
struct run {
    off_t begin, at, end;                     /* from at on not read yet */
    uint8_t *buffer;                          /* owned */
    size_t next, count;                       /* records of the buffer */
};

struct sorter {
    size_t record, key;
    size_t capacity, count;                   /* records in memory */
    uint8_t *list;                            /* capacity of them, while adding; while merging none */
    bool sorted;
    size_t given;                             /* since the start, or since it was gone back to */
    int file;                                 /* -1: all fits in memory */
    off_t written, begun;                     /* bytes; of those, on their way to the disk */
    struct run *runs;
    size_t run_count;
    size_t per_run;                           /* records a buffer */
    size_t *heap, heap_count;                 /* runs by their next record, smallest first */
};

struct sorter *sorter_new(size_t record, size_t key, size_t memory)
{
    struct sorter *s = mem_new(sizeof *s);

    s->record = record;
    s->key = key;
    s->capacity = memory / record > 0 ? memory / record : 1;
    s->file = -1;
    return s;
}

void sorter_free(struct sorter *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->run_count; i++)
        free(s->runs[i].buffer);
    free(s->runs);
    free(s->heap);
    free(s->list);
    if (s->file >= 0)
        close(s->file);
    free(s);
}

static int by_key(const void *a, const void *b, void *self)
{
    return memcmp(a, b, ((const struct sorter *)self)->key);
}

static bool open_file(struct sorter *s, struct err *err)
{
    const char *dir = getenv("TMPDIR");

    if (dir == NULL || dir[0] == '\0')
        dir = "/var/tmp";
    s->file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return s->file >= 0 || err_set(err, ERR_IO, "a temporary file in %s (TMPDIR names another folder): %s", dir, strerror(errno));
}

static bool write_all(struct sorter *s, const uint8_t *bytes, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t done = pwrite(s->file, bytes, len < CALL_MAX ? len : CALL_MAX, s->written);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set(err, ERR_IO, "a temporary file: %s", strerror(errno));
        s->written += done;
        bytes += done;
        len -= (size_t)done;
        if (s->written - s->begun >= (off_t)FILE_STEP) {
            file_send_step(s->file, (uint64_t)s->begun, (uint64_t)s->written);
            s->begun = s->written;
        }
    }
    return true;
}

/* What is in memory becomes one more run of the file. */
static bool spill(struct sorter *s, struct err *err)
{
    off_t at = s->written;

    if (s->file < 0 && !open_file(s, err))
        return false;
    qsort_r(s->list, s->count, s->record, by_key, s);
    if (!write_all(s, s->list, s->count * s->record, err))
        return false;
    s->runs = mem_grow(s->runs, s->run_count + 1, sizeof *s->runs);
    s->runs[s->run_count++] = (struct run){ .begin = at, .end = s->written };
    s->count = 0;
    return true;
}

bool sorter_add(struct sorter *s, const void *record, struct err *err)
{
    if (s->list == NULL)
        s->list = mem_array(s->capacity, s->record);
    if (s->count == s->capacity && !spill(s, err))
        return false;
    memcpy(s->list + s->count++ * s->record, record, s->record);
    return true;
}

static const uint8_t *head(const struct sorter *s, size_t run)
{
    return s->runs[run].buffer + s->runs[run].next * s->record;
}

/* The run's buffer has a next record afterwards, unless the run is over. */
static bool fill(struct sorter *s, struct run *r, struct err *err)
{
    size_t len = s->per_run * s->record, got = 0;

    if ((off_t)len > r->end - r->at)
        len = (size_t)(r->end - r->at);
    while (got < len) {
        ssize_t part = pread(s->file, r->buffer + got, len - got < CALL_MAX ? len - got : CALL_MAX, r->at);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return err_set(err, ERR_IO, "a temporary file: %s", part < 0 ? strerror(errno) : "it ends early");
        got += (size_t)part;
        r->at += part;
    }
    r->next = 0;
    r->count = len / s->record;
    return true;
}

static void sift_down(struct sorter *s, size_t at)
{
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_count; child++)
            if (memcmp(head(s, s->heap[child]), head(s, s->heap[least]), s->key) < 0)
                least = child;
        if (least == at)
            return;
        size_t moved = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = moved;
        at = least;
    }
}

/* The memory of the records goes to the buffers of the runs. */
static void begin_merge(struct sorter *s)
{
    free(s->list);
    s->list = NULL;
    s->per_run = s->capacity / s->run_count > 0 ? s->capacity / s->run_count : 1;
    s->heap = mem_array(s->run_count, sizeof *s->heap);
    for (size_t i = 0; i < s->run_count; i++)
        s->runs[i].buffer = mem_array(s->per_run, s->record);
}

static bool rewind_runs(struct sorter *s, struct err *err)
{
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].at = s->runs[i].begin;
        if (!fill(s, &s->runs[i], err))
            return false;
        s->heap[i] = i;
    }
    s->heap_count = s->run_count;
    for (size_t i = s->heap_count; i-- > 0;)
        sift_down(s, i);
    return true;
}

bool sorter_finish(struct sorter *s, struct err *err)
{
    s->given = 0;
    if (s->run_count == 0) {
        if (!s->sorted && s->count > 0)
            qsort_r(s->list, s->count, s->record, by_key, s);
        s->sorted = true;
        return true;
    }
    if (!s->sorted) {
        if (s->count > 0 && !spill(s, err))
            return false;
        begin_merge(s);
    }
    s->sorted = true;
    return rewind_runs(s, err);
}

/* The record given last was the head of the first run: on to the one after it. */
static bool advance(struct sorter *s, struct err *err)
{
    struct run *r = &s->runs[s->heap[0]];

    if (++r->next == r->count) {
        if (r->at < r->end) {
            if (!fill(s, r, err))
                return false;
        } else {
            s->heap[0] = s->heap[--s->heap_count];
        }
    }
    sift_down(s, 0);
    return true;
}

bool sorter_next(struct sorter *s, const void **record, struct err *err)
{
    *record = NULL;
    if (s->run_count == 0) {
        if (s->given < s->count)
            *record = s->list + s->given++ * s->record;
        return true;
    }
    if (s->given++ > 0 && s->heap_count > 0 && !advance(s, err))
        return false;
    if (s->heap_count > 0)
        *record = head(s, s->heap[0]);
    return true;
}
