#include "gateway/settle/archive.h"

#include "gateway/base/mem.h"
#include "gateway/core/seal.h"
#include "gateway/core/tree.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/pool/pool.h"
#include "gateway/settle/archive_again.h"
#include "gateway/settle/archive_used.h"
#include "store/adjustments.h"
#include "store/archive_file.h"
#include "store/quotes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKED_UP_AT_ONCE 64u                 /* rows in one snapshot */

/* The file being written, plain and packed, and its digest. */
struct output {
    struct file_out *file;
    struct archive_packing *packing;
    struct sha256_stream *sum;
    struct buf line;
};

static bool put_plain(struct output *o, const struct archive_line *line, struct err *err)
{
    buf_reset(&o->line);
    archive_write_line(line, &o->line);
    if (o->line.failed)
        return err_set(err, ERR_LIMIT, "a line of the archive is too long");
    sha256_add(o->sum, o->line.data, o->line.len);
    return file_add(o->file, o->line.data, o->line.len, err);
}

static bool put(struct output *o, const struct archive_line *line, struct err *err)
{
    return put_plain(o, line, err) && archive_packing_add(o->packing, o->line.data, o->line.len, err);
}

static bool put_catalog(struct output *o, const struct used *used, struct err *err)
{
    for (size_t i = 0; i < used->prices.count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_PRICE,
                                            { .price = *(const struct price_version *)used->prices.list[i] } }, err))
            return false;
    for (size_t i = 0; i < used->providers.count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_PROVIDER,
                                            { .provider = *(const struct provider *)used->providers.list[i] } }, err))
            return false;
    for (size_t i = 0; i < used->models.count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_MODEL, { .model = *(const struct model *)used->models.list[i] } },
                 err))
            return false;
    return true;
}

static bool put_keys(struct output *o, const struct used *used, struct err *err)
{
    for (size_t i = 0; i < used->delegations.count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_DELEGATION,
                                            { .delegation = *(const struct delegation *)used->delegations.list[i] } }, err))
            return false;
    for (size_t i = 0; i < used->revocations.count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_REVOCATION,
                                            { .revocation = *(const struct revocation *)used->revocations.list[i] } }, err))
            return false;
    return true;
}

static bool put_capacities(struct output *o, const struct offers *offers, struct err *err)
{
    for (size_t i = 0; i < offers->announced_count; i++)
        if (!put(o, &(struct archive_line){ ARCHIVE_CAPACITY, { .capacity = offers->announced[i] } }, err))
            return false;
    return true;
}

struct bundle_root { uint64_t bundle; struct hash root; };

struct archiving {
    struct output out;
    struct db *db;
    const struct published *published;
    const uint8_t *secret;
    struct used used;
    struct bundle_root *roots;                /* by bundle */
    size_t root_count;
    /* where only parties may read */
    struct hash settlement_key;
    struct again *again;
    uint64_t index;                           /* of the next receipt in its tree */
    size_t key_index;                         /* in used.keys */
};

/* A bundle stands in each archive that has receipts of it, so that every file's signatures can be checked alone. */
static bool put_bundle(struct archiving *a, const struct bundle_row *row, const struct bundle_use *mine, struct err *err)
{
    struct archive_line line = { ARCHIVE_BUNDLE, { .bundle = { .bundle = row->bundle, .signature = row->signature, .key = mine->key } } };
    struct archive_bundle *b = &line.of.bundle;
    size_t count = row->leaves.len / sizeof (struct hash);
    bool ok;

    if (count != row->bundle.count)
        return err_set(err, ERR_BUG, "bundle %" PRIu64 " holds %zu of %" PRIu64 " leaves", row->id, count,
                       row->bundle.count);
    b->others = mem_array(count + 1, sizeof *b->others);
    for (size_t i = 0; i < count; i++) {
        if (bundle_use_has(mine, i))
            continue;
        b->others[b->other_count].index = i;
        memcpy(b->others[b->other_count++].leaf.b, row->leaves.data + i * sizeof (struct hash), sizeof (struct hash));
    }
    ok = (!a->published->sealed || seal_whole(&line, a->settlement_key, err)) && put(&a->out, &line, err);
    archive_line_clear(&line);
    return ok;
}

/* As a bundle, a quote stands in each archive that has receipts of it.  One that was never issued here has no line. */
static bool put_quote(struct archiving *a, size_t i, struct err *err)
{
    struct archive_line line = { .type = ARCHIVE_QUOTE };
    bool found, ok;

    if (!store_quote_find(a->db, a->used.offers.quotes[i], &line.of.quote, &found, err))
        return false;
    if (!found)
        return true;
    ok = (!a->published->sealed || seal_whole(&line, a->settlement_key, err)) && put(&a->out, &line, err);
    archive_line_clear(&line);
    return ok;
}

static bool put_used_bundle(struct archiving *a, size_t i, struct err *err)
{
    const struct bundle_use *use = &a->used.bundles[i];
    struct bundle_row row = { 0 };
    bool ok;

    if (!store_bundle_find(a->db, use->bundle, &row, err))
        return false;
    a->roots[a->root_count++] = (struct bundle_root){ row.id, row.bundle.root };
    ok = put_bundle(a, &row, use, err);
    buf_clear(&row.leaves);
    return ok;
}

/* There may be a row for each few receipts.  They never change, so some share a snapshot, and none is held for all of them. */
static bool put_looked_up(struct archiving *a, size_t count, bool (*put_one)(struct archiving *a, size_t i, struct err *err), struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        if (i % LOOKED_UP_AT_ONCE == 0) {
            db_rollback(a->db);
            ok = db_begin(a->db, err);
        }
        ok = ok && put_one(a, i, err);
    }
    db_rollback(a->db);
    return ok;
}

static bool put_quotes(struct archiving *a, struct err *err)
{
    return put_looked_up(a, a->used.offers.quote_count, put_quote, err);
}

static bool put_bundles(struct archiving *a, struct err *err)
{
    a->roots = mem_array(a->used.bundle_count + 1, sizeof *a->roots);
    return put_looked_up(a, a->used.bundle_count, put_used_bundle, err);
}

static int by_id(const void *a, const void *b)
{
    const struct bundle_root *x = a, *y = b;

    return (x->bundle > y->bundle) - (x->bundle < y->bundle);
}

static bool put_consumers(struct archiving *a, struct err *err)
{
    for (size_t i = 0; i < a->used.consumers.count; i++) {
        struct archive_line line = { ARCHIVE_CONSUMER, { .consumer = *(const struct consumer *)a->used.consumers.list[i] } };
        bool ok = (!a->published->sealed || seal_whole(&line, a->settlement_key, err)) && put(&a->out, &line, err);

        archive_line_clear(&line);
        if (!ok)
            return false;
    }
    return true;
}

static bool seal(struct archiving *a, struct archive_line *line, struct hash leaf, struct err *err)
{
    const struct receipt *r = &line->of.receipt.receipt.receipt;

    return seal_receipt(line, leaf, seal_line_key(a->secret, r->job_id, r->provider), a->settlement_key, err)
        && again_take_box(a->again, line, err);
}

static bool put_receipt(void *self, const struct receipt_row *row, struct err *err)
{
    struct archiving *a = self;
    const struct receipt *r = &row->signed_.receipt;
    struct archive_line line = { ARCHIVE_RECEIPT, { .receipt = {
        .receipt = row->signed_, .has_bundle = row->has_bundle, .bundle_index = row->bundle_index,
        .salt = receipt_salt(a->secret, r->job_id, r->provider),
        .accepted_at_ms = row->accepted_at_ms, .price_version = row->price_version, .amount = row->amount } } };
    const struct archive_key key = archive_key(r->job_id, r->provider);
    struct hash leaf = { { 0 } };
    bool ok;

    /* Where the tops are known, only a sealed line needs its own. */
    if (a->published->sealed || a->published->tops == NULL)
        leaf = tree_receipts_leaf(a->index, r->job_id, r->provider, line.of.receipt.salt, row->hash);
    a->index++;
    if (row->has_bundle) {
        struct bundle_root wanted = { .bundle = row->bundle };
        const struct bundle_root *root = bsearch(&wanted, a->roots, a->root_count, sizeof wanted, by_id);

        if (root == NULL)
            return err_set(err, ERR_BUG, "bundle %" PRIu64 " appeared while the archive was written", row->bundle);
        line.of.receipt.bundle_root = root->root;
    } else if (keyring_has(catalog_keys(a->used.catalog), r->provider)) {
        line.of.receipt.key = a->used.keys[a->key_index++];
    }
    ok = (!a->published->sealed || seal(a, &line, leaf, err)) && put_plain(&a->out, &line, err)
      && archive_packing_add_receipt(a->out.packing, a->out.line.data, a->out.line.len, &key, &leaf, err);
    archive_line_clear(&line);
    return ok;
}

static bool put_epoch(void *self, const struct epoch_row *row, struct err *err)
{
    struct archiving *a = self;

    return put(&a->out, &(struct archive_line){ ARCHIVE_EPOCH, { .epoch = row->terms } }, err);
}

/* Every epoch that a receipt of this batch may be of, so that whoever reads on knows which jobs to count, and on which terms,
 * before the epoch is booked. */
static bool put_epochs(struct archiving *a, struct err *err)
{
    struct batch_row batch;
    bool found;

    if (!store_batch_find(a->db, a->published->number, &batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "there is no batch %" PRIu64, a->published->number);
    return store_epochs_unbooked_before(a->db, batch.closed_at_ms, batch.number, put_epoch, a, err);
}

static bool put_popularity(void *self, const struct epoch_row *row, struct err *err)
{
    struct archive_line line = { .type = ARCHIVE_POPULARITY };
    struct archiving *a = self;
    bool ok = pool_load(a->db, row, &line.of.popularity, err) && put(&a->out, &line, err);

    archive_line_clear(&line);
    return ok;
}

/* One line an account whose leaf grew; both lists are sorted, and before is a part of after. */
static bool put_rewards(struct archiving *a, struct err *err)
{
    const struct reward_leaves *before = a->published->before, *after = a->published->after;
    size_t b = 0;

    for (size_t i = 0; i < after->count; i++) {
        struct archive_reward reward = { after->list[i].account, AMOUNT_ZERO, after->list[i].claimable };

        if (b < before->count && address_eq(before->list[b].account, reward.account))
            reward.before = before->list[b++].claimable;
        if (amount_cmp(reward.before, reward.after) != 0
            && !put(&a->out, &(struct archive_line){ ARCHIVE_REWARD, { .reward = reward } }, err))
            return false;
    }
    return b == before->count || err_set(err, ERR_BUG, "an account lost its leaf");
}

static bool put_adjustment(void *self, const struct adjustment *adjustment, struct err *err)
{
    struct archiving *a = self;

    return put(&a->out, &(struct archive_line){ ARCHIVE_ADJUSTMENT, { .adjustment = *adjustment } }, err);
}

/* One line an account that owes another amount than before; both lists are sorted. */
static bool put_debts(struct archiving *a, struct err *err)
{
    const struct debts *before = a->published->owed_before, *after = a->published->owed;
    size_t b = 0, k = 0;

    while (b < before->count || k < after->count) {
        int order = b == before->count ? 1 : k == after->count ? -1
                  : address_cmp(&before->list[b].account, &after->list[k].account);
        struct archive_debt debt = { order <= 0 ? before->list[b].account : after->list[k].account, AMOUNT_ZERO, AMOUNT_ZERO };

        if (order <= 0)
            debt.before = before->list[b++].amount;
        if (order >= 0)
            debt.after = after->list[k++].amount;
        if (amount_cmp(debt.before, debt.after) != 0
            && !put(&a->out, &(struct archive_line){ ARCHIVE_DEBT, { .debt = debt } }, err))
            return false;
    }
    return true;
}

static bool write_lines(struct archiving *a, struct err *err)
{
    struct archive_line head = { ARCHIVE_BATCH, { .batch = a->published->batch } };

    head.of.batch.content.archive = (struct hash){ { 0 } };
    return put(&a->out, &head, err)
        && put_catalog(&a->out, &a->used, err)
        && put_keys(&a->out, &a->used, err)
        && put_consumers(a, err)
        && put_capacities(&a->out, &a->used.offers, err)
        && put_epochs(a, err)
        && put_quotes(a, err)
        && put_bundles(a, err)
        && batch_receipts_each(a->published->receipts, put_receipt, a, err)
        && store_adjustments_of_batch(a->db, a->published->number, put_adjustment, a, err)
        && store_epochs_of_batch(a->db, a->published->number, put_popularity, a, err)
        && put_rewards(a, err) && put_debts(a, err);
}

/* All three files, each whole or not there; the index comes last. */
static bool write_files(struct archiving *a, const char *dir, struct hash *digest, struct err *err)
{
    uint64_t sequence = a->published->batch.content.sequence;
    char path[ARCHIVE_PATH];
    struct hash sum;
    bool ok;

    archive_path(dir, sequence, ARCHIVE_PLAIN, path, sizeof path);
    if (!archive_packing_begin(dir, sequence, a->published->sealed, a->published->tops, &a->out.packing, err))
        return false;
    if (!file_begin(path, &a->out.file, err)) {
        archive_packing_abandon_free(a->out.packing);
        return false;
    }
    buf_init(&a->out.line);
    a->out.sum = sha256_new();
    ok = write_lines(a, err);
    sum = sha256_finish_free(a->out.sum);
    buf_clear(&a->out.line);
    if (!ok) {
        file_abandon_free(a->out.file);
        archive_packing_abandon_free(a->out.packing);
        return false;
    }
    if (!file_commit_free(a->out.file, err)) {
        archive_packing_abandon_free(a->out.packing);
        return false;
    }
    if (!archive_packing_commit_free(a->out.packing, sum, err))
        return false;
    *digest = sum;
    return true;
}

bool archive_write(const char *dir, struct db *db, const struct published *p, const uint8_t secret[32],
                   struct hash *digest, struct err *err)
{
    uint64_t sequence = p->batch.content.sequence;
    struct archiving a = { .db = db, .published = p, .secret = secret,
                           .settlement_key = seal_settlement_key(secret, sequence) };
    struct domain domain;
    bool ok;

    domain_init(&domain, p->batch.chain_id, p->batch.contract);
    if (!file_make_dir(dir, 0755, err) || !used_collect(db, &domain, p->receipts, &a.used, err))
        return false;
    ok = used_leave_out_published(&a.used, dir, db, secret, sequence, err)
      && (!p->sealed || again_open(db, dir, p->number, &a.again, err));
    if (ok) {
        used_sort(&a.used);
        ok = write_files(&a, dir, digest, err);
    }
    again_close(a.again);
    mem_wipe(&a.settlement_key, sizeof a.settlement_key);
    free(a.roots);
    used_clear(&a.used);
    return ok;
}
