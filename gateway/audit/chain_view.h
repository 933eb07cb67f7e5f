/* gateway/audit/chain_view.h - what the chain says, as data: all settlements ever committed, and all that was paid.
 *
 * Read by rpc here; every check takes the data alone, so tests make it up. */
#ifndef QUITTANCE_AUDIT_CHAIN_VIEW_H
#define QUITTANCE_AUDIT_CHAIN_VIEW_H

#include "chain/settlement.h"
#include "gateway/audit/totals.h"

struct chain_settlement {
    struct committed_event event;
    uint64_t block, timestamp_s;
    struct hash header;                       /* as the contract holds it now: another one after a cancel */
    struct hash parent;                       /* filled by chain_view_check */
    bool cancelled;
};
struct chain_view {
    uint64_t chain_id;
    struct address contract, token;
    struct hash first_header;                 /* header(0) */
    struct chain_settlement *list;            /* owned; list[i] is sequence i + 1 */
    size_t count;
    struct hash active_root;
};
void chain_view_clear(struct chain_view *view);
/* ERR_CHAIN: the node has not all events (is deploy_block right?). */
MUST_USE bool chain_view_read(struct rpc *rpc, uint64_t chain_id, struct address contract, uint64_t deploy_block,
                              struct chain_view *view, struct err *err);
/* Recomputes the chain of headers from the events; fills the parents. */
MUST_USE bool chain_view_check(struct chain_view *view, struct err *err);

/* What went out of the contract. */
struct chain_payments {
    struct hash active_root;
    struct amount total, total_claimed;       /* under the active root; so far */
    struct totals transfers;                    /* the token's Transfer logs from the contract, per account */
    struct totals claimed;                      /* claimed(account) of every account with a leaf or a transfer */
};
void chain_payments_clear(struct chain_payments *payments);
/* All as of one moment: read again while somebody is being paid. */
MUST_USE bool chain_payments_read(struct rpc *rpc, const struct chain_view *view, uint64_t deploy_block,
                                  const struct totals *leaves, struct chain_payments *payments, struct err *err);

/* Calls take for each log with these topics, in order, in ranges of blocks that nodes accept. */
typedef bool log_fn(void *self, const struct log_entry *log, struct err *err);
MUST_USE bool chain_logs(struct rpc *rpc, struct address address, const struct hash *const *topics, size_t topic_count,
                         uint64_t from, uint64_t to, log_fn *take, void *self, struct err *err);

#endif
