/* gateway/rebuild/rebuild.h - a new store from published archives and the chain, after a lost disk.
 *
 * Everything is audited first; then it is catching up (catch_up.h) from nothing: providers, models, prices, receipts,
 * postings, settlements and leaves are written.  What archives do not hold comes back otherwise: open receipts are posted
 * again by the nodes, payments are read from the chain by the next run, promises of old groups stay with whoever holds
 * them, API keys are made anew. */
#ifndef QUITTANCE_REBUILD_H
#define QUITTANCE_REBUILD_H

#include "gateway/rebuild/catch_up.h"

struct rebuild_report { uint64_t settlements, receipts, last_sequence; };
/* ERR_CONFLICT: the store is not empty.  ERR_DIFFERS: what is published is not what the chain says.  Where it stops on the
 * way, catch_up goes on.
 * config: the configured contract, archive folder and secret; borrowed.  place: where the published files are. */
MUST_USE bool rebuild_store(const struct settle_config *config, const char *store_url, const char *place, struct rpc *rpc,
                            rebuild_tell_fn *tell, void *self, struct rebuild_report *report, struct err *err);

#endif
