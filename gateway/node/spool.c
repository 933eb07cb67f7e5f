#include "gateway/node/spool.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/node/spool_dir.h"

#define SEGMENT_BYTES_MAX (4 * MIB)
#define SEGMENTS_A_SPOOL 8                  /* at least, so that what is done with gives room back */

struct spool {
    char *dir;                              /* owned; NULL: in memory */
    int lock_fd;
    uint64_t max_bytes, segment_bytes, next_number;
    struct segment_faults faults;
    struct buf unsynced;                    /* of the adding thread alone */
    struct segment *tail;                   /* likewise; NULL: the next sync begins one */
    pthread_mutex_t lock;                   /* of what follows, and of all segments' states */
    struct segment *first, *last;
    uint64_t bytes, waiting, left;
};

/* ---- opening ---- */

static void append(struct spool *s, struct segment *segment)
{
    if (s->last == NULL)
        s->first = segment;
    else
        s->last->following = segment;
    s->last = segment;
    s->bytes += segment_bytes(segment);
}

static bool load(struct spool *s, struct err *err)
{
    struct spool_numbers n = { 0 };
    bool ok = spool_dir_list(s->dir, ".spool", &n, err);

    for (size_t i = 0; ok && i < n.count; i++) {
        struct segment *segment;

        ok = segment_load(s->dir, n.list[i], i + 1 == n.count, &segment, &s->faults, err);
        if (!ok)
            break;
        s->next_number = segment->number + 1;
        if (segment->released == segment->count) {
            ok = segment_remove_files(segment, s->dir, err);
            segment_free(segment);
            continue;
        }
        append(s, segment);
        s->waiting += segment->waiting;
        s->left += segment->waiting;
    }
    free(n.list);
    return ok;
}

/* A crash between the two files of a finished segment leaves the second: it must not speak for a new one of that number. */
static bool remove_orphans(struct spool *s, struct err *err)
{
    struct spool_numbers n = { 0 };
    bool ok = spool_dir_list(s->dir, ".released", &n, err);

    for (size_t i = 0; ok && i < n.count; i++) {
        const struct segment orphan = { .number = n.list[i] };
        const struct segment *at = s->first;

        while (at != NULL && at->number != orphan.number)
            at = at->following;
        ok = at != NULL || segment_remove_files(&orphan, s->dir, err);
    }
    free(n.list);
    return ok;
}

bool spool_open(const char *dir, uint64_t max_bytes, struct spool **spool, struct err *err)
{
    struct spool *s = mem_new(sizeof *s);

    s->lock_fd = -1;
    s->max_bytes = max_bytes < SPOOL_BYTES_MIN ? SPOOL_BYTES_MIN : max_bytes;
    s->segment_bytes = s->max_bytes / SEGMENTS_A_SPOOL < SEGMENT_BYTES_MAX ? s->max_bytes / SEGMENTS_A_SPOOL : SEGMENT_BYTES_MAX;
    s->dir = dir != NULL ? mem_text(dir) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    buf_init_max(&s->unsynced, s->max_bytes);
    if (dir != NULL && !(spool_dir_open(dir, &s->lock_fd, err) && load(s, err) && remove_orphans(s, err))) {
        spool_free(s);
        return false;
    }
    *spool = s;
    return true;
}

/* Takes the segment out of the list, its files too; lock held. */
static bool drop(struct spool *s, struct segment *segment, struct err *err)
{
    struct segment *before = NULL;

    for (struct segment *at = s->first; at != segment; at = at->following)
        before = at;
    if (before == NULL)
        s->first = segment->following;
    else
        before->following = segment->following;
    if (s->last == segment)
        s->last = before;
    s->bytes -= segment_bytes(segment);
    bool ok = segment_remove_files(segment, s->dir, err);
    segment_free(segment);
    return ok;
}

void spool_free(struct spool *spool)
{
    struct err err;

    if (spool == NULL)
        return;
    /* Else the next spool_open does it. */
    if (spool->tail != NULL && spool->tail->released == spool->tail->count)
        (void)!drop(spool, spool->tail, &err);
    while (spool->first != NULL) {
        struct segment *segment = spool->first;

        spool->first = segment->following;
        segment_free(segment);
    }
    if (spool->lock_fd >= 0)
        close(spool->lock_fd);
    buf_clear(&spool->unsynced);
    pthread_mutex_destroy(&spool->lock);
    free(spool->dir);
    free(spool);
}

const struct segment_faults *spool_faults(const struct spool *spool)
{
    return &spool->faults;
}

/* ---- what comes in ---- */

bool spool_full(struct spool *spool)
{
    return spool_bytes(spool) + spool->unsynced.len + SEGMENT_MAGIC_BYTES + SEGMENT_RECORD > spool->max_bytes;
}

void spool_add(struct spool *spool, const struct signed_receipt *receipt)
{
    uint8_t *record = buf_extend(&spool->unsynced, SEGMENT_RECORD);

    if (record == NULL)
        bug("more was added to a spool than it has room for");
    segment_encode(receipt, record);
}

size_t spool_unsynced(const struct spool *spool)
{
    return spool->unsynced.len / SEGMENT_RECORD;
}

static bool begin_tail(struct spool *s, struct err *err)
{
    if (!segment_new(s->dir, s->next_number, &s->tail, err))
        return false;
    s->next_number++;
    pthread_mutex_lock(&s->lock);
    append(s, s->tail);
    pthread_mutex_unlock(&s->lock);
    return true;
}

static bool drop_if_done(struct spool *s, struct segment *segment, struct err *err)
{
    return !segment->sealed || segment->released < segment->count || drop(s, segment, err);
}

bool spool_sync(struct spool *spool, struct err *err)
{
    size_t more = spool_unsynced(spool);
    struct segment *tail;
    bool ok;

    if (more == 0)
        return true;
    if (spool->tail == NULL && !begin_tail(spool, err))
        return false;
    tail = spool->tail;
    /* Outside of the lock: senders go on meanwhile.  Nobody sees these records before they are durable. */
    if (!segment_write(tail, spool->dir, &spool->unsynced, err))
        return false;
    pthread_mutex_lock(&spool->lock);
    segment_admit(tail, spool->dir, &spool->unsynced);
    spool->bytes += spool->unsynced.len;
    spool->waiting += more;
    spool->left += more;
    tail->sealed = segment_bytes(tail) >= spool->segment_bytes;
    if (tail->sealed)
        spool->tail = NULL;
    ok = drop_if_done(spool, tail, err);
    pthread_mutex_unlock(&spool->lock);
    buf_reset(&spool->unsynced);
    return ok;
}

/* ---- what goes out ---- */

static uint64_t locked_read(struct spool *s, const uint64_t *value)
{
    uint64_t v;

    pthread_mutex_lock(&s->lock);
    v = *value;
    pthread_mutex_unlock(&s->lock);
    return v;
}

uint64_t spool_waiting(struct spool *spool)
{
    return locked_read(spool, &spool->waiting);
}

uint64_t spool_left(struct spool *spool)
{
    return locked_read(spool, &spool->left);
}

uint64_t spool_bytes(struct spool *spool)
{
    return locked_read(spool, &spool->bytes);
}

static bool read_items(const struct spool *s, struct segment *segment, size_t index, size_t count, struct spool_item *items, struct err *err)
{
    uint8_t *records = mem_array(count, SEGMENT_RECORD);
    bool ok = segment_read(segment, s->dir, index, count, records, err);

    for (size_t i = 0; ok && i < count; i++) {
        items[i].place = (struct spool_place){ segment, (uint32_t)(index + i) };
        ok = segment_decode(records + i * SEGMENT_RECORD, &items[i].receipt)
          || err_set(err, ERR_IO, "receipt %zu of segment %" PRIu64 " of the spool is damaged", index + i, segment->number);
    }
    free(records);
    return ok;
}

/* The next run of waiting records that lie side by side; 0: the segment has none. */
static size_t next_run(struct segment *segment, size_t max)
{
    size_t count = 0;

    while (segment->next < segment->count && segment->state[segment->next] != RECORD_WAITING)
        segment->next++;
    while (count < max && segment->next + count < segment->count && segment->state[segment->next + count] == RECORD_WAITING)
        count++;
    return count;
}

bool spool_take(struct spool *spool, struct spool_item *items, size_t max, size_t *count, struct err *err)
{
    size_t taken = 0;
    bool ok = true;

    pthread_mutex_lock(&spool->lock);
    for (struct segment *s = spool->first; ok && s != NULL && taken < max; s = s->following) {
        size_t run;

        while (ok && s->waiting > 0 && taken < max && (run = next_run(s, max - taken)) > 0) {
            ok = read_items(spool, s, s->next, run, items + taken, err);
            if (!ok)
                break;
            memset(s->state + s->next, RECORD_TAKEN, run);
            s->next += run;
            s->waiting -= run;
            spool->waiting -= run;
            taken += run;
        }
    }
    pthread_mutex_unlock(&spool->lock);
    if (ok)
        *count = taken;
    return ok;
}

/* How many of the items from the first on lie in its segment. */
static size_t same_segment(const struct spool_item *items, size_t count)
{
    size_t n = 1;

    while (n < count && items[n].place.segment == items[0].place.segment)
        n++;
    return n;
}

static bool release_run(struct spool *s, const struct spool_item *items, size_t count, struct err *err)
{
    struct segment *segment = items[0].place.segment;
    uint32_t *indices = mem_array(count, sizeof *indices);
    bool ok;

    for (size_t i = 0; i < count; i++)
        indices[i] = items[i].place.index;
    ok = segment_release(segment, s->dir, indices, count, err);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; ok && i < count; i++) {
        segment->kept -= segment->state[indices[i]] == RECORD_KEPT;
        segment->state[indices[i]] = RECORD_RELEASED;
        segment->released++;
        s->left--;
    }
    ok = ok && drop_if_done(s, segment, err);
    pthread_mutex_unlock(&s->lock);
    free(indices);
    return ok;
}

bool spool_release(struct spool *spool, const struct spool_item *items, size_t count, struct err *err)
{
    bool ok = true;

    for (size_t i = 0, run; ok && i < count; i += run) {
        run = same_segment(items + i, count - i);
        ok = release_run(spool, items + i, run, err);
    }
    return ok;
}

void spool_keep(struct spool *spool, const struct spool_item *items, size_t count)
{
    pthread_mutex_lock(&spool->lock);
    for (size_t i = 0; i < count; i++) {
        struct segment *segment = items[i].place.segment;

        segment->state[items[i].place.index] = RECORD_KEPT;
        segment->kept++;
    }
    pthread_mutex_unlock(&spool->lock);
}

void spool_again(struct spool *spool, const struct spool_item *item)
{
    struct segment *segment = item->place.segment;

    pthread_mutex_lock(&spool->lock);
    segment->state[item->place.index] = RECORD_WAITING;
    segment->kept--;
    segment->waiting++;
    spool->waiting++;
    if (item->place.index < segment->next)
        segment->next = item->place.index;
    pthread_mutex_unlock(&spool->lock);
}

static bool find_kept(struct spool *s, const struct spool_cursor *from, struct segment **segment, size_t *index)
{
    for (struct segment *at = s->first; at != NULL; at = at->following) {
        if (at->number < from->number || at->kept == 0)
            continue;
        for (size_t i = at->number == from->number ? from->index : 0; i < at->count; i++) {
            if (at->state[i] != RECORD_KEPT)
                continue;
            *segment = at;
            *index = i;
            return true;
        }
    }
    return false;
}

bool spool_next_kept(struct spool *spool, struct spool_cursor *from, struct spool_item *item, bool *found, struct err *err)
{
    struct spool_cursor begin = { 0 };
    struct segment *segment = NULL;
    size_t index = 0;
    bool ok = true;

    pthread_mutex_lock(&spool->lock);
    *found = find_kept(spool, from, &segment, &index) || find_kept(spool, &begin, &segment, &index);
    if (*found) {
        *from = (struct spool_cursor){ segment->number, index + 1 };
        ok = read_items(spool, segment, index, 1, item, err);
    }
    pthread_mutex_unlock(&spool->lock);
    return ok;
}
