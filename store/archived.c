#include "store/archived.h"

#include "store/driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/core/seal.h"

/* Where a connection finds archives, and what it read last: who asks for one receipt of a frame asks for the next. */
struct archives {
    char *dir;
    const uint8_t *secret;
    struct archive_file *file;                /* NULL: none is open */
    uint64_t sequence;
    struct hash digest;
    struct archive_frame *frame;              /* of it */
    bool has_frame;
};

void db_use_archives(struct db *db, const char *dir, const uint8_t secret[32])
{
    db_forget_archives(db);
    db->archives = mem_new(sizeof *db->archives);
    db->archives->dir = mem_text(dir);
    db->archives->secret = secret;
}

void db_forget_archives(struct db *db)
{
    if (db->archives == NULL)
        return;
    archive_file_close(db->archives->file);
    free(db->archives->frame);
    free(db->archives->dir);
    free(db->archives);
    db->archives = NULL;
}

/* -- one archive -- */

static bool use(struct db *db, uint64_t sequence, struct hash digest, struct archives **archives, struct err *err)
{
    struct archives *a = db->archives;

    if (a == NULL)
        return err_set(err, ERR_CONFIG, "receipts are in archives, and this connection knows of no [archive] dir");
    *archives = a;
    if (a->file != NULL && a->sequence == sequence && hash_eq(a->digest, digest))
        return true;
    archive_file_close(a->file);
    a->file = NULL;
    a->has_frame = false;
    a->sequence = sequence;
    a->digest = digest;
    if (archive_file_open(a->dir, sequence, digest, &a->file, err))
        return true;
    if (err->code == ERR_NOT_FOUND)           /* of the file, not of a receipt */
        err->code = ERR_AGAIN;
    return false;
}

static bool load(struct archives *a, uint64_t number, struct err *err)
{
    if (a->frame == NULL)
        a->frame = mem_new(sizeof *a->frame);
    if (a->has_frame && a->frame->number == number)
        return true;
    a->has_frame = archive_file_frame(a->file, number, seal_settlement_key(a->secret, a->sequence), a->frame, err);
    return a->has_frame;
}

static struct archive_key key_at(const struct archive_frame *frame, size_t place)
{
    const struct receipt *r = &frame->receipt[place].receipt.receipt;

    return archive_key(r->job_id, r->provider);
}

/* The first that is not below the key, its frame loaded; place past the end: none of that frame. */
static bool seek(struct archives *a, const struct archive_key *key, size_t *place, struct err *err)
{
    uint64_t number;

    if (!archive_file_seek(a->file, key, &number, err) || !load(a, number, err))
        return false;
    for (*place = 0; *place < a->frame->count; ++*place) {
        struct archive_key at = key_at(a->frame, *place);

        if (memcmp(at.b, key->b, ARCHIVE_KEY) >= 0)
            break;
    }
    return true;
}

static bool is_at(const struct archives *a, size_t place, const struct archive_key *key)
{
    struct archive_key at;

    if (place >= a->frame->count)
        return false;
    at = key_at(a->frame, place);
    return memcmp(at.b, key->b, ARCHIVE_KEY) == 0;
}

/* -- what the archive does not hold -- */

static bool find_bundle(struct db *db, const struct archive_receipt *r, struct receipt_row *row, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT bundle FROM archived_bundles WHERE root = ? AND provider = ?", &st, err))
        return false;
    stmt_bind_hash(&st, &r->bundle_root);
    stmt_bind_address(&st, &r->receipt.receipt.provider);
    if (!stmt_step(&st, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_STORE, "a bundle of an archived receipt is missing");
    row->bundle = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

/* A rebuilt store has none: the promise stays with whoever holds it. */
static bool find_promise(struct db *db, struct receipt_row *row, struct err *err)
{
    const void *leaves;
    struct stmt st;
    size_t len;
    bool any;

    if (!db_prepare(db, "SELECT id, leaves FROM promises WHERE accepted_at = ?", &st, err))
        return false;
    stmt_bind_u64(&st, row->accepted_at_ms);
    if (!stmt_step(&st, &any, err))
        return false;
    if (any) {
        uint64_t id = stmt_u64(&st);

        stmt_blob(&st, &leaves, &len);
        for (size_t i = 0; i + sizeof(struct hash) <= len; i += sizeof(struct hash))
            if (memcmp((const uint8_t *)leaves + i, row->hash.b, sizeof(struct hash)) == 0) {
                row->promise = id;
                row->promise_index = i / sizeof(struct hash);
                break;
            }
    }
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool fill(struct db *db, uint64_t batch, const struct archive_frame *frame, size_t place, struct receipt_row *row, struct err *err)
{
    const struct archive_receipt *r = &frame->receipt[place];

    *row = (struct receipt_row){
        .signed_ = r->receipt, .hash = frame->hash[place], .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED,
        .has_bundle = r->has_bundle, .bundle_index = r->bundle_index, .received_at_ms = r->accepted_at_ms,
        .accepted_at_ms = r->accepted_at_ms, .batch = batch, .price_version = r->price_version, .amount = r->amount,
    };
    return (!r->has_bundle || find_bundle(db, r, row, err)) && find_promise(db, row, err);
}

/* -- which archives -- */

struct place { uint64_t batch, sequence; struct hash digest; };
struct places { struct place *list; size_t count; };                       /* owned */

static void read_place(struct stmt *st, struct place *place)
{
    place->batch = stmt_u64(st);
    place->sequence = stmt_u64(st);
    place->digest = stmt_hash(st);
}

/* What comes in now is newer than all that left, and is asked about for each receipt: one look, until that changes. */
static bool is_newer_than_all(struct db *db, struct job_id first, bool *newer, struct err *err)
{
    struct stmt st;
    bool any;

    *newer = false;
    if (!db->began)
        return true;
    if (!db->newest_known) {
        if (!db_prepare(db, "SELECT last_job FROM archived_batches ORDER BY last_job DESC LIMIT 1", &st, err) || !stmt_step(&st, &any, err))
            return false;
        db->newest_archived = any ? stmt_job_id(&st) : (struct job_id){ { 0 } };
        stmt_end(&st);
        if (!stmt_ok(&st, err))
            return false;
        db->newest_known = true;
    }
    *newer = memcmp(first.b, db->newest_archived.b, sizeof first.b) > 0;
    return true;
}

static bool places_of(struct db *db, struct job_id first, struct job_id last, struct places *places, struct err *err)
{
    struct stmt st;
    bool any, ok, newer;

    *places = (struct places){ 0 };
    if (!is_newer_than_all(db, first, &newer, err))
        return false;
    if (newer)
        return true;
    if (!db_prepare(db, "SELECT batch, sequence, digest FROM archived_batches WHERE last_job >= ? AND first_job <= ?", &st, err))
        return false;
    stmt_bind_job_id(&st, &first);
    stmt_bind_job_id(&st, &last);
    while ((ok = stmt_step(&st, &any, err)) && any) {
        places->list = mem_grow(places->list, places->count + 1, sizeof *places->list);
        read_place(&st, &places->list[places->count++]);
    }
    if (ok && stmt_ok(&st, err))
        return true;
    free(places->list);
    return false;
}

bool archived_may_hold(struct db *db, struct job_id first, struct job_id last, bool *may, struct err *err)
{
    struct places places;

    if (!places_of(db, first, last, &places, err))
        return false;
    *may = places.count > 0;
    free(places.list);
    return true;
}

bool archived_find(struct db *db, struct job_id job, struct address provider, struct receipt_row *row, bool *found, struct err *err)
{
    const struct archive_key key = archive_key(job, provider);
    struct places places;
    bool ok = places_of(db, job, job, &places, err);

    if (!ok)
        return false;
    *found = false;
    for (size_t i = 0; ok && !*found && i < places.count; i++) {
        const struct place *place = &places.list[i];
        struct archives *a;
        size_t at;

        ok = use(db, place->sequence, place->digest, &a, err) && seek(a, &key, &at, err);
        *found = ok && is_at(a, at, &key);
        ok = ok && (!*found || fill(db, place->batch, a->frame, at, row, err));
    }
    free(places.list);
    return ok;
}

/* From a place on, through frames; one that ends the walk sets *more false. */
static bool walk(struct db *db, struct archives *a, uint64_t batch, size_t at, const struct job_id *only, receipt_fn *visit, void *self,
                 bool *more, struct err *err)
{
    struct receipt_row row;
    bool kept;

    for (;;) {
        for (; at < a->frame->count; at++) {
            const struct receipt *r = &a->frame->receipt[at].receipt.receipt;

            if (only != NULL && memcmp(r->job_id.b, only->b, sizeof only->b) != 0)
                return true;
            if (!store_receipt_find_kept(db, r->job_id, r->provider, &row, &kept, err)
                || (!kept && !fill(db, batch, a->frame, at, &row, err)))
                return false;
            if (kept && only != NULL)
                continue;
            if (!visit(self, &row, err)) {
                *more = false;
                return err->code == ERR_NONE;
            }
        }
        at = 0;
        if (a->frame->number + 1 == archive_file_frames(a->file))
            return true;
        if (!load(a, a->frame->number + 1, err))
            return false;
    }
}

bool archived_of_job(struct db *db, struct job_id job, receipt_fn *visit, void *self, struct err *err)
{
    const struct archive_key key = archive_key(job, (struct address){ { 0 } });
    struct places places;
    bool ok = places_of(db, job, job, &places, err), more = true;

    if (!ok)
        return false;
    err->code = ERR_NONE;
    for (size_t i = 0; ok && more && i < places.count; i++) {
        struct archives *a;
        size_t at;

        ok = use(db, places.list[i].sequence, places.list[i].digest, &a, err) && seek(a, &key, &at, err)
          && walk(db, a, places.list[i].batch, at, &job, visit, self, &more, err);
    }
    free(places.list);
    return ok;
}

bool archived_of_batch(struct db *db, uint64_t batch, receipt_fn *visit, void *self, bool *archived, struct err *err)
{
    struct archives *a;
    struct place place = { 0 };
    struct stmt st;
    bool any, more = true;

    if (!db_prepare(db, "SELECT batch, sequence, digest FROM archived_batches WHERE batch = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    if (!stmt_step(&st, &any, err))
        return false;
    if (any)
        read_place(&st, &place);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    *archived = any;
    err->code = ERR_NONE;
    return !any || (use(db, place.sequence, place.digest, &a, err) && load(a, 0, err)
                    && walk(db, a, batch, 0, NULL, visit, self, &more, err));
}

bool archived_prove(struct db *db, const struct settlement_row *settlement, struct job_id job, struct address provider,
                    uint64_t *index, struct proof *proof, bool *found, struct err *err)
{
    const struct archive_key key = archive_key(job, provider);
    struct archives *a;
    size_t at;

    if (!use(db, settlement->sequence, settlement->content.archive, &a, err) || !seek(a, &key, &at, err))
        return false;
    *found = is_at(a, at, &key);
    if (!*found)
        return true;
    *index = a->frame->number * ARCHIVE_FRAME + at;
    return archive_file_prove(a->file, a->frame, at, proof, err);
}
