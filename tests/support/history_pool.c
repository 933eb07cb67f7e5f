/* The popularity pool of history.h: epoch 1 holds the first two batches, is announced from the first archive on and booked in the
 * last; epoch 2 runs on.  One job was countersigned while its consumer was enrolled, so one model is popular. */
#include "gateway/core/popularity.h"
#include "tests/support/fixture.h"
#include "tests/support/history_parts.h"

#define EPOCH_MS 20000u

static struct popularity_terms terms_of(uint64_t epoch)
{
    return (struct popularity_terms){ epoch, START_MS + (epoch - 1) * EPOCH_MS, START_MS + epoch * EPOCH_MS, amount_from_u64(1000), 5000 };
}

void pool_fill_in(struct builder *b)
{
    struct popularity_fees fees = { 0 };
    struct err err = { 0 };

    b->pool.terms = terms_of(1);
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < b->batches[n].count; i++) {
            const struct archive_receipt *r = &b->batches[n].receipts[i];
            struct share charge = ledger_charge(b->catalog, &r->receipt, r->amount, r->accepted_at_ms);
            struct popularity_fee fee = { charge.model, charge.account,
                                          popularity_fee_of(catalog_price_version(b->catalog, r->price_version), r->amount) };

            if (charge.role == ROLE_CONSUMER || (b->lie == LIE_POOL_TREASURY && n == 1))
                assert_true(popularity_fees_add(&fees, &fee, &err));
        }
    assert_true(popularity_fees_sort(&fees, &err) && popularity_score(&fees, &b->pool, &err));
    if (b->lie == LIE_POOL_FEES)
        assert_true(amount_add(b->pool.rows[0].fees, b->pool.rows[0].fees, &b->pool.rows[0].fees));
    if (b->lie == LIE_POOL_SCORE)
        assert_true(u256_mul_u64(b->pool.rows[0].score, 2, &b->pool.rows[0].score));
    assert_true(popularity_share(&b->pool, &err));
    if (b->lie == LIE_POOL_SHARE)
        assert_true(amount_add(b->pool.rows[0].share, amount_from_u64(1), &b->pool.rows[0].share));
    if (b->lie == LIE_POOL_CARRY)
        assert_true(amount_add(b->pool.carried_out, amount_from_u64(1), &b->pool.carried_out));
    popularity_fees_clear(&fees);
}

void pool_credit(const struct builder *b, uint64_t sequence, struct totals *credits)
{
    struct shares shares = { 0 };
    struct err err = { 0 };

    if (sequence != 4 || b->lie == LIE_POOL_UNPAID)
        return;
    assert_true(popularity_credits(b->catalog, &b->pool, &shares, &err));
    for (size_t i = 0; i < shares.count; i++)
        assert_true(totals_add(credits, shares.list[i].account, shares.list[i].amount, &err));
    shares_clear(&shares);
}

void write_epochs(const struct builder *b, uint64_t sequence, struct buf *out)
{
    for (uint64_t epoch = 1; epoch <= (sequence == 4 ? 2u : 1u); epoch++) {
        struct archive_line line = { .type = ARCHIVE_EPOCH, .of.epoch = terms_of(epoch) };

        if (b->lie == LIE_EPOCH_LATE && sequence < 3)
            continue;
        if (b->lie == LIE_EPOCH_TERMS && sequence == 4 && epoch == 1)
            line.of.epoch.budget = amount_from_u64(1001);
        archive_write_line(&line, out);
    }
}

void write_popularity(const struct builder *b, uint64_t sequence, struct buf *out)
{
    struct archive_line line = { .type = ARCHIVE_POPULARITY, .of.popularity = b->pool };

    if (sequence != 4)
        return;
    if (b->lie == LIE_POOL_CAP)
        line.of.popularity.terms.cap_bps = BPS;
    archive_write_line(&line, out);
    if (b->lie == LIE_POOL_TWICE)
        archive_write_line(&line, out);
}
