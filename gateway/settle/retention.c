#include "gateway/settle/retention_parts.h"

#include <limits.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/core/seal.h"
#include "gateway/lib/file.h"
#include "gateway/settle/crash.h"
#include "store/archived.h"
#include "store/receipt_days.h"

#define LOOK_MS 60000u                        /* between looks for a batch that is due */
#define REFUSED_MS 3600000u                   /* until one whose archive is not right is looked at again */
#define FRAMES_AT_ONCE 16u                    /* a task: 1024 receipts, a few milliseconds */
#define RECEIPTS_AT_ONCE 4096u                /* whose pages go: a page has eight or tens of thousands */
#define BUNDLES_AT_ONCE 512u

enum stage { STAGE_NONE, STAGE_BEGIN, STAGE_BUNDLES, STAGE_FRAMES, STAGE_PAGES };

struct retention {
    struct retention_config config;
    struct db *db;
    struct writer *writer;
    const struct clock *clock;
    atomic_bool quit;
    uint64_t generation;                      /* of the lease when the batch was chosen */
    uint64_t next_look_ms, refused_until_ms;
    uint64_t after;                           /* batches up to here were refused lately */
    struct retention_days days;
    /* The batch that is under way. */
    enum stage stage;
    struct archived_batch batch;
    struct archive_file *file;
    struct archive_frame *frames;             /* FRAMES_AT_ONCE of them */
    uint64_t page;                            /* whose bundle was noted last */
    bool done;
};

struct retention *retention_new(const struct retention_config *config, struct db *db, struct writer *writer, const struct clock *clock)
{
    struct retention *r = mem_new(sizeof *r);

    r->config = *config;
    r->db = db;
    r->writer = writer;
    r->clock = clock;
    r->days = (struct retention_days){ .db = db, .writer = writer };
    r->frames = mem_array(FRAMES_AT_ONCE, sizeof *r->frames);
    return r;
}

void retention_free(struct retention *r)
{
    if (r == NULL)
        return;
    archive_file_close(r->file);
    free(r->frames);
    free(r);
}

void retention_quit(struct retention *r)
{
    atomic_store(&r->quit, true);
}

static void let_go(struct retention *r)
{
    archive_file_close(r->file);
    r->file = NULL;
    r->stage = STAGE_NONE;
}

/* -- a batch that is due -- */

static bool open_archive(struct retention *r, uint64_t sequence, struct hash digest, struct archive_file **file, struct err *err)
{
    if (archive_file_open(r->config.archive_dir, sequence, digest, file, err))
        return true;
    /* Written by an older version, or the index was lost. */
    return archive_repack(r->config.archive_dir, sequence, r->config.secret, digest, err)
        && archive_file_open(r->config.archive_dir, sequence, digest, file, err);
}

static bool inspect(struct retention *r, struct err *err)
{
    struct archive_key first, last;

    if (!open_archive(r, r->batch.sequence, r->batch.digest, &r->file, err) || !archive_file_check(r->file, &r->quit, err)
        || !archive_file_range(r->file, &first, &last, err))
        return false;
    memcpy(r->batch.first.b, first.b, sizeof r->batch.first.b);
    memcpy(r->batch.last.b, last.b, sizeof r->batch.last.b);
    r->batch.frames = archive_file_frames(r->file);
    return true;
}

/* It stays in the store as it is; the others go on. */
static void refuse(struct retention *r, const struct err *why)
{
    if (atomic_load(&r->quit))
        return;
    log_event(LOG_ERROR_LEVEL, "retention_refused", KV_U64("sequence", r->batch.sequence), KV_U64("batch", r->batch.batch),
              KV_TEXT("error", why->text));
    r->after = r->batch.batch;
    r->refused_until_ms = clock_now_ms(r->clock) + REFUSED_MS;
}

static bool choose(struct retention *r, bool *moved, struct err *err)
{
    uint64_t now_ms = clock_now_ms(r->clock);
    bool begun = false, found = false;
    struct err why = { 0 };

    if (now_ms < r->next_look_ms || r->config.keep_ms == 0 || now_ms <= r->config.keep_ms)
        return true;
    if (now_ms >= r->refused_until_ms)
        r->after = 0;
    r->generation = lease_generation(r->config.lease);
    if (!store_archived_next(r->db, r->after, now_ms - r->config.keep_ms, &r->batch, &begun, &found, err))
        return false;
    if (!found) {
        r->next_look_ms = now_ms + LOOK_MS;
        if (!retention_days_step(&r->days, &r->config, r->generation, now_ms, moved, err))
            return false;
        if (*moved)
            r->next_look_ms = now_ms;         /* pages of batches that waited for the day */
        return true;
    }
    *moved = true;
    if (!inspect(r, &why)) {
        let_go(r);
        refuse(r, &why);
        return true;
    }
    r->page = 0;
    r->stage = !begun ? STAGE_BEGIN : r->batch.moved == 0 ? STAGE_BUNDLES : r->batch.moved < r->batch.frames ? STAGE_FRAMES : STAGE_PAGES;
    return true;
}

/* -- its steps, each a task -- */

static bool begin(void *self, struct group *group, struct err *err)
{
    struct retention *r = self;

    return store_archived_begin(group->db, &r->batch, err);
}

static bool note_bundles(void *self, struct group *group, struct err *err)
{
    struct retention *r = self;

    return store_archived_note_bundles(group->db, r->batch.batch, &r->page, BUNDLES_AT_ONCE, err);
}

struct moving { const struct retention *retention; struct archive_frame *frames; size_t count; };

static bool move_frames(void *self, struct group *group, struct err *err)
{
    const struct moving *m = self;
    struct archived_batch batch = m->retention->batch;

    for (size_t i = 0; i < m->count; i++)
        if (!store_archived_move(group->db, &batch, &m->frames[i], err))
            return false;
    return true;
}

/* What is read and unpacked is so before the task: the writer only takes away. */
static bool move_some(struct retention *r, struct err *err)
{
    struct hash key = seal_settlement_key(r->config.secret, r->batch.sequence);
    struct moving m = { .retention = r, .frames = r->frames };
    bool ok = true;

    for (; ok && m.count < FRAMES_AT_ONCE && r->batch.moved + m.count < r->batch.frames; m.count += ok)
        ok = archive_file_frame(r->file, r->batch.moved + m.count, key, &m.frames[m.count], err);
    ok = ok && lease_do(r->config.lease, r->generation, r->writer, move_frames, &m, err);
    if (ok)
        r->batch.moved += m.count;
    return ok;
}

static bool drop_pages(void *self, struct group *group, struct err *err)
{
    struct retention *r = self;

    return store_archived_drop_pages(group->db, r->batch.batch, RECEIPTS_AT_ONCE, &r->done, err);
}

static bool advance(struct retention *r, struct err *err)
{
    switch (r->stage) {
    case STAGE_BEGIN:
        if (!lease_do(r->config.lease, r->generation, r->writer, begin, r, err))
            return false;
        settle_crash_point("retention_begun");
        r->stage = STAGE_BUNDLES;
        return true;
    case STAGE_BUNDLES:
        if (!lease_do(r->config.lease, r->generation, r->writer, note_bundles, r, err))
            return false;
        if (r->page == 0)
            r->stage = STAGE_FRAMES;
        return true;
    case STAGE_FRAMES:
        if (!move_some(r, err))
            return false;
        settle_crash_point("retention_moved");
        if (r->batch.moved < r->batch.frames)
            return true;
        if (db_has_days(r->db))
            let_go(r);                        /* its pages may have to wait for a day: chosen again when they need not */
        else
            r->stage = STAGE_PAGES;
        return true;
    case STAGE_PAGES:
        if (!lease_do(r->config.lease, r->generation, r->writer, drop_pages, r, err))
            return false;
        settle_crash_point("retention_dropped");
        if (r->done) {
            log_event(LOG_NOTICE_LEVEL, "receipts_archived", KV_U64("sequence", r->batch.sequence), KV_U64("batch", r->batch.batch));
            let_go(r);
        }
        return true;
    case STAGE_NONE:
        break;
    }
    bug("retention stage %d", (int)r->stage);
}

bool retention_step(struct retention *r, bool *moved, struct err *err)
{
    struct err why = { 0 };

    *moved = false;
    if (r->stage == STAGE_NONE)
        return choose(r, moved, err);
    if (advance(r, &why)) {
        *moved = true;
        return true;
    }
    /* Read anew what the store says before it goes on. */
    let_go(r);
    if (why.code == ERR_AGAIN || why.code == ERR_UNKNOWN) {
        *err = why;
        return false;
    }
    refuse(r, &why);
    *moved = true;
    return true;
}

/* -- indices -- */

struct wanted { uint64_t *list; struct hash *digest; size_t count; const struct retention *retention; };

static bool want_index(void *self, const struct settlement_row *s, struct err *err)
{
    struct wanted *w = self;
    char index[ARCHIVE_PATH], plain[ARCHIVE_PATH];

    (void)err;
    archive_path(w->retention->config.archive_dir, s->sequence, ARCHIVE_INDEX, index, sizeof index);
    archive_path(w->retention->config.archive_dir, s->sequence, ARCHIVE_PLAIN, plain, sizeof plain);
    if (s->state == BATCH_CANCELLED || file_exists(index) || !file_exists(plain))
        return true;
    w->list = mem_grow(w->list, w->count + 1, sizeof *w->list);
    w->digest = mem_grow(w->digest, w->count + 1, sizeof *w->digest);
    w->list[w->count] = s->sequence;
    w->digest[w->count++] = s->content.archive;
    return true;
}

bool retention_index_all(struct retention *r, struct err *err)
{
    struct wanted w = { .retention = r };
    bool ok = store_settlements(r->db, 0, UINT_MAX, want_index, &w, err);

    for (size_t i = 0; ok && i < w.count && !atomic_load(&r->quit); i++) {
        struct err why = { 0 };

        if (!archive_repack(r->config.archive_dir, w.list[i], r->config.secret, w.digest[i], &why))
            log_event(LOG_ERROR_LEVEL, "archive_not_indexed", KV_U64("sequence", w.list[i]), KV_TEXT("error", why.text));
    }
    free(w.list);
    free(w.digest);
    return ok;
}
