/* The files of history.h as an operator would publish them, with the lies that lie in them. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/core/seal.h"
#include "gateway/core/tree.h"
#include "gateway/lib/file.h"
#include "gateway/lib/pack.h"
#include "tests/support/fixture.h"
#include "tests/support/history_parts.h"

/* ---- rewards.json ---- */

static json *entry_json(const struct builder *b, const struct totals *leaves, const struct tree *tree, size_t i, bool lie_here)
{
    struct proof proof;
    struct amount claimable = leaves->list[i].amount;
    json *entry = json_new_object(), *path = json_new_array();

    tree_prove(tree, i, &proof);
    if (lie_here && b->lie == LIE_JSON_PROOF)
        proof.path[0].b[0] ^= 1;
    if (lie_here && b->lie == LIE_JSON_AMOUNT)
        assert_true(amount_add(claimable, amount_from_u64(1), &claimable));
    if (lie_here && b->lie == LIE_JSON_FELL)
        claimable = amount_from_u64(1);
    for (size_t k = 0; k < proof.len; k++)
        json_add(path, json_new_hash(proof.path[k]));
    json_put_address(entry, "account", leaves->list[i].account);
    json_put_address(entry, "reward", b->token);
    json_put_amount(entry, "claimable", claimable);
    json_put(entry, "proof", path);
    return entry;
}

void write_rewards(const struct builder *b, const struct settlement_content *content, const struct totals *leaves)
{
    struct hash hashes[16];
    struct tree *tree;
    json *file = json_new_object(), *metadata = json_new_object(), *list = json_new_array();
    char path[128];
    struct buf text;
    struct err err = { 0 };
    bool here = content->sequence == 4;
    size_t count = leaves->count - (here && b->lie == LIE_JSON_SHORT ? 1 : 0);

    for (size_t i = 0; i < leaves->count; i++)
        hashes[i] = tree_rewards_leaf(leaves->list[i].account, b->token, leaves->list[i].amount);
    tree = tree_new(hashes, leaves->count);
    for (size_t i = 0; i < count; i++)
        json_add(list, entry_json(b, leaves, tree, i, here && i == 0));
    json_put_text(file, "id", "quittance");
    json_put_u64(metadata, "chainId", b->domain.chain_id);
    json_put_address(metadata, "contract", b->domain.contract);
    json_put_address(metadata, "token", b->token);
    json_put_u64(metadata, "sequence", content->sequence);
    json_put_amount(metadata, "total", content->total);
    json_put(file, "metadata", metadata);
    json_put_hash(file, "root", content->rewards_root);
    json_put(file, "tree", list);
    buf_init(&text);
    json_write(file, &text);
    snprintf(path, sizeof path, "%s/%" PRIu64 ".rewards.json", b->h->dir, content->sequence);
    assert_true(file_write(path, text.data, text.len, 0600, &err));
    buf_clear(&text);
    json_free(file);
    tree_free(tree);
}

/* ---- the archive ---- */

/* A consumer's or a bundle's. */
static void write_sealable(const struct builder *b, const struct archive_line *plain, uint64_t sequence, struct buf *out)
{
    struct archive_line line = { 0 };
    struct err err = { 0 };
    struct buf text;

    if (!b->sealed) {
        archive_write_line(plain, out);
        return;
    }
    /* A copy of its own: sealing takes the line over. */
    buf_init(&text);
    archive_write_line(plain, &text);
    assert_true(archive_read_line((const char *)text.data, text.len - 1, &line, &err)
                && seal_whole(&line, seal_settlement_key(history_secret, sequence), &err));
    archive_write_line(&line, out);
    archive_line_clear(&line);
    buf_clear(&text);
}

/* leaf: as the true line has it. */
static void write_receipt(const struct builder *b, struct archive_line *line, struct hash leaf, uint64_t sequence, struct buf *out)
{
    const struct receipt *r = &line->of.receipt.receipt.receipt;
    struct err err = { 0 };

    if (b->sealed)
        assert_true(seal_receipt(line, leaf, seal_line_key(history_secret, r->job_id, r->provider),
                                 seal_settlement_key(history_secret, sequence), &err));
    archive_write_line(line, out);
    archive_line_clear(line);
}

void write_rows(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        struct archive_line line = b->rows[batch->rows[i]];

        if (b->lie == LIE_LINEAGE_LINE && line.type == ARCHIVE_MODEL && line.of.model.parent_count > 0)
            line.of.model.parents[0].share_bps = 1;
        if (b->lie == LIE_CANCELLED_PRICE_FALSE && sequence == 2 && line.type == ARCHIVE_PRICE)
            line.of.price.per_million[METER_INPUT] = amount_from_u64(1);
        if (line.type == ARCHIVE_CONSUMER)
            write_sealable(b, &line, sequence, out);
        else
            archive_write_line(&line, out);
    }
    if (b->lie == LIE_PRICE_REWRITTEN && sequence == 4) {
        struct archive_line line = b->rows[ROW_PRICE_ANY];

        line.of.price.per_million[METER_INPUT] = amount_from_u64(1);
        archive_write_line(&line, out);
    }
    if (b->lie == LIE_CONSUMER_REWRITTEN && sequence == 4) {
        struct archive_line line = b->rows[ROW_CONSUMER];

        line.of.consumer.enrolled = false;
        write_sealable(b, &line, sequence, out);
    }
    write_epochs(b, sequence, out);
    if (batch->has_bundle)
        write_sealable(b, &batch->bundle, sequence, out);
}

void write_receipts(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t from = b->lie == LIE_RECEIPTS_SWAPPED && sequence == 4 && i < 2 ? 1 - i : i;
        struct archive_line line = { .type = ARCHIVE_RECEIPT, .of.receipt = batch->receipts[from] };
        struct hash leaf;

        if (b->lie == LIE_RECEIPT_DROPPED && sequence == 4 && i == 1)
            continue;
        leaf = tree_receipts_leaf(i, line.of.receipt.receipt.receipt.job_id, line.of.receipt.receipt.receipt.provider,
                                  line.of.receipt.salt, receipt_struct_hash(&line.of.receipt.receipt.receipt));
        if (b->lie == LIE_SALT && sequence == 4 && i == 1)
            line.of.receipt.salt.b[5] ^= 1;
        write_receipt(b, &line, leaf, sequence, out);
    }
    if (b->lie == LIE_LINE_OF_NO_FORM && sequence == 4)
        buf_add_text(out, "{\"type\":\"receipt\",\"jobId\":1}\n");
}

void write_adjustments(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out)
{
    for (size_t i = 0; i < batch->adjustment_count; i++) {
        struct archive_line line = { ARCHIVE_ADJUSTMENT, { .adjustment = batch->adjustments[i] } };

        if (b->lie == LIE_ADJUSTMENT_DROPPED && sequence == 4 && i == 1)
            continue;
        if (b->lie == LIE_ADJUSTMENT_AMOUNT && sequence == 4 && i == 1)
            line.of.adjustment.amount = amount_from_u64(8);
        if (b->lie == LIE_ADJUSTMENT_TWICE && sequence == 4 && i == 0)
            line.of.adjustment = b->batches[1].adjustments[0];
        archive_write_line(&line, out);
    }
}

void write_debts(const struct builder *b, const struct debts *after, uint64_t sequence, struct buf *out)
{
    for (size_t i = 0; i < after->count + b->owed.count; i++) {
        struct address account = i < after->count ? after->list[i].account : b->owed.list[i - after->count].account;
        struct archive_line line = { ARCHIVE_DEBT, { .debt = { account, debts_of(&b->owed, account), debts_of(after, account) } } };

        if (i >= after->count && !amount_is_zero(line.of.debt.after))
            continue;              /* told above */
        if (amount_cmp(line.of.debt.before, line.of.debt.after) == 0)
            continue;
        if (b->lie == LIE_DEBT && sequence == 4)
            assert_true(amount_add(line.of.debt.after, amount_from_u64(1), &line.of.debt.after));
        if (b->lie == LIE_DEBT_FORGIVEN && sequence == 4)
            continue;
        archive_write_line(&line, out);
    }
}

void write_reward_lines(const struct builder *b, const struct totals *before, const struct totals *after, uint64_t sequence,
                               struct buf *out)
{
    size_t written = 0;

    for (size_t i = 0; i < after->count; i++) {
        struct archive_line line = { .type = ARCHIVE_REWARD,
                                     .of.reward = { after->list[i].account, totals_of(before, after->list[i].account), after->list[i].amount } };

        if (amount_cmp(line.of.reward.before, line.of.reward.after) == 0)
            continue;
        if (b->lie == LIE_REWARD_MISSING && sequence == 4 && written++ == 1)
            continue;
        archive_write_line(&line, out);
    }
    if (b->lie == LIE_REWARD_EXTRA && sequence == 4)
        archive_write_line(&(struct archive_line){ .type = ARCHIVE_REWARD, .of.reward = { address_of(STRANGER), AMOUNT_ZERO, amount_from_u64(1) } }, out);
}

void store_archive(struct builder *b, uint64_t sequence, struct buf *text, struct hash *digest)
{
    char path[128];
    struct buf packed;
    struct err err = { 0 };

    *digest = sha256(text->data, text->len);
    if (b->lie == LIE_BYTE && sequence == 3)
        text->data[text->len / 2] ^= 1;
    if (b->lie == LIE_CANCELLED_FILES_MISSING && sequence == 2)
        return;
    buf_init(&packed);
    snprintf(path, sizeof path, "%s/%" PRIu64 ".archive.ndjson%s", b->h->dir, sequence, sequence == 1 ? ".zst" : "");
    if (sequence == 1) {
        assert_true(zstd_pack(text->data, text->len, &packed, &err));
        assert_true(file_write(path, packed.data, packed.len, 0600, &err));
    } else {
        assert_true(file_write(path, text->data, text->len, 0600, &err));
    }
    buf_clear(&packed);
}
