/* Receipts leave the store for an archive: in steps, each done once whatever crashes. */
#include "store/archived.h"

#include "store/driver.h"

#include <inttypes.h>

#define PAGES_MOST 512u                       /* a turn: of many small ones each costs about the same */

_Static_assert(RECEIPT_ACCEPTED == 1 && BATCH_FINAL == 7, "states are written out in the SQL");

/* Receipts go with their day (receipt_days.h) if it began before their batch was closed: a job that claims to be of a day to come does
 * not keep the pages of its batch until that ends. */
#define BEGAN_BEFORE(batch) "d.day * 86400000 <= (SELECT b.closed_at FROM batches b WHERE b.number = " batch ")"

static bool read_batch(struct stmt *st, struct archived_batch *batch, bool *found, struct err *err)
{
    struct archived_batch got = { 0 };

    if (!stmt_step(st, found, err))
        return false;
    if (*found) {
        got.batch = stmt_u64(st);
        got.sequence = stmt_u64(st);
        got.digest = stmt_hash(st);
        got.frames = stmt_u64(st);
        got.moved = stmt_u64(st);
        *batch = got;
    }
    stmt_end(st);
    return stmt_ok(st, err);
}

bool store_archived_next(struct db *db, uint64_t after, uint64_t closed_before_ms, struct archived_batch *batch, bool *begun,
                         bool *found, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT batch, sequence, digest, frames, moved FROM archived_batches WHERE done = 0 AND batch > ? AND (moved < frames"
                        " OR NOT EXISTS (SELECT 1 FROM receipt_days d WHERE d.ends > first_job AND d.begins <= last_job AND "
                        BEGAN_BEFORE("archived_batches.batch") ")) ORDER BY batch LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, after);
    if (!read_batch(&st, batch, begun, err))
        return false;
    *found = *begun;
    if (*begun)
        return true;
    if (!db_prepare(db, "SELECT b.number, s.sequence, s.archive, 0, 0 FROM batches b JOIN settlements s ON s.sequence = b.sequence"
                        " WHERE b.number > ? AND b.state = 7 AND b.receipts > 0 AND b.closed_at < ?"
                        " AND NOT EXISTS (SELECT 1 FROM archived_batches a WHERE a.batch = b.number) ORDER BY b.number LIMIT 1", &st, err))
        return false;
    stmt_bind_u64(&st, after);
    stmt_bind_u64(&st, closed_before_ms);
    return read_batch(&st, batch, found, err);
}

bool store_archived_begin(struct db *db, const struct archived_batch *batch, struct err *err)
{
    struct stmt st;

    db->newest_known = false;
    if (!db_prepare(db, "INSERT INTO archived_batches (batch, sequence, digest, first_job, last_job, frames, moved, done)"
                        " VALUES (?, ?, ?, ?, ?, ?, 0, 0)", &st, err))
        return false;
    stmt_bind_u64(&st, batch->batch);
    stmt_bind_u64(&st, batch->sequence);
    stmt_bind_hash(&st, &batch->digest);
    stmt_bind_job_id(&st, &batch->first);
    stmt_bind_job_id(&st, &batch->last);
    stmt_bind_u64(&st, batch->frames);
    return stmt_exec_one(&st, err);
}

bool store_archived_note_bundles(struct db *db, uint64_t batch, uint64_t *page, unsigned count, struct err *err)
{
    uint64_t last;
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT MAX(id) FROM (SELECT id FROM receipt_pages WHERE batch = ? AND id > ? ORDER BY id LIMIT ?) AS step", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, *page);
    stmt_bind_u64(&st, count);
    if (!stmt_step(&st, &any, err))
        return false;
    last = stmt_u64(&st);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (last != 0) {
        if (!db_prepare(db, "INSERT INTO archived_bundles (root, provider, bundle) SELECT b.root, b.provider, b.id FROM receipt_pages p"
                            " JOIN bundles b ON b.id = p.bundle WHERE p.batch = ? AND p.id > ? AND p.id <= ?"
                            " ON CONFLICT (root, provider) DO NOTHING", &st, err))
            return false;
        stmt_bind_u64(&st, batch);
        stmt_bind_u64(&st, *page);
        stmt_bind_u64(&st, last);
        if (!stmt_exec(&st, NULL, err))
            return false;
    }
    *page = last;
    return true;
}

static void bind_range(struct stmt *st, const struct archive_frame *frame)
{
    const struct receipt *first = &frame->receipt[0].receipt.receipt, *last = &frame->receipt[frame->count - 1].receipt.receipt;

    stmt_bind_job_id(st, &first->job_id);
    stmt_bind_job_id(st, &last->job_id);
    stmt_bind_job_id(st, &first->job_id);
    stmt_bind_address(st, &first->provider);
    stmt_bind_job_id(st, &last->job_id);
    stmt_bind_address(st, &last->provider);
}

/* The first two: by them PostgreSQL finds the partition. */
#define IN_RANGE "receipts.job_id BETWEEN ? AND ?" \
    " AND (receipts.job_id, receipts.provider) >= (?, ?) AND (receipts.job_id, receipts.provider) <= (?, ?)"

#define OF_BATCH "(batch = ? OR EXISTS (SELECT 1 FROM receipt_pages p WHERE p.id = receipts.page AND p.batch = ?))"

static bool note_bundles_of_rows(struct db *db, uint64_t batch, const struct archive_frame *frame, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO archived_bundles (root, provider, bundle) SELECT b.root, b.provider, b.id FROM receipts"
                        " JOIN bundles b ON b.id = receipts.bundle WHERE " IN_RANGE " AND receipts.batch = ?"
                        " ON CONFLICT (root, provider) DO NOTHING", &st, err))
        return false;
    bind_range(&st, frame);
    stmt_bind_u64(&st, batch);
    return stmt_exec(&st, NULL, err);
}

static bool remove_rows(struct db *db, uint64_t batch, const struct archive_frame *frame, uint64_t *removed, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "DELETE FROM receipts WHERE " IN_RANGE " AND state = 1 AND reason IS NULL AND " OF_BATCH
                        " AND NOT EXISTS (SELECT 1 FROM receipt_days d WHERE d.begins <= receipts.job_id AND receipts.job_id < d.ends AND "
                        BEGAN_BEFORE("?") ")", &st, err))
        return false;
    bind_range(&st, frame);
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, batch);
    return stmt_exec(&st, removed, err);
}

/* Those with an operator's reason, which no archive holds, and those that go with their day. */
static bool count_kept(struct db *db, uint64_t batch, const struct archive_frame *frame, uint64_t *kept, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT COUNT(*) FROM receipts WHERE " IN_RANGE " AND " OF_BATCH, &st, err))
        return false;
    bind_range(&st, frame);
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, batch);
    if (!stmt_step(&st, &any, err))
        return false;
    *kept = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

bool store_archived_move(struct db *db, struct archived_batch *batch, const struct archive_frame *frame, struct err *err)
{
    uint64_t removed = 0, kept = 0;
    struct stmt st;

    if (!note_bundles_of_rows(db, batch->batch, frame, err) || !remove_rows(db, batch->batch, frame, &removed, err)
        || !count_kept(db, batch->batch, frame, &kept, err))
        return false;
    if (removed + kept != frame->count)
        return err_set(err, ERR_HALT, "frame %" PRIu64 " of archive %" PRIu64 " has %zu receipts, the store %" PRIu64 " of them: nothing is"
                       " taken away", frame->number, batch->sequence, frame->count, removed + kept);
    if (!db_prepare(db, "UPDATE archived_batches SET moved = ? WHERE batch = ? AND moved = ?", &st, err))
        return false;
    stmt_bind_u64(&st, batch->moved + 1);
    stmt_bind_u64(&st, batch->batch);
    stmt_bind_u64(&st, batch->moved);
    if (!stmt_exec_one(&st, err))
        return false;
    batch->moved++;
    return true;
}

/* The last of the pages that go next; 0: none is left. */
static bool last_to_drop(struct db *db, uint64_t batch, uint64_t receipts, uint64_t *last, struct err *err)
{
    struct stmt st;
    bool any;

    if (!db_prepare(db, "SELECT MAX(id) FROM (SELECT id, count, SUM(count) OVER (ORDER BY id) AS total FROM"
                        " (SELECT id, count FROM receipt_pages WHERE batch = ? ORDER BY id LIMIT ?) AS next) AS summed"
                        " WHERE total <= ? OR total = count", &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    stmt_bind_u64(&st, PAGES_MOST);
    stmt_bind_u64(&st, receipts);
    if (!stmt_step(&st, &any, err))
        return false;
    *last = stmt_u64(&st);
    stmt_end(&st);
    return stmt_ok(&st, err);
}

static bool run(struct db *db, const char *literal_sql, uint64_t batch, uint64_t last, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, literal_sql, &st, err))
        return false;
    stmt_bind_u64(&st, batch);
    if (last != 0)
        stmt_bind_u64(&st, last);
    return stmt_exec(&st, NULL, err);
}

bool store_archived_drop_pages(struct db *db, uint64_t batch, uint64_t receipts, bool *done, struct err *err)
{
    uint64_t last;

    if (!last_to_drop(db, batch, receipts, &last, err))
        return false;
    *done = last == 0;
    if (*done)
        return run(db, "UPDATE archived_batches SET done = 1 WHERE batch = ?", batch, 0, err);
    return run(db, "DELETE FROM receipt_frames WHERE page IN (SELECT id FROM receipt_pages WHERE batch = ? AND id <= ?)", batch, last, err)
        && run(db, "DELETE FROM receipt_pages WHERE batch = ? AND id <= ?", batch, last, err);
}
