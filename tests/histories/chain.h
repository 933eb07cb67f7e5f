/* tests/histories/chain.h - the chain of a history: nothing but the headers that a contract would keep.
 *
 * Settlements are prepared, and caught up on, by the gateway's own code; what it would ask a node it asks here (the calls are
 * wrapped by the linker, see the Makefile).  What was committed is the view that an audit is given. */
#ifndef QUITTANCE_TESTS_HISTORIES_CHAIN_H
#define QUITTANCE_TESTS_HISTORIES_CHAIN_H

#include "gateway/audit/chain_view.h"
#include "gateway/settle/settle.h"

/* One history at a time. */
void chain_begin(uint64_t chain_id, struct address contract, struct address token);
void chain_end(void);
/* header, committedAt and activeAt of the row are set. */
void chain_commit(struct settlement_row *row, uint64_t now_s);
void chain_cancel_last(void);
const struct chain_view *chain_now(void);

#endif
