/* The second walk: receipts, postings and sums of one batch, then its settlement, all in one writer task. */
#include "gateway/rebuild/parts.h"

#include <limits.h>

#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/core/tree.h"
#include "gateway/rebuild/rows.h"
#include "gateway/settle/rewards.h"
#include "store/ledger.h"
#include "store/receipts.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct filling {
    struct rebuilding *r;
    const struct chain_settlement *s;
    struct gathered *g;                       /* NULL: the archive is lost */
    enum batch_state end;
    struct db *db;
    uint64_t now_ms, batch;
    bool carried;                             /* its receipts are in the store, in a batch that was cancelled before */
    struct catalog *catalog;                  /* of what the store holds by now */
    struct recompute judge;
    struct totals credits;                     /* the judge's; not asked for here */
    struct tree_stream tree;
    struct amount amount;
    struct reward_leaves after;
};

static struct place place(const struct filling *f, const char *where)
{
    return (struct place){ f->s->event.sequence, where };
}

/* -- one receipt -- */

static bool post(struct filling *f, const struct share *share, struct err *err)
{
    return amount_is_zero(share->amount) || store_posting_add(f->db, f->batch, share, 1, err);
}

static bool post_receipt(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    const struct price_version *price = catalog_price_version(f->catalog, a->price_version);
    /* Who was enrolled as consumer is not in archives: the treasury is charged. */
    struct share charge = ledger_charge(f->catalog, &a->receipt, a->amount, a->accepted_at_ms);
    struct shares credits = { 0 };
    bool ok;

    if (price == NULL)
        return differs_u64(err, DIFFERS_PRICE, place(f, "price version that no line tells"), 0, a->price_version);
    ok = ledger_split(f->catalog, &a->receipt.receipt, price, a->amount, f->g->head.protocol_account, a->accepted_at_ms, &credits, err);
    for (size_t i = 0; ok && i < credits.count; i++)
        ok = post(f, &credits.list[i], err);
    shares_clear(&credits);
    return ok && post(f, &charge, err);
}

/* Only today's sums still bound anybody. */
static bool count_day(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    struct address provider = a->receipt.receipt.provider;
    uint64_t day = a->accepted_at_ms / DAY_MS;
    struct amount earned;

    if (day < f->now_ms / DAY_MS)
        return true;
    return store_provider_day(f->db, provider, day, &earned, err)
        && (amount_add(earned, a->amount, &earned) || err_set(err, ERR_OVERFLOW, "a day over 256 bits"))
        && store_provider_day_set(f->db, provider, day, earned, err);
}

static bool keep_receipt(struct filling *f, const struct archive_receipt *a, struct err *err)
{
    const struct receipt *r = &a->receipt.receipt;
    struct hash salt = receipt_salt(f->r->config->secret, r->job_id, r->provider);
    struct receipt_row row = {
        .signed_ = a->receipt, .hash = receipt_struct_hash(r), .state = RECEIPT_ACCEPTED, .code = CODE_ACCEPTED,
        .has_bundle = a->has_bundle, .bundle_index = a->bundle_index, .received_at_ms = a->accepted_at_ms,
        .accepted_at_ms = a->accepted_at_ms, .batch = f->batch, .price_version = a->price_version, .amount = a->amount,
    };

    if (f->g->judged && !recompute_receipt(&f->judge, a, &row.hash, err))
        return false;
    if (!hash_eq(salt, a->salt))
        return err_set(err, ERR_CONFIG, "[signer] secret_file is not the one of the lost gateway: its proofs would lead nowhere");
    if (a->has_bundle)
        row.bundle = gathered_bundle_of(f->g, a)->id;
    tree_stream_add(&f->tree, tree_receipts_leaf(f->tree.count, r->job_id, r->provider, salt, row.hash));
    return store_receipt_insert(f->db, &row, err) && post_receipt(f, a, err) && count_day(f, a, err)
        && (amount_add(f->amount, a->amount, &f->amount) || err_set(err, ERR_OVERFLOW, "a batch over 256 bits"));
}

static bool keep_line(void *self, const char *text, size_t len, struct err *err)
{
    struct filling *f = self;
    struct archive_line line = { 0 };
    bool ok;

    if (!rebuild_read_line(text, len, f->r->config->secret, f->s->event.sequence, &line, err))
        return false;
    ok = line.type != ARCHIVE_RECEIPT || keep_receipt(f, &line.of.receipt, err);
    archive_line_clear(&line);
    return ok;
}

/* -- the batch -- */

static bool check_receipts(struct filling *f, struct hash digest, struct err *err)
{
    const struct committed_event *e = &f->s->event;
    struct hash root = tree_stream_root(&f->tree);

    if (!hash_eq(digest, e->archive))
        return differs_hash(err, DIFFERS_ARCHIVE, place(f, "SHA-256 of the file"), e->archive, digest);
    if (f->tree.count != e->receipts)
        return differs_u64(err, DIFFERS_RECEIPT, place(f, "number of receipts"), e->receipts, f->tree.count);
    if (!hash_eq(root, e->receipts_root))
        return differs_hash(err, DIFFERS_RECEIPTS_ROOT, place(f, "over all receipts"), root, e->receipts_root);
    return !f->g->judged || bundles_check(&f->g->checked, &f->r->domain, e->sequence, err);
}

static bool keep_receipts(struct filling *f, struct err *err)
{
    struct hash digest;

    f->judge = (struct recompute){ f->s->event.sequence, &f->r->domain, f->catalog, f->g->head.protocol_account, NULL, &f->g->checked,
                                   &f->credits };
    tree_stream_init(&f->tree);
    return rebuild_bundles(f->r, f->g, f->db, err)
        && store_batch_set_protocol_account(f->db, f->g->head.protocol_account, err)
        && source_archive(f->r->own, f->s->event.sequence, keep_line, f, &digest, err)
        && check_receipts(f, digest, err)
        && store_batch_add(f->db, f->batch, f->tree.count, f->amount, err);
}

struct search { uint64_t batch; struct settlement_row row; bool found; };

static bool is_of_batch(void *self, const struct settlement_row *row, struct err *err)
{
    struct search *s = self;

    (void)err;
    if (row->batch == s->batch) {
        s->row = *row;
        s->found = true;
    }
    return !s->found;                         /* newest first */
}

/* The receipts of a cancelled settlement may come again under another sequence, and stay in their batch. */
static bool take_carried(struct filling *f, struct err *err)
{
    struct batch_row batch = { 0 };
    struct search search = { 0 };
    struct receipt_row row;
    bool found = false;

    if (!f->g->has_receipt)
        return true;
    if (!store_receipt_find(f->db, f->g->first_job, f->g->first_provider, &row, &found, err))
        return false;
    if (!found)
        return true;
    if (!store_batch_find(f->db, row.batch, &batch, &found, err))
        return false;
    search.batch = row.batch;
    if (!found || batch.state != BATCH_CANCELLED || !store_settlements(f->db, 0, UINT_MAX, is_of_batch, &search, err)
        || !search.found || !hash_eq(search.row.content.receipts_root, f->s->event.receipts_root))
        return differs(err, DIFFERS_DOUBLE_BILLING, place(f, "first receipt"), "receipts billed once", "one of another settlement");
    f->carried = true;
    f->batch = row.batch;
    return store_batch_carry(f->db, search.row.sequence, err);
}

static bool fill_batch(struct filling *f, struct err *err)
{
    uint64_t closed_at_ms = f->s->timestamp_s * 1000;
    struct batch_row open;

    if (!store_batch_open(f->db, &open, err))
        return false;
    f->batch = open.number;
    if (f->g != NULL && (!rebuild_rows(f->g, f->db, &f->catalog, err) || !take_carried(f, err)))
        return false;
    if (f->carried)
        return true;
    /* The next batch's protocol account is set with its first receipt, here or by the service. */
    return (f->g == NULL || keep_receipts(f, err))
        && store_batch_close(f->db, closed_at_ms, f->g != NULL ? f->g->head.protocol_account : open.protocol_account, err);
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
    if (!rewards_earned(f->db, f->batch, &earned, err))
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
    return store_settlement_insert(f->db, &row, err) && store_leaves_insert(f->db, e->sequence, &f->after, err) && move_on(f, &row, err);
}

static void fill_clear(struct filling *f)
{
    catalog_free(f->catalog);
    totals_clear(&f->credits);
    reward_leaves_clear(&f->after);
}

bool rebuild_settlement(struct rebuilding *r, const struct chain_settlement *s, enum batch_state end, struct err *err)
{
    struct gathered g;
    struct filling f = { .r = r, .s = s, .g = &g, .end = end };
    bool ok;

    if (!gather_archive(r, s, &g, err))
        return false;
    ok = writer_do(r->writer, fill, &f, err) && rebuild_rewards(r, s, &f.after, err);
    if (ok) {
        rebuild_bundles_kept(r, &g);
        r->receipts += f.carried ? 0 : f.tree.count;
        if (end != BATCH_CANCELLED) {         /* what was cancelled pays nobody */
            reward_leaves_clear(&r->leaves);
            r->leaves = f.after;
            f.after = (struct reward_leaves){ 0 };
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
