/* gateway/rebuild/parts.h - inside of a rebuild; only gateway/rebuild includes this.
 *
 * A settlement is made again in three walks over its archive: fetched and checked against the chain (files.c),
 * gathered, as rows and bundles must be whole before receipts (gather.c), and written, in one writer task together
 * with the settlement itself (batch.c). */
#ifndef QUITTANCE_REBUILD_PARTS_H
#define QUITTANCE_REBUILD_PARTS_H

#include "gateway/audit/bundles.h"
#include "gateway/audit/chain_view.h"
#include "gateway/audit/source.h"
#include "gateway/core/archive.h"
#include "gateway/rebuild/rebuild.h"
#include "store/batches.h"
#include "store/writer.h"

/* A bundle may have receipts in several archives: its row is written once. */
struct kept_bundle { struct address provider; struct hash root; uint64_t id; };

struct rebuilding {
    const struct settle_config *config;
    const char *store_url;
    struct rpc *rpc;
    struct writer *writer;
    struct source *published, *own;           /* where the files come from; [archive] dir, where they are kept */
    struct domain domain;
    struct chain_view view;
    uint64_t pending, newest_active;          /* sequences; 0: none */
    struct kept_bundle *bundles;              /* owned; sorted by (provider, root) */
    size_t bundle_count;
    struct reward_leaves leaves;              /* after the last settlement that stands */
    uint64_t receipts;
};
int kept_bundle_order(const void *a, const void *b);

/* -- files (files.c) -- */
/* The archive in [archive] dir, its bytes those that the chain names; fetched where it is not there yet.  ERR_DIFFERS,
 * ERR_NOT_FOUND: it cannot be had. */
MUST_USE bool rebuild_fetch(struct rebuilding *r, const struct chain_settlement *s, struct err *err);
/* rewards.json from the leaves that were just written: the same bytes as before. */
MUST_USE bool rebuild_rewards(const struct rebuilding *r, const struct chain_settlement *s, const struct reward_leaves *after,
                              struct err *err);

/* A line as it was before it was sealed.  ERR_CONFIG: sealed, and the secret is not the one it was sealed under. */
MUST_USE bool rebuild_read_line(const char *text, size_t len, const uint8_t *secret, uint64_t sequence,
                                struct archive_line *line, struct err *err);

/* -- first walk (gather.c) -- */
struct gathered_bundle {
    struct archive_bundle line;               /* without its others */
    struct hash *leaves;                      /* owned; of its tree, in the order sent */
    uint64_t id;                              /* of its row, once it has one */
    bool fresh;                               /* that row was written now */
};
struct gathered {
    bool judged;                              /* of a cancelled settlement: nobody has looked at it yet */
    uint64_t sequence;
    struct archive_batch head;
    bool has_head, has_receipt;
    struct job_id first_job;                  /* of the first receipt: tells a batch that was carried */
    struct address first_provider;
    struct archive_line *rows;                /* owned; prices, providers, models */
    size_t row_count, row_capacity;
    struct gathered_bundle *bundles;          /* owned; sorted by (provider, root) from the first receipt on */
    size_t bundle_count, bundle_capacity;
    struct bundles checked;                   /* where judged */
};
MUST_USE bool gather_archive(struct rebuilding *r, const struct chain_settlement *s, struct gathered *g, struct err *err);
void gathered_clear(struct gathered *g);
struct gathered_bundle *gathered_bundle_of(const struct gathered *g, const struct archive_receipt *r);    /* NULL: none */

/* -- second walk (batch.c) -- */
/* Writes the settlement of a fetched archive; end: the state it is left in.  A cancelled one is judged on the way, as the
 * audit passes it by: what does not hold is an error and leaves the store as it was. */
MUST_USE bool rebuild_settlement(struct rebuilding *r, const struct chain_settlement *s, enum batch_state end, struct err *err);
/* A cancelled settlement whose archive is missing or false: an empty batch stands for it, so that sequences go on. */
MUST_USE bool rebuild_lost(struct rebuilding *r, const struct chain_settlement *s, struct err *err);

#endif
