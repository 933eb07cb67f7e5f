/* gateway/audit/predecessors.h - whether registrations made for another contract count for this one.
 *
 * A creator signs a registration for one contract.  It counts for the contract that this one's owner names when retiring it
 * (event Retired), and for that one's successor, and so on: the last word of each counts, from its announcement on. */
#ifndef QUITTANCE_AUDIT_PREDECESSORS_H
#define QUITTANCE_AUDIT_PREDECESSORS_H

#include "gateway/audit/chain_view.h"
#include "gateway/audit/rows.h"

/* Every contract that models so far were registered for, but ours.  from_block: events before it are not seen.  ERR_DIFFERS
 * names the first model whose contract does not lead here. */
MUST_USE bool predecessors_check(struct rpc *rpc, const struct chain_view *view, uint64_t from_block, const struct rows *rows,
                                 struct err *err);

#endif
