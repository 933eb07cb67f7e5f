/* gateway/core/archive.h - the lines of a batch's published archive (design 6): one JSON object a line, with a `type`.
 *
 * Written by settle, read by audit; nobody else knows the member names.  Order of a file: batch, then price,
 * provider, model, consumer, delegation, capacity lines that first appear here, revocations not told before and an epoch line for each
 * epoch of the popularity pool that is not booked yet, quote and bundle lines of the receipts, then receipts by (jobId, provider), then
 * a popularity line for each epoch booked in this batch, then rewards by account.  With a receipt that a market priced, all steps of
 * that market that took effect by its acceptedAt stand here or in an earlier archive, all capacity announced for the model by then, and
 * what an operator has set in the place of its base, used or not.
 * Where only parties may read, consumer, quote, bundle and receipt lines are sealed (seal.h) and stand in the same places.
 * A consumer line {address, since, enrolled} is the revision in force for a countersigned receipt when it was accepted: where
 * enrolled, that consumer is billed, else, and where there is no line, the treasury.
 * Behind the receipts stand the batch's adjustments by id, in the clear always, and behind the rewards a debt line {account,
 * before, after} for each account that owes another amount than before (debts.h).
 * Amounts are decimal strings, `acceptedAt` Unix ms.  Beyond the design's members: `batch` has token and
 * protocolAccount, `provider` has since, `model` has verifiedAt, `receipt` and `bundle` have the `key` that signed where it is a
 * delegated one, so that nothing outside the files is needed; `contract` stands in a `model` line whose registration was signed for
 * a predecessor of the batch's contract. */
#ifndef QUITTANCE_CORE_ARCHIVE_H
#define QUITTANCE_CORE_ARCHIVE_H

#include "gateway/base/buf.h"
#include "gateway/core/adjustment.h"
#include "gateway/core/catalog.h"
#include "gateway/core/header.h"
#include "gateway/core/ledger.h"
#include "gateway/core/popularity.h"
#include "gateway/core/quote.h"

enum archive_type { ARCHIVE_BATCH, ARCHIVE_PRICE, ARCHIVE_PROVIDER, ARCHIVE_MODEL, ARCHIVE_CONSUMER, ARCHIVE_CAPACITY, ARCHIVE_QUOTE,
                    ARCHIVE_BUNDLE, ARCHIVE_RECEIPT, ARCHIVE_ADJUSTMENT, ARCHIVE_REWARD, ARCHIVE_DEBT,
                    ARCHIVE_SEALED_CONSUMER, ARCHIVE_SEALED_QUOTE, ARCHIVE_SEALED_BUNDLE, ARCHIVE_SEALED,
                    ARCHIVE_EPOCH, ARCHIVE_POPULARITY, ARCHIVE_DELEGATION, ARCHIVE_REVOCATION };
/* One of the catalog: price, provider, model, consumer, delegation, revocation. */
bool archive_is_row(enum archive_type type);
bool archive_is_sealed(enum archive_type type);

struct archive_batch {
    uint64_t chain_id;
    struct address contract, token, protocol_account;
    struct hash parent;
    struct settlement_content content;        /* .archive is zero: a file cannot hold its own digest */
};
/* A bundle signature covers receipts that may lie in other batches, or nowhere: their leaves stand in `others`. */
struct archive_bundle {
    struct receipt_bundle bundle;
    struct signature signature;
    struct address key;                       /* delegated, that made it; zero: the provider itself */
    size_t other_count;
    struct { uint64_t index; struct hash leaf; } *others;     /* owned */
};
struct archive_receipt {
    struct signed_receipt receipt;
    struct address key;                       /* as in a bundle; of a bundled receipt zero */
    bool has_bundle;
    struct hash bundle_root;                  /* which bundle line: (provider, root) */
    uint64_t bundle_index;
    struct hash salt;
    uint64_t accepted_at_ms, price_version;
    struct amount amount;
};
struct archive_reward { struct address account; struct amount before, after; };
struct archive_debt { struct address account; struct amount before, after; };
#define ARCHIVE_WRAP 48
struct archive_sealed {
    struct hash leaf;                         /* of the receipts tree; only of a sealed receipt */
    struct buf box;                           /* owned */
    bool has_wrap;
    uint8_t wrap[ARCHIVE_WRAP];               /* the line's key, sealed for whoever holds the key of the settlement */
};

struct archive_line {
    enum archive_type type;
    union {
        struct archive_batch batch;
        struct price_version price;
        struct provider provider;
        struct model model;
        struct delegation delegation;
        struct revocation revocation;
        struct consumer consumer;
        struct announcement capacity;
        struct issued_quote quote;
        struct archive_bundle bundle;
        struct archive_receipt receipt;
        struct adjustment adjustment;         /* .batch is zero: the file's */
        struct archive_reward reward;
        struct archive_debt debt;
        struct archive_sealed sealed;         /* of all sealed types */
        struct popularity_terms epoch;
        struct popularity popularity;         /* rows owned */
    } of;
};
/* Appends the line and its newline. */
void archive_write_line(const struct archive_line *line, struct buf *out);
/* text without the newline.  ERR_INVALID: not a line of the shapes above; the message names the member. */
MUST_USE bool archive_read_line(const char *text, size_t len, struct archive_line *line, struct err *err);
void archive_line_clear(struct archive_line *line);
/* Where a published file lies: {dir}/{sequence}{suffix}. */
#define ARCHIVE_PATH 4096
void archive_path(const char *dir, uint64_t sequence, const char *suffix, char *path, size_t size);

#endif
