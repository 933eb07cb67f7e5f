/* gateway/audit/audit.h - recomputes everything from published files and the chain, with no store (design 6).
 *
 * For each settlement in order: the archive's digest against the chain's header, every struct hash, receipt signature
 * (or bundle root and signature), price choice, amount, split, both roots, cumulative sums, that no leaf fell, and
 * finally what the contract has paid (claimed) against the leaves.  Stops at the first thing that differs and names it:
 * ERR_DIFFERS with sequence, kind (differs.h), place and both values. */
#ifndef QUITTANCE_AUDIT_AUDIT_H
#define QUITTANCE_AUDIT_AUDIT_H

#include "chain/rpc.h"
#include "gateway/audit/keys.h"
#include "gateway/audit/source.h"

struct audit_config {
    struct address contract;
    uint64_t chain_id;
    uint64_t deploy_block;         /* where the contract's logs begin; 0: from the start */
    uint64_t last_sequence;        /* 0: all that are committed */
    /* Up to here an earlier audit found all true, when the contract's header of that settlement is this one: the header binds
     * all that led to it, so those are only read for what later ones build on.  Else, and with 0, all is audited. */
    uint64_t known_sequence;
    struct hash known_header;
    void (*audited)(void *self, uint64_t sequence, struct hash header);      /* after each that was; may be NULL */
    void *audited_self;
    struct audit_keys *keys;       /* of sealed lines, borrowed; NULL: only what is public is checked */
    void (*progress)(void *self, uint64_t sequence, uint64_t last, uint64_t receipts);      /* may be NULL */
    void *progress_self;
};
struct audit_report {
    uint64_t settlements, cancelled, receipts, accounts, last_sequence;
    uint64_t sealed;               /* receipts that no key opened: counted and in the root, nothing else */
    struct amount total, paid;     /* of the last root that stands; out of the contract so far */
    struct amount charged;         /* billed to consumers, by the receipts that were recomputed */
    uint64_t false_sequence;       /* on ERR_DIFFERS: the settlement that is false; 0: the headers or the payments are */
    char last_checked[64];         /* what was being looked at when it stopped */
};
/* rpc and source are borrowed; the report tells how far it came, also on failure.  ERR_NOT_FOUND: a file is missing;
 * ERR_AGAIN: the chain is away. */
MUST_USE bool audit_run(const struct audit_config *config, struct source *source, struct rpc *rpc,
                        struct audit_report *report, struct err *err);

/* The parts of it that need no chain, for who has it as data (chain_view.h): headers and all files, then payments. */
struct chain_view;
struct chain_payments;
struct replay;
MUST_USE bool audit_files(const struct audit_config *config, struct chain_view *view, struct source *source,
                          struct replay *replay, struct audit_report *report, struct err *err);
MUST_USE bool audit_payments(const struct audit_config *config, const struct chain_payments *payments,
                             const struct replay *replay, struct audit_report *report, struct err *err);

#endif
