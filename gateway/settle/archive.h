/* gateway/settle/archive.h - makes the published files of one settlement: the archive and rewards.json (design 6). */
#ifndef QUITTANCE_SETTLE_ARCHIVE_H
#define QUITTANCE_SETTLE_ARCHIVE_H

#include "gateway/core/archive.h"
#include "gateway/core/debts.h"
#include "gateway/settle/settle.h"

struct published {
    struct archive_batch batch;               /* content without .archive */
    uint64_t number;                          /* of the batch */
    struct batch_receipts *receipts;          /* of it, borrowed */
    const struct hash *tops;                  /* of the frames of its receipts tree (store/archive_file.h), borrowed; NULL: not known */
    bool sealed;                              /* only parties may read receipts (seal.h) */
    const struct reward_leaves *before, *after;
    const struct debts *owed_before, *owed;
};
/* Of a batch that is closed, outside a transaction.  Streams lines from the store to {dir}/{sequence}.archive.ndjson (complete or
 * absent) and, packed, to the same with .zst behind it, with its index (store/archive_file.h); the digest is that of the plain bytes. */
MUST_USE bool archive_write(const char *dir, struct db *db, const struct published *p, const uint8_t secret[32],
                            struct hash *digest, struct err *err);
/* rewards.json as served, {id, metadata, root, tree:[{account, reward, claimable, proof}]}, but for metadata.active,
 * which is added on serving. */
MUST_USE bool rewards_write(const char *dir, const struct published *p, struct err *err);

#endif
