/* gateway/audit/replay.h - goes through the archives in order and keeps what follows from them: the leaves.
 *
 * A cancelled settlement pays nothing, so it changes nothing here: its batch comes again under another sequence. */
#ifndef QUITTANCE_AUDIT_REPLAY_H
#define QUITTANCE_AUDIT_REPLAY_H

#include "gateway/audit/audit.h"
#include "gateway/audit/chain_view.h"
#include "gateway/audit/corrections.h"
#include "gateway/audit/market.h"
#include "gateway/audit/pool.h"
#include "gateway/audit/rows.h"
#include "gateway/audit/seen.h"
#include "gateway/audit/signatures.h"

struct replay {
    const struct chain_view *view;            /* borrowed */
    struct audit_keys *keys;                  /* borrowed; may be NULL */
    struct domain domain;
    struct rows *rows;
    struct market_audit *market;
    struct hash *cancelled;                   /* owned; receipts roots of cancelled settlements that did not come again yet */
    size_t cancelled_count;
    struct seen seen;
    struct pool_audit pool;
    struct signatures *signatures;            /* of receipts signed one by one, under way on all cores */
    struct corrections corrections;
    struct totals charges;                    /* what consumers are billed, by the receipts that were recomputed */
    struct totals leaves;                       /* after the last settlement that stands */
    struct hash root;                         /* of them */
    bool has_active;
    struct totals active;                       /* the leaves under view->active_root, once it was passed */
};
void replay_init(struct replay *r, const struct chain_view *view);
void replay_clear(struct replay *r);

typedef void replay_progress(void *self, uint64_t sequence, uint64_t receipts);
struct progress { replay_progress *tell; void *self; uint64_t receipts, sealed; };      /* tell may be NULL; receipts so far */
/* The archive and rewards.json of one settlement that stands. */
MUST_USE bool replay_settlement(struct replay *r, const struct chain_settlement *s, struct source *source,
                                struct progress *progress, struct err *err);
/* These receipts stand now, or were cancelled: markets are judged by all receipts. */
void replay_note(struct replay *r, const struct chain_settlement *s);
/* One that stands and was found true before. */
MUST_USE bool replay_known(struct replay *r, const struct chain_settlement *s, struct source *source, struct progress *progress,
                           struct err *err);
void replay_keep_leaves(struct replay *r, const struct chain_settlement *s, const struct totals *owned);      /* the new ones */
/* A cancelled one: only rows of the catalog, that later batches may build on; its files may be missing or false. */
MUST_USE bool replay_cancelled(struct replay *r, const struct chain_settlement *s, struct source *source, struct err *err);

#endif
