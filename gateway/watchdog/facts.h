/* gateway/watchdog/facts.h - gathering what findings are judged by, from the store and from the chain.
 *
 * Each fills its own members and leaves the others; on an error all are as before. */
#ifndef QUITTANCE_WATCHDOG_FACTS_H
#define QUITTANCE_WATCHDOG_FACTS_H

#include "gateway/settle/runner.h"
#include "gateway/watchdog/findings.h"

/* All but chain, as a run or the service left it in the store. */
MUST_USE bool facts_of_store(struct db *db, uint64_t now_ms, struct facts *facts, struct err *err);
/* What the settling thread of this process knows better than the store. */
void facts_of_runner(const struct run_report *report, struct facts *facts);

/* confirmations: as in the settings, 0: the finalized tag. */
struct chain_question { struct address contract, token, signer; struct wei max_fee; uint64_t confirmations; };
/* Asks the chain for what the view does not tell, and the store of the same moment or later than the view: what it prepared
 * is there before it is on the chain. */
MUST_USE bool facts_of_chain(struct rpc *rpc, struct db *db, const struct chain_question *question,
                             const struct settlement_view *view, uint64_t now_ms, struct chain_facts *facts, struct err *err);
/* The chain could not be asked; what it said before stays. */
void facts_of_no_chain(uint64_t now_ms, const struct err *why, struct chain_facts *facts);
/* How the endpoints fared that were asked; after either of the others. */
void facts_of_endpoints(struct rpc *rpc, struct chain_facts *facts);

#endif
