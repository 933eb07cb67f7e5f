#include "gateway/settle/archive.h"

#include "gateway/base/mem.h"
#include "gateway/core/seal.h"
#include "gateway/core/tree.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/pack.h"
#include "gateway/settle/archive_again.h"
#include "gateway/settle/archive_used.h"
#include "store/adjustments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_SIZE 4096

void archive_path(const char *dir, uint64_t sequence, const char *suffix, char *path, size_t size)
{
    snprintf(path, size, "%s/%" PRIu64 "%s", dir, sequence, suffix);
}

/* The file being written, and its digest. */
struct output {
    struct file_out *file;
    struct sha256_stream *sum;
    struct buf line;
};

static bool put(struct output *o, const struct archive_line *line, struct err *err)
{
    buf_reset(&o->line);
    archive_write_line(line, &o->line);
    if (o->line.failed)
        return err_set(err, ERR_LIMIT, "a line of the archive is too long");
    sha256_add(o->sum, o->line.data, o->line.len);
    return file_add(o->file, o->line.data, o->line.len, err);
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
};

/* A bundle stands in each archive that has receipts of it, so that every file's signatures can be checked alone. */
static bool put_bundle(struct archiving *a, const struct bundle_row *row, const struct bundle_use *mine, struct err *err)
{
    struct archive_line line = { ARCHIVE_BUNDLE, { .bundle = { .bundle = row->bundle, .signature = row->signature } } };
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
    ok = (!a->published->sealed || seal_row(&line, a->settlement_key, err)) && put(&a->out, &line, err);
    archive_line_clear(&line);
    return ok;
}

static bool put_bundles(struct archiving *a, struct err *err)
{
    const struct bundle_use *uses = a->used.bundles;

    a->roots = mem_array(a->used.bundle_count + 1, sizeof *a->roots);
    for (size_t i = 0; i < a->used.bundle_count; i++) {
        struct bundle_row row = { 0 };
        bool ok;

        if (!store_bundle_find(a->db, uses[i].bundle, &row, err))
            return false;
        a->roots[a->root_count++] = (struct bundle_root){ row.id, row.bundle.root };
        ok = put_bundle(a, &row, &uses[i], err);
        buf_clear(&row.leaves);
        if (!ok)
            return false;
    }
    return true;
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
        bool ok = (!a->published->sealed || seal_row(&line, a->settlement_key, err)) && put(&a->out, &line, err);

        archive_line_clear(&line);
        if (!ok)
            return false;
    }
    return true;
}

static bool seal(struct archiving *a, struct archive_line *line, struct hash struct_hash, struct err *err)
{
    const struct receipt *r = &line->of.receipt.receipt.receipt;
    struct hash leaf = tree_receipts_leaf(a->index++, r->job_id, r->provider, line->of.receipt.salt, struct_hash);

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
    bool ok;

    if (row->has_bundle) {
        struct bundle_root key = { .bundle = row->bundle };
        const struct bundle_root *root = bsearch(&key, a->roots, a->root_count, sizeof key, by_id);

        if (root == NULL)
            return err_set(err, ERR_BUG, "bundle %" PRIu64 " appeared while the archive was written", row->bundle);
        line.of.receipt.bundle_root = root->root;
    }
    ok = (!a->published->sealed || seal(a, &line, row->hash, err)) && put(&a->out, &line, err);
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
        && put_consumers(a, err)
        && put_bundles(a, err)
        && batch_receipts_each(a->published->receipts, put_receipt, a, err)
        && store_adjustments_of_batch(a->db, a->published->number, put_adjustment, a, err)
        && put_rewards(a, err) && put_debts(a, err);
}

static bool write_file(struct archiving *a, const char *path, struct hash *digest, struct err *err)
{
    struct hash sum;
    bool ok;

    if (!file_begin(path, &a->out.file, err))
        return false;
    buf_init(&a->out.line);
    a->out.sum = sha256_new();
    ok = write_lines(a, err);
    sum = sha256_finish_free(a->out.sum);
    buf_clear(&a->out.line);
    if (!ok)
        file_abandon_free(a->out.file);
    else
        ok = file_commit_free(a->out.file, err);
    if (ok)
        *digest = sum;
    return ok;
}

bool archive_write(const char *dir, struct db *db, const struct published *p, const uint8_t secret[32],
                   struct hash *digest, struct err *err)
{
    uint64_t sequence = p->batch.content.sequence;
    struct archiving a = { .db = db, .published = p, .secret = secret,
                           .settlement_key = seal_settlement_key(secret, sequence) };
    char path[PATH_SIZE], packed[PATH_SIZE];
    bool ok;

    archive_path(dir, sequence, ".archive.ndjson", path, sizeof path);
    archive_path(dir, sequence, ".archive.ndjson.zst", packed, sizeof packed);
    if (!file_make_dir(dir, 0755, err) || !used_collect(db, p->receipts, &a.used, err))
        return false;
    ok = used_leave_out_published(&a.used, dir, db, secret, sequence, err)
      && (!p->sealed || again_open(db, dir, p->number, &a.again, err));
    if (ok) {
        used_sort(&a.used);
        ok = write_file(&a, path, digest, err)
          && (p->sealed ? zstd_pack_sealed_file(path, packed, err) : zstd_pack_file(path, packed, err));
    }
    again_close(a.again);
    mem_wipe(&a.settlement_key, sizeof a.settlement_key);
    free(a.roots);
    used_clear(&a.used);
    return ok;
}
