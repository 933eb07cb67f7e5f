/* tests/support/history_parts.h - what the history*.c share: who there is, and the batches to settle. */
#ifndef QUITTANCE_TESTS_HISTORY_PARTS_H
#define QUITTANCE_TESTS_HISTORY_PARTS_H

#include "gateway/base/mem.h"
#include "gateway/core/archive.h"
#include "gateway/core/debts.h"
#include "gateway/lib/crypt.h"
#include "tests/support/history.h"

#define START_MS UINT64_C(1790000000000)

/* The number is the secret key. */
enum who { PROVIDER_A = 1, PROVIDER_B, PAYOUT_B, BASE_CREATOR, CHILD_CREATOR, PROTOCOL, CONSUMER, STRANGER, LENT_KEY };
struct address address_of(int who);
struct signature signed_by_key(int who, struct hash digest);

enum row_index { ROW_PRICE_ANY, ROW_PRICE_CHILD, ROW_PROVIDER_A, ROW_PROVIDER_B, ROW_MODEL_BASE, ROW_MODEL_CHILD,
                 ROW_CONSUMER, ROW_CONSUMER_GONE, ROW_DELEGATION, ROW_REVOCATION };
#define ROWS (ROW_REVOCATION + 1)
#define RECEIPTS_MAX 8

struct batch {
    size_t rows[ROWS], row_count;             /* those that appear here first */
    bool has_bundle;
    struct archive_line bundle;
    struct archive_receipt receipts[RECEIPTS_MAX];
    size_t count;
    struct adjustment adjustments[2];
    size_t adjustment_count;
};
struct builder {
    struct history *h;
    enum lie lie;
    bool sealed;
    struct domain domain;
    struct address token;
    struct archive_line rows[ROWS];
    struct catalog *catalog;
    struct batch batches[3];
    struct hash parent;
    struct totals leaves;
    struct popularity pool;                   /* of epoch 1, as it is booked */
    struct debts owed;
};
void builder_fill(struct builder *b);
void builder_clear(struct builder *b);

/* history_pool.c */
void pool_fill_in(struct builder *b);
void pool_credit(const struct builder *b, uint64_t sequence, struct totals *credits);
void write_epochs(const struct builder *b, uint64_t sequence, struct buf *out);
void write_popularity(const struct builder *b, uint64_t sequence, struct buf *out);

/* Parts of an archive, in their order; then the file, and its digest as committed. */
void write_rows(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out);
void write_receipts(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out);
void write_adjustments(const struct builder *b, const struct batch *batch, uint64_t sequence, struct buf *out);
void write_debts(const struct builder *b, const struct debts *after, uint64_t sequence, struct buf *out);
void write_reward_lines(const struct builder *b, const struct totals *before, const struct totals *after, uint64_t sequence,
                        struct buf *out);
void store_archive(struct builder *b, uint64_t sequence, struct buf *text, struct hash *digest);
void write_rewards(const struct builder *b, const struct settlement_content *content, const struct totals *leaves);

#endif
