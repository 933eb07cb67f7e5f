#include "tests/support/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/core/tree.h"
#include "tests/support/fixture.h"
#include "tests/support/folder.h"
#include "tests/support/history_parts.h"

static struct amount tokens(uint64_t n)
{
    return amount_from_u64(n);
}

/* ---- what the receipts of a batch give ---- */

static void add(struct totals *s, struct address account, struct amount amount)
{
    struct err err = { 0 };

    assert_true(totals_add(s, account, amount, &err));
}

static void credit(const struct builder *b, const struct batch *batch, bool skip_lineage, struct totals *credits)
{
    struct err err = { 0 };

    for (size_t i = 0; i < batch->count; i++) {
        const struct archive_receipt *r = &batch->receipts[i];
        struct shares shares = { 0 };

        assert_true(ledger_split(b->catalog, &r->receipt.receipt, catalog_price_version(b->catalog, r->price_version), r->amount,
                                 address_of(PROTOCOL), r->accepted_at_ms, &shares, &err));
        for (size_t k = 0; k < shares.count; k++)
            add(credits, skip_lineage && shares.list[k].role == ROLE_LINEAGE ? address_of(CHILD_CREATOR) : shares.list[k].account,
                shares.list[k].amount);
        shares_clear(&shares);
    }
    assert_true(totals_sort(credits, &err));
}

/* ---- a settlement ---- */

static struct hash receipts_root(const struct batch *batch)
{
    struct hash leaves[RECEIPTS_MAX];

    for (size_t i = 0; i < batch->count; i++) {
        const struct archive_receipt *r = &batch->receipts[i];

        leaves[i] = tree_receipts_leaf(i, r->receipt.receipt.job_id, r->receipt.receipt.provider, r->salt,
                                       receipt_struct_hash(&r->receipt.receipt));
    }
    return tree_root(leaves, batch->count);
}

static struct hash leaves_root(const struct builder *b, const struct totals *leaves)
{
    struct hash hashes[16];

    for (size_t i = 0; i < leaves->count; i++)
        hashes[i] = tree_rewards_leaf(leaves->list[i].account, b->token, leaves->list[i].amount);
    return tree_root(hashes, leaves->count);
}

/* Moves amount between two leaves. */
static void shift(struct totals *leaves, struct address from, struct address to, struct amount amount)
{
    for (size_t i = 0; i < leaves->count; i++) {
        struct amount *leaf = &leaves->list[i].amount;

        if (address_eq(leaves->list[i].account, from))
            assert_true(amount_sub(*leaf, amount, leaf));
        if (address_eq(leaves->list[i].account, to))
            assert_true(amount_add(*leaf, amount, leaf));
    }
}

/* What the corrections of the batch and the debts before it make of the credits. */
static void correct(const struct builder *b, const struct batch *batch, struct totals *credits, struct debts *owed)
{
    struct nets nets = { 0 };
    struct err err = { 0 };

    for (size_t i = 0; i < credits->count; i++)
        assert_true(nets_add(&nets, credits->list[i].account, credits->list[i].amount, AMOUNT_ZERO, &err));
    for (size_t i = 0; i < batch->adjustment_count; i++) {
        struct share credit = adjustment_credit(&batch->adjustments[i]), debit = adjustment_debit(&batch->adjustments[i]);

        assert_true(nets_add(&nets, credit.account, credit.amount, AMOUNT_ZERO, &err));
        assert_true(nets_add(&nets, debit.account, AMOUNT_ZERO, debit.amount, &err));
    }
    totals_clear(credits);
    assert_true(nets_settle(&nets, &b->owed, address_of(PROTOCOL), owed, &err));
    for (size_t i = 0; i < nets.count; i++)
        add(credits, nets.list[i].account, nets.list[i].growth);
    assert_true(totals_sort(credits, &err));
    nets_clear(&nets);
}

static void next_leaves(const struct builder *b, const struct batch *batch, uint64_t sequence, struct totals *after, struct debts *owed)
{
    struct totals credits = { 0 };
    struct err err = { 0 };

    credit(b, batch, b->lie == LIE_LINEAGE_SKIPPED && sequence == 4, &credits);
    pool_credit(b, sequence, &credits);
    correct(b, batch, &credits, owed);
    totals_copy(&b->leaves, after);
    for (size_t i = 0; i < credits.count; i++)
        add(after, credits.list[i].account, credits.list[i].amount);
    assert_true(totals_sort(after, &err));
    if (sequence == 4 && b->lie == LIE_SPLIT)
        shift(after, address_of(PROVIDER_A), address_of(PROTOCOL), tokens(1));
    if (sequence == 4 && b->lie == LIE_PAYOUT)
        shift(after, address_of(PAYOUT_B), address_of(PROVIDER_A), tokens(5));
    if (sequence == 4 && b->lie == LIE_LEAF_FELL) {
        struct amount grown = totals_of(&credits, address_of(PAYOUT_B));

        assert_true(amount_add(grown, tokens(1), &grown));
        shift(after, address_of(PAYOUT_B), address_of(PROTOCOL), grown);
    }
    totals_clear(&credits);
}

static void record(struct builder *b, const struct settlement_content *content, bool cancelled)
{
    struct chain_settlement *s = &b->h->view.list[b->h->view.count++];
    uint64_t timestamp_s = START_MS / 1000 + 100 * content->sequence;

    b->parent = header_next(b->parent, content, timestamp_s);
    *s = (struct chain_settlement){
        .event = { content->sequence, content->receipts, timestamp_s, content->receipts_root, content->rewards_root, content->archive,
                   b->parent, content->total },
        .block = 10 * content->sequence, .timestamp_s = timestamp_s, .cancelled = cancelled,
    };
    if (cancelled)
        b->parent = header_cancelled(b->parent);
    s->header = b->parent;
    if (b->lie == LIE_HEADER && content->sequence == 3)
        s->header.b[0] ^= 1;
    if (b->lie == LIE_CANCEL_HIDDEN)
        s->cancelled = false;
}

static void settle(struct builder *b, uint64_t sequence, const struct batch *batch, bool cancelled)
{
    struct settlement_content content = { .sequence = sequence, .receipts = batch->count, .receipts_root = receipts_root(batch) };
    struct archive_line first = { .type = ARCHIVE_BATCH };
    struct totals after = { 0 };
    struct debts owed = { 0 };
    struct err err = { 0 };
    struct buf text;
    bool here = sequence == 4;

    next_leaves(b, batch, sequence, &after, &owed);
    content.rewards_root = leaves_root(b, &after);
    assert_true(totals_sum(&after, &content.total, &err));
    if (here && b->lie == LIE_RECEIPTS_ROOT)
        content.receipts_root.b[3] ^= 1;
    if (here && b->lie == LIE_REWARDS_ROOT)
        content.rewards_root.b[3] ^= 1;
    if (here && b->lie == LIE_TOTAL)
        assert_true(amount_add(content.total, tokens(1), &content.total));
    first.of.batch = (struct archive_batch){ b->domain.chain_id, b->domain.contract, b->token, address_of(PROTOCOL), b->parent, content };
    if (here && b->lie == LIE_BATCH_PARENT)
        first.of.batch.parent.b[0] ^= 1;
    buf_init(&text);
    archive_write_line(&first, &text);
    write_rows(b, batch, sequence, &text);
    write_receipts(b, batch, sequence, &text);
    write_adjustments(b, batch, sequence, &text);
    write_popularity(b, sequence, &text);
    write_reward_lines(b, &b->leaves, &after, sequence, &text);
    write_debts(b, &owed, sequence, &text);
    store_archive(b, sequence, &text, &content.archive);
    write_rewards(b, &content, &after);
    buf_clear(&text);
    record(b, &content, cancelled);
    if (!cancelled || b->lie == LIE_CANCELLED_COUNTED)
        totals_copy(&after, &b->leaves);
    if (!cancelled || b->lie == LIE_CANCELLED_COUNTED) {
        debts_clear(&b->owed);
        b->owed = owed;
    } else {
        debts_clear(&owed);
    }
    totals_clear(&after);
}

/* ---- the chain's side ---- */

static void pay(struct builder *b)
{
    struct chain_payments *p = &b->h->payments;
    struct err err = { 0 };

    p->active_root = b->h->view.active_root;
    assert_true(totals_sum(&b->leaves, &p->total, &err));
    for (size_t i = 0; i < b->leaves.count; i++) {
        struct account_sum leaf = b->leaves.list[i];

        if (i == 1)
            leaf.amount = tokens(7);       /* paid under an earlier root */
        add(&p->claimed, leaf.account, leaf.amount);
        if (i == 0 && b->lie == LIE_PAYMENT_MISSING)
            continue;
        add(&p->transfers, leaf.account, leaf.amount);
        if (i == 0 && b->lie == LIE_PAYMENT_DOUBLED)
            add(&p->transfers, leaf.account, leaf.amount);
    }
    if (b->lie == LIE_PAYMENT_OVER_LEAF) {
        add(&p->claimed, b->leaves.list[0].account, tokens(1));
        add(&p->transfers, b->leaves.list[0].account, tokens(1));
    }
    if (b->lie == LIE_PAYMENT_TO_STRANGER) {
        add(&p->claimed, address_of(99), AMOUNT_ZERO);
        add(&p->transfers, address_of(99), tokens(1));
    }
    assert_true(totals_sort(&p->claimed, &err) && totals_sort(&p->transfers, &err) && totals_sum(&p->claimed, &p->total_claimed, &err));
    if (b->lie == LIE_TOTAL_CLAIMED)
        assert_true(amount_add(p->total_claimed, tokens(1), &p->total_claimed));
}

const uint8_t history_secret[32] = { 0x5e, 0xc2, 0xe7 };

static void make(struct history *h, enum lie lie, bool sealed)
{
    struct builder b = { .h = h, .lie = lie, .sealed = sealed };

    *h = (struct history){ .lie = lie };
    folder_make("history", h->dir, sizeof h->dir);
    builder_fill(&b);
    h->view = (struct chain_view){ .chain_id = b.domain.chain_id, .contract = b.domain.contract, .token = b.token,
                                   .first_header = header_first(b.domain.chain_id, b.domain.contract, b.token),
                                   .list = mem_array(HISTORY_SETTLEMENTS, sizeof *h->view.list) };
    b.parent = h->view.first_header;
    settle(&b, 1, &b.batches[0], false);
    settle(&b, 2, &b.batches[1], true);
    settle(&b, 3, &b.batches[1], false);
    settle(&b, 4, &b.batches[2], false);
    h->view.active_root = h->view.list[3].event.rewards_root;
    pay(&b);
    builder_clear(&b);
}

void history_make(struct history *h, enum lie lie)
{
    make(h, lie, false);
}

void history_make_sealed(struct history *h, enum lie lie)
{
    make(h, lie, true);
}

void history_clear(struct history *h)
{
    static const char *const suffixes[] = { ".archive.ndjson", ".archive.ndjson.zst", ".rewards.json" };
    char path[128];

    for (int i = 1; i <= HISTORY_SETTLEMENTS; i++)
        for (size_t k = 0; k < ARRAY_LEN(suffixes); k++) {
            snprintf(path, sizeof path, "%s/%d%s", h->dir, i, suffixes[k]);
            unlink(path);
        }
    rmdir(h->dir);
    chain_view_clear(&h->view);
    chain_payments_clear(&h->payments);
}
