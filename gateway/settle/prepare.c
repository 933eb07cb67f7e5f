/* closed -> prepared: leaves, both roots, the published files; then settlement, leaves and move in one writer task.
 *
 * Everything but that task may be done again after a crash: a closed batch does not change, and files are replaced. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/settle/archive.h"
#include "gateway/settle/behind.h"
#include "gateway/settle/rewards.h"
#include "store/adjustments.h"
#include "store/archive_file.h"
#include "store/receipts.h"

#include <inttypes.h>

struct preparation {
    struct settle *settle;
    const struct batch_row *batch;
    struct settlement_row row;
    struct reward_leaves before, earned, after;
    struct debts owed_before, owed;
    struct amount total_before;
    struct receipts_leaf frame[ARCHIVE_FRAME];        /* of the receipts tree, being filled */
    size_t in_frame;
    uint64_t receipts;
    struct buf tops;                          /* of the frames before */
    struct batch_receipts *batch_receipts;
};

/* The next sequence and its parent, where chain and store agree about all before.  Numbers that are not of this store (a
 * stolen operator key, another store) do no harm where each commit was cancelled: the headers between carry the marks, and we
 * build on them. */
static bool choose_sequence(struct preparation *p, struct err *err)
{
    struct settle *s = p->settle;
    struct behind b;

    if (!behind_look(&s->config, s->rpc, s->db, &b, err))
        return false;
    if (b.is_behind) {
        behind_say(&b, err);
        return commit_name(s, b.known + 1, err);
    }
    if (b.known > b.used)
        return err_set(err, ERR_HALT, "the contract's last sequence is %" PRIu64 ", the store's is %" PRIu64, b.used, b.known);
    if (b.used > b.known)
        log_event(LOG_WARN_LEVEL, "foreign_sequences_passed", KV_U64("from", b.known + 1), KV_U64("to", b.used));
    p->row.sequence = p->row.content.sequence = b.used + 1;
    return settlement_header(s->rpc, s->config.contract, b.used, &p->row.parent, err);
}

static bool compute_rewards(struct preparation *p, struct err *err)
{
    struct settle *s = p->settle;
    struct settlement_row last;
    struct tree *tree;
    bool found;

    if (!store_settlement_last_valid(s->db, &last, &found, err))
        return false;
    if (found && (!store_leaves_load(s->db, last.sequence, &p->before, err)
                  || !store_debts_load(s->db, last.sequence, &p->owed_before, err)))
        return false;
    if (!rewards_earned(s->db, p->batch->number, p->batch->protocol_account, &p->owed_before, &p->earned, &p->owed, err)
        || !rewards_next(&p->before, &p->earned, &p->after, &p->row.content.total, err)
        || !rewards_balance(found ? last.content.total : AMOUNT_ZERO, p->batch, &p->owed_before, &p->owed,
                            p->row.content.total, err))
        return false;
    if (p->after.count == 0)
        return err_set(err, ERR_BUG, "batch %" PRIu64 " has an empty rewards tree", p->batch->number);
    tree = rewards_tree(&p->after, s->config.token);
    p->row.content.rewards_root = tree_top(tree);
    tree_free(tree);
    p->row.accounts = p->after.count;
    return true;
}

/* The subtrees of frames are hashed one by one, many leaves side by side; their tops lead to the root. */
static void end_frame(struct preparation *p)
{
    struct hash leaves[ARCHIVE_FRAME], top;

    tree_receipts_leaves(p->frame, p->in_frame, p->receipts - p->in_frame, leaves);
    top = tree_root(leaves, p->in_frame);
    buf_add(&p->tops, top.b, sizeof top.b);
    p->in_frame = 0;
}

static bool add_receipt(void *self, const struct receipt_row *r, struct err *err)
{
    struct preparation *p = self;
    const struct receipt *receipt = &r->signed_.receipt;

    (void)err;
    p->frame[p->in_frame++] = (struct receipts_leaf){
        receipt->job_id, receipt->provider, receipt_salt(p->settle->config.secret, receipt->job_id, receipt->provider), r->hash };
    p->receipts++;
    if (p->in_frame == ARCHIVE_FRAME)
        end_frame(p);
    return true;
}

static bool compute_receipts(struct preparation *p, struct err *err)
{
    if (!batch_receipts_each(p->batch_receipts, add_receipt, p, err))
        return false;
    if (p->in_frame > 0)
        end_frame(p);
    if (p->tops.failed)
        return err_set(err, ERR_LIMIT, "batch %" PRIu64 " is too large", p->batch->number);
    if (p->receipts != p->batch->receipts)
        return err_set(err, ERR_HALT, "batch %" PRIu64 " holds %" PRIu64 " receipts and counted %" PRIu64,
                       p->batch->number, p->receipts, p->batch->receipts);
    p->row.content.receipts = p->receipts;
    p->row.content.receipts_root = tree_root((const struct hash *)p->tops.data, p->tops.len / sizeof(struct hash));
    return true;
}

static bool publish(struct preparation *p, struct err *err)
{
    struct settle *s = p->settle;
    struct published published = {
        .batch = {
            .chain_id = s->config.chain_id, .contract = s->config.contract, .token = s->config.token,
            .protocol_account = p->batch->protocol_account, .parent = p->row.parent, .content = p->row.content,
        },
        .number = p->batch->number, .receipts = p->batch_receipts,
        .tops = (const struct hash *)p->tops.data, .sealed = s->config.parties_only, .before = &p->before, .after = &p->after,
        .owed_before = &p->owed_before, .owed = &p->owed,
    };

    return archive_write(s->config.archive_dir, s->db, &published, s->config.secret, &p->row.content.archive, err)
        && rewards_write(s->config.archive_dir, &published, err);
}

/* One snapshot for what is looked at together. */
static bool compute_rewards_at_once(struct preparation *p, struct err *err)
{
    bool ok;

    if (!db_begin(p->settle->db, err))
        return false;
    ok = compute_rewards(p, err);
    db_rollback(p->settle->db);
    return ok;
}

/* What was read in several steps is of one state: only a store that catches up, or another settler, changes a closed batch, and then
 * nothing of this is to be published. */
static bool is_unchanged(struct db *db, const struct batch_row *was, struct err *err)
{
    struct batch_row now;
    bool found;

    if (!store_batch_find(db, was->number, &now, &found, err))
        return false;
    return (found && now.state == was->state && now.receipts == was->receipts && amount_cmp(now.amount, was->amount) == 0)
        || err_set(err, ERR_AGAIN, "batch %" PRIu64 " changed while it was read", was->number);
}

/* Receipts, postings and corrections of a closed batch stay as they are, and so do the catalog's rows that its receipts were accepted by:
 * nothing of this needs one snapshot from beginning to end (receipts_of_batch.c says what that would cost). */
static bool compute(struct preparation *p, struct err *err)
{
    bool ok = compute_rewards_at_once(p, err) && batch_receipts_open(p->settle->db, p->batch->number, &p->batch_receipts, err)
        && is_unchanged(p->settle->db, p->batch, err) && compute_receipts(p, err) && publish(p, err);

    batch_receipts_close(p->batch_receipts);
    return ok;
}

static bool insert(void *self, struct group *group, struct err *err)
{
    struct preparation *p = self;

    p->row.prepared_at_ms = group->now_ms;
    return is_unchanged(group->db, p->batch, err)
        && store_settlement_insert(group->db, &p->row, err)
        && store_leaves_insert(group->db, p->row.sequence, &p->after, err)
        && store_debts_insert(group->db, p->row.sequence, &p->owed, err)
        && store_batch_move(group->db, p->batch->number, BATCH_CLOSED, BATCH_PREPARED, err);
}

bool prepare_batch(struct settle *s, const struct batch_row *batch, bool *moved, struct err *err)
{
    struct preparation p = { .settle = s, .batch = batch, .row = { .batch = batch->number, .state = BATCH_PREPARED } };
    bool ok;

    buf_init(&p.tops);
    ok = choose_sequence(&p, err) && compute(&p, err) && settle_do(s, insert, &p, err);
    if (ok) {
        log_event(LOG_NOTICE_LEVEL, "settlement_prepared", KV_U64("sequence", p.row.sequence),
                  KV_U64("batch", batch->number),
                  KV_U64("count", p.row.content.receipts), KV_AMOUNT("total", &p.row.content.total));
        settle_crash_point("prepared");
        *moved = true;
    }
    buf_clear(&p.tops);
    reward_leaves_clear(&p.before);
    reward_leaves_clear(&p.earned);
    reward_leaves_clear(&p.after);
    debts_clear(&p.owed_before);
    debts_clear(&p.owed);
    return ok;
}
