/* The second walk: which batch the settlement becomes, its receipts, then the settlement itself, all in one writer task. */
#include "gateway/rebuild/parts.h"

#include <limits.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/rebuild/rows.h"
#include "gateway/settle/rewards.h"
#include "store/adjustments.h"
#include "store/catalog.h"

static struct place place(const struct filling *f, const char *where)
{
    return (struct place){ f->s->event.sequence, where };
}

/* -- the batch -- */

struct search { uint64_t batch, sequence; };

static bool is_of_batch(void *self, const struct settlement_row *row, struct err *err)
{
    struct search *s = self;

    (void)err;
    if (row->batch == s->batch)
        s->sequence = row->sequence;
    return s->sequence == 0;                  /* newest first */
}

/* The receipts of a cancelled settlement come again under another sequence, and stay in their batch. */
static bool carry(struct filling *f, uint64_t batch, struct err *err)
{
    struct search search = { .batch = batch };

    return store_settlements(f->db, 0, UINT_MAX, is_of_batch, &search, err) && store_batch_carry(f->db, search.sequence, err);
}

/* A batch that the store closed before, or that was cancelled, and that holds the receipts of this settlement, neither more
 * nor less; *found false: none. */
static bool find_closed(struct filling *f, bool *found, struct err *err)
{
    struct receipt_row row;
    struct batch_row batch;
    struct hash root;
    bool any;

    *found = false;
    if (f->g == NULL || !f->g->has_receipt)
        return true;
    if (!store_receipt_find(f->db, f->g->first_job, f->g->first_provider, &row, &any, err))
        return false;
    if (!any || row.state != RECEIPT_ACCEPTED)
        return true;
    if (!store_batch_find(f->db, row.batch, &batch, &any, err))
        return false;
    if (!any || (batch.state != BATCH_CLOSED && batch.state != BATCH_CANCELLED))
        return true;
    if (!receipts_root(f, row.batch, &root, err))
        return false;
    if (!hash_eq(root, f->s->event.receipts_root))
        return true;
    f->batch = batch.number;
    f->held = batch.receipts;
    *found = true;
    f->carried = batch.state == BATCH_CANCELLED;
    return !f->carried || carry(f, row.batch, err);
}

/* The open batch becomes the settlement's; where the archive is lost, all that it holds goes on into the next.  That one's
 * protocol account is fixed with its first receipt, here or by the service. */
static bool close_open(struct filling *f, struct err *err)
{
    struct batch_row open;

    if (!store_batch_open(f->db, &open, err) || !store_batch_close(f->db, f->s->timestamp_s * 1000, open.protocol_account, err))
        return false;
    f->batch = open.number;
    f->held = open.receipts;
    if (f->g != NULL)
        return true;
    receipts_moved(f, open.number);           /* nothing is left in it */
    receipts_moved(f, open.number + 1);
    return store_receipts_rebatch(f->db, open.number, open.number + 1, err)
        && corrections_move_on(f, open.number, open.number + 1, err);
}

static bool fill_batch(struct filling *f, struct err *err)
{
    uint64_t settings;
    bool found;

    if (!(f->g != NULL ? rebuild_rows(f->g, f->db, &f->catalog, err) : store_catalog_load(f->db, &f->catalog, &settings, err)))
        return false;
    return find_closed(f, &found, err) && (found || close_open(f, err))
        && (f->g == NULL || (receipts_fill(f, err) && corrections_fill(f, err) && strays_move_on(f, err))) && receipts_rebook(f, err);
}

/* -- the settlement -- */

static bool compute_leaves(struct filling *f, struct err *err)
{
    const struct committed_event *e = &f->s->event;
    struct reward_leaves earned = { 0 };
    struct amount total;
    struct tree *tree;
    struct hash root;
    bool ok;

    if (f->g == NULL)
        return true;
    if (!rewards_earned(f->db, f->batch, f->g->head.protocol_account, &f->r->owed, &earned, &f->owed, err))
        return false;
    ok = rewards_next(&f->r->leaves, &earned, &f->after, &total, err);
    reward_leaves_clear(&earned);
    if (!ok)
        return false;
    tree = rewards_tree(&f->after, f->r->view.token);
    root = tree_top(tree);
    tree_free(tree);
    if (!hash_eq(root, e->rewards_root))
        return differs_hash(err, DIFFERS_REWARDS_ROOT, place(f, "over all leaves"), root, e->rewards_root);
    return amount_cmp(total, e->total) == 0 || differs_amount(err, DIFFERS_TOTAL, place(f, "sum of all leaves"), total, e->total);
}

/* Step by step as the service would have gone, so that every guard on the way holds. */
static bool move_on(struct filling *f, const struct settlement_row *row, struct err *err)
{
    static const enum batch_state way[] = { BATCH_COMMITTED, BATCH_ACTIVE, BATCH_DISTRIBUTED, BATCH_FINAL };

    if (!store_batch_move(f->db, f->batch, BATCH_CLOSED, BATCH_PREPARED, err)
        || !store_settlement_committed(f->db, row, err)
        || !store_batch_move(f->db, f->batch, BATCH_PREPARED, BATCH_COMMITTED, err))
        return false;
    if (f->end == BATCH_CANCELLED)
        return store_batch_move(f->db, f->batch, BATCH_COMMITTED, BATCH_CANCELLED, err);
    for (size_t i = 0; way[i] != f->end; i++)
        if (!store_batch_move(f->db, f->batch, way[i], way[i + 1], err))
            return false;
    return true;
}

static bool fill(void *self, struct group *group, struct err *err)
{
    struct filling *f = self;
    const struct chain_settlement *s = f->s;
    const struct committed_event *e = &s->event;
    struct settlement_row row = {
        .sequence = e->sequence, .state = BATCH_PREPARED, .parent = s->parent,
        .content = { e->sequence, e->receipts_root, e->rewards_root, e->archive, e->total, e->receipts },
        .prepared_at_ms = s->timestamp_s * 1000, .has_header = true, .header = e->header,
        .committed_at_s = s->timestamp_s, .active_at_s = e->active_at_s, .commit_block = s->block,
    };

    f->db = group->db;
    f->now_ms = group->now_ms;
    if (!fill_batch(f, err) || !compute_leaves(f, err))
        return false;
    row.batch = f->batch;
    row.accounts = f->after.count;
    return store_settlement_insert(f->db, &row, err) && store_leaves_insert(f->db, e->sequence, &f->after, err)
        && store_debts_insert(f->db, e->sequence, &f->owed, err)
        && move_on(f, &row, err) && (f->g == NULL || rebuild_rewards(f->r, s, &f->after, err));
}

static void fill_clear(struct filling *f)
{
    catalog_free(f->catalog);
    totals_clear(&f->credits);
    reward_leaves_clear(&f->after);
    debts_clear(&f->owed);
    free(f->rebook);
}

bool rebuild_settlement(struct rebuilding *r, const struct chain_settlement *s, enum batch_state end, struct err *err)
{
    struct gathered g;
    struct filling f = { .r = r, .s = s, .g = &g, .end = end };
    bool ok;

    if (!gather_archive(r, s, &g, err))
        return false;
    ok = writer_do(r->writer, fill, &f, err);
    if (ok) {
        rebuild_bundles_kept(r, &g);
        r->receipts += f.carried ? 0 : f.tree.count;
        if (end != BATCH_CANCELLED) {         /* what was cancelled pays nobody */
            reward_leaves_clear(&r->leaves);
            r->leaves = f.after;
            f.after = (struct reward_leaves){ 0 };
            debts_clear(&r->owed);
            r->owed = f.owed;
            f.owed = (struct debts){ 0 };
        }
    }
    fill_clear(&f);
    gathered_clear(&g);
    return ok;
}

bool rebuild_lost(struct rebuilding *r, const struct chain_settlement *s, struct err *err)
{
    struct filling f = { .r = r, .s = s, .end = BATCH_CANCELLED };
    bool ok = writer_do(r->writer, fill, &f, err);

    fill_clear(&f);
    return ok;
}
