/* gateway/rebuild/parts.h - inside of a rebuild and of catching up; only gateway/rebuild includes this.
 *
 * Both are the same walk over the chain's settlements, from nothing or from where a restored backup ends (each.c).  One
 * settlement is made again in three walks over its archive: fetched and compared with the chain (files.c), gathered, as
 * rows and bundles must be whole before receipts (gather.c), and written, in one writer task together with the settlement
 * itself (batch.c, receipts.c): a crash leaves a store that ends one settlement earlier, and the next start goes on. */
#ifndef QUITTANCE_REBUILD_PARTS_H
#define QUITTANCE_REBUILD_PARTS_H

#include "gateway/audit/bundles.h"
#include "gateway/audit/chain_view.h"
#include "gateway/audit/differs.h"
#include "gateway/audit/recompute.h"
#include "gateway/audit/source.h"
#include "gateway/core/archive.h"
#include "gateway/core/debts.h"
#include "gateway/core/tree.h"
#include "gateway/rebuild/catch_up.h"
#include "gateway/rebuild/rebuild.h"
#include "store/batches.h"
#include "store/receipts.h"
#include "store/writer.h"

/* A bundle may have receipts in several archives: its row is written once. */
struct kept_bundle { struct address provider; struct hash root; uint64_t id; };

struct rebuilding {
    const struct settle_config *config;
    struct rpc *rpc;
    struct writer *writer;
    struct source *published, *own;           /* where the files come from; [archive] dir, where they are kept */
    bool audited;                             /* all that stands was audited before: only what was cancelled is judged here */
    rebuild_tell_fn *tell;
    void *tell_self;
    struct domain domain;
    struct chain_view view;
    uint64_t pending, newest_active;          /* sequences; 0: none */
    uint64_t known;                           /* the store's last sequence when the walk began */
    struct kept_bundle *bundles;              /* owned; sorted by (provider, root) */
    size_t bundle_count;
    struct reward_leaves leaves;              /* after the last settlement that stands */
    struct debts owed;                        /* then */
    uint64_t receipts;
};
int kept_bundle_order(const void *a, const void *b);
void rebuilding_clear(struct rebuilding *r);  /* not the writer */

/* -- the walk (each.c) -- */
/* Both sources; place NULL: only [archive] dir.  rebuilding_clear is due also after a failure. */
MUST_USE bool rebuild_open(struct rebuilding *r, const char *place, struct err *err);
/* The chain as it is confirmed.  ERR_AGAIN: its newest commit or cancel is not yet. */
MUST_USE bool rebuild_read_chain(struct rebuilding *r, struct err *err);
/* How the settlement will stand in the store. */
enum batch_state rebuild_end_of(const struct rebuilding *r, const struct chain_settlement *s);
/* All settlements after the store's last one, each in a task of its own. */
MUST_USE bool rebuild_each(struct rebuilding *r, struct err *err);

/* -- files (files.c) -- */
/* The archive in [archive] dir, its bytes those that the chain names; fetched where it is not there yet.  ERR_DIFFERS,
 * ERR_NOT_FOUND: it cannot be had. */
MUST_USE bool rebuild_fetch(struct rebuilding *r, const struct chain_settlement *s, struct err *err);
/* What is missing in [archive] dir of settlements that the store knows: the archive is fetched, rewards.json made from its
 * leaves. */
MUST_USE bool rebuild_known_files(struct rebuilding *r, struct db *db, struct err *err);
/* Reference price lists as they were published.  No money hangs on them: what fails is told on stderr. */
void rebuild_references(struct rebuilding *r);
/* rewards.json from the leaves that are being written: the same bytes as before. */
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
    bool judged;                              /* nobody has looked at it yet */
    uint64_t sequence;
    struct archive_batch head;
    bool has_head, has_receipt;
    struct job_id first_job;                  /* of the first receipt: tells a batch that is closed here already */
    struct address first_provider;
    struct archive_line *rows;                /* owned; prices, providers, models, consumers, capacities, quotes */
    size_t row_count, row_capacity;
    struct popularity_terms *epochs;          /* owned; those that the archive announces */
    struct popularity *booked;                /* owned, with their rows; those that it books */
    size_t epoch_count, booked_count;
    struct adjustment *adjustments;           /* owned */
    size_t adjustment_count;
    struct gathered_bundle *bundles;          /* owned; sorted by (provider, root) from the first receipt on */
    size_t bundle_count, bundle_capacity;
    struct bundles checked;                   /* where judged */
    struct quotes quotes;
};
MUST_USE bool gather_archive(struct rebuilding *r, const struct chain_settlement *s, struct gathered *g, struct err *err);
void gathered_clear(struct gathered *g);
struct gathered_bundle *gathered_bundle_of(const struct gathered *g, const struct archive_receipt *r);    /* NULL: none */

/* -- second walk (batch.c, receipts.c) -- */
/* One settlement while it is written. */
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
    struct totals credits;                    /* the judge's; not asked for here */
    struct tree_stream tree;
    struct amount amount;
    uint64_t held, here;                      /* receipts that the batch held before; those of them that the archive lists */
    uint64_t *rebook;                         /* owned; batches that gave receipts away, each once */
    size_t rebook_count;
    struct reward_leaves after;
    struct debts owed;
};
/* Writes the settlement of a fetched archive; end: the state it is left in.  What is judged on the way and does not hold is
 * an error and leaves the store as it was. */
MUST_USE bool rebuild_settlement(struct rebuilding *r, const struct chain_settlement *s, enum batch_state end, struct err *err);
/* A cancelled settlement whose archive is missing or false: an empty batch stands for it, so that sequences go on. */
MUST_USE bool rebuild_lost(struct rebuilding *r, const struct chain_settlement *s, struct err *err);
/* The batch holds the archive's receipts, each booked as the archive says, and no other; those that were elsewhere in the
 * store are moved, with their promises.  ERR_DIFFERS: one was settled before, or the sums are not the chain's. */
MUST_USE bool receipts_fill(struct filling *f, struct err *err);
/* pool.c: the epochs that the archive announces have their rows before its receipts; those that it books are of this batch then,
 * with their postings, and no others are.  pool_count: what a receipt paid to the protocol. */
MUST_USE bool pool_announce(struct filling *f, struct err *err);
MUST_USE bool pool_count(struct filling *f, uint64_t batch, const struct receipt_row *row, const struct price_version *price,
                         struct err *err);
MUST_USE bool pool_fill(struct filling *f, struct err *err);
/* The postings of what is booked in a batch, into it again; their sum is added to *amount. */
MUST_USE bool pool_rebook(struct filling *f, uint64_t batch, struct amount *amount, struct err *err);
/* strays.c: what the batch holds and the archive does not list goes on into the open one, as it is. */
MUST_USE bool strays_move_on(struct filling *f, struct err *err);
/* corrections.c: those of the archive into the batch; what it held besides goes on into the open one. */
MUST_USE bool corrections_fill(struct filling *f, struct err *err);
MUST_USE bool corrections_move_on(struct filling *f, uint64_t from, uint64_t to, struct err *err);
MUST_USE bool corrections_rebook(struct filling *f, uint64_t batch, struct err *err);      /* only their postings */
/* This batch's receipts are to be booked anew, as some were moved; then all of those. */
/* A receipt or correction is taken out of a batch only while nobody is paid by it; `what` is said where it differs. */
MUST_USE bool rebuild_take_from(struct filling *f, uint64_t from, enum difference kind, const char *what, struct err *err);
void receipts_moved(struct filling *f, uint64_t batch);
MUST_USE bool receipts_rebook(struct filling *f, struct err *err);
/* The root over the receipts that the store holds in a batch. */
MUST_USE bool receipts_root(struct filling *f, uint64_t batch, struct hash *root, struct err *err);

#endif
