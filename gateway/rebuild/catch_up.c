/* From where a restored backup ends to where the chain is (catch_up.h). */
#include "gateway/rebuild/parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/settle/behind.h"
#include "store/adjustments.h"

/* -- what the store holds -- */

struct bundle_list { struct kept_bundle *list; size_t count, capacity; };

static bool keep_bundle(void *self, const struct bundle_row *row, struct err *err)
{
    struct bundle_list *all = self;

    (void)err;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 64 : all->capacity * 2;
        all->list = mem_grow(all->list, all->capacity, sizeof *all->list);
    }
    all->list[all->count++] = (struct kept_bundle){ row->bundle.provider, row->bundle.root, row->id };
    return true;
}

static bool load_bundles(struct rebuilding *r, struct db *db, struct err *err)
{
    struct bundle_list all = { 0 };

    if (!store_bundles(db, keep_bundle, &all, err)) {
        free(all.list);
        return false;
    }
    if (all.count > 1)
        qsort(all.list, all.count, sizeof *all.list, kept_bundle_order);
    r->bundles = all.list;
    r->bundle_count = all.count;
    return true;
}

static bool load(struct rebuilding *r, struct db *db, struct err *err)
{
    struct settlement_row valid;
    bool found;

    return store_settlement_last_valid(db, &valid, &found, err)
        && (!found || (store_leaves_load(db, valid.sequence, &r->leaves, err) && store_debts_load(db, valid.sequence, &r->owed, err)))
        && load_bundles(r, db, err);
}

/* -- settlements that the store knows, but not what became of them -- */

static bool same_content(const struct settlement_content *c, const struct committed_event *e)
{
    return hash_eq(c->receipts_root, e->receipts_root) && hash_eq(c->rewards_root, e->rewards_root)
        && hash_eq(c->archive, e->archive) && amount_cmp(c->total, e->total) == 0 && c->receipts == e->receipts;
}

/* What was prepared here is what was committed; header and times as the chain has them, perhaps after a reorg. */
static bool note_commit(struct db *db, struct settlement_row *row, const struct chain_settlement *s, struct err *err)
{
    if (!same_content(&row->content, &s->event) || !hash_eq(row->parent, s->parent))
        return err_set(err, ERR_HALT, "what was committed as %" PRIu64 " is not what was prepared", row->sequence);
    row->header = s->event.header;
    row->committed_at_s = s->timestamp_s;
    row->active_at_s = s->event.active_at_s;
    row->commit_block = s->block;
    return store_settlement_committed(db, row, err)
        && (row->state != BATCH_PREPARED || store_batch_move(db, row->batch, BATCH_PREPARED, BATCH_COMMITTED, err));
}

static bool move_up(struct rebuilding *r, struct db *db, const struct chain_settlement *s, struct err *err)
{
    static const enum batch_state way[] = { BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL };
    enum batch_state end = rebuild_end_of(r, s), now;
    struct settlement_row row;
    bool found;

    if (!store_settlement_find(db, s->event.sequence, &row, &found, err))
        return false;
    if (!found || row.state == BATCH_CANCELLED)
        return true;                           /* somebody else's, or carried since */
    if ((row.state == BATCH_PREPARED || row.state == BATCH_COMMITTED) && !note_commit(db, &row, s, err))
        return false;
    now = row.state == BATCH_PREPARED ? BATCH_COMMITTED : row.state;
    if (end == BATCH_CANCELLED)
        return store_batch_move(db, row.batch, now, BATCH_CANCELLED, err);
    for (size_t i = 0; i + 1 < ARRAY_LEN(way) && way[i] < end; i++)
        if (way[i] >= now && !store_batch_move(db, row.batch, way[i], way[i + 1], err))
            return false;
    return true;
}

static bool move_all_up(void *self, struct group *group, struct err *err)
{
    struct rebuilding *r = self;

    for (size_t i = 0; i < r->known && i < r->view.count; i++)
        if (!move_up(r, group->db, &r->view.list[i], err))
            return false;
    return true;
}

/* -- both -- */

static bool say_missing(const struct rebuilding *r, const char *place, struct err *err)
{
    if (err->code != ERR_NOT_FOUND)
        return false;
    err->code = ERR_HALT;                      /* a person must bring it */
    err_prefix(err, "settlements %" PRIu64 " to %zu of the chain are missing here", r->known + 1, r->view.count);
    return place != NULL ? false : err_set(err, ERR_HALT, "%s: put it there, or name who published it:"
                                           " quittance store catch-up URL|DIR", err->text);
}

/* The chain is read where there is something to do: settlements are missing, or somebody was named who may have files. */
static bool look(struct rebuilding *r, struct db *db, const char *place, struct catch_up_report *report, struct err *err)
{
    struct behind behind;

    *report = (struct catch_up_report){ 0 };
    if (!behind_look(r->config, r->rpc, db, &behind, err))
        return false;
    r->known = behind.known;
    if (behind.is_behind)
        *report = (struct catch_up_report){ .from = behind.known + 1, .to = behind.used };
    return (place == NULL && !behind.is_behind) || (rebuild_open(r, place, err) && rebuild_read_chain(r, err));
}

static bool make_missing(struct rebuilding *r, struct db *db, const char *place, struct err *err)
{
    return writer_do(r->writer, move_all_up, r, err) && load(r, db, err)
        && (rebuild_each(r, err) || say_missing(r, place, err));
}

bool catch_up(const struct settle_config *config, struct writer *writer, struct db *db, struct rpc *rpc, const char *place,
              rebuild_tell_fn *tell, void *self, struct catch_up_report *report, struct err *err)
{
    struct rebuilding r = { .config = config, .rpc = rpc, .writer = writer, .tell = tell, .tell_self = self };
    bool ok = look(&r, db, place, report, err) && (report->from == 0 || make_missing(&r, db, place, err))
           && (place == NULL || rebuild_known_files(&r, db, err));

    rebuilding_clear(&r);
    return ok;
}

static bool fetch_missing(struct rebuilding *r, struct err *err)
{
    for (size_t i = (size_t)r->known; i < r->view.count; i++) {
        const struct chain_settlement *s = &r->view.list[i];

        /* One that was cancelled may be lost to everybody. */
        if (!rebuild_fetch(r, s, err) && !(s->cancelled && err->code == ERR_NOT_FOUND))
            return err_prefix(err, "settlement %" PRIu64, s->event.sequence);
    }
    return true;
}

bool catch_up_fetch(const struct settle_config *config, struct db *db, struct rpc *rpc, const char *place,
                    struct catch_up_report *report, struct err *err)
{
    struct rebuilding r = { .config = config, .rpc = rpc };
    bool ok = look(&r, db, place, report, err)
           && (place == NULL || (rebuild_known_files(&r, db, err) && (report->from == 0 || fetch_missing(&r, err))));

    rebuilding_clear(&r);
    return ok;
}
