/* gateway/status.h - what stands where, asked of store and chain by a process of its own: for `status` and `--metrics`. */
#ifndef QUITTANCE_STATUS_H
#define QUITTANCE_STATUS_H

#include "chain/rpc.h"
#include "gateway/config.h"
#include "gateway/lib/json.h"
#include "gateway/watchdog/facts.h"
#include "store/db.h"

/* {openBatch:{number,receipts,amount}, unfinishedBatch, lastSettlement:{sequence,state,...}, held, lastSuccess, ...,
 * runCostWei, dayCostWei, noncesTaken:[{account,nonce,sequence,takenBy}]}; times Unix ms, absent where unknown.  Caller owns. */
MUST_USE bool status_store(struct db *db, const struct facts *facts, json **status, struct err *err);
/* Facts of the store, and of the chain where a contract is known; a chain that is away is a fact, not an error.  out, where
 * it is not NULL, gets `store` and `chain`. */
MUST_USE bool status_gather(const struct config *config, struct address signer, struct facts *facts, json *out, struct err *err);
/* The signer's address: out of its keystore file, where no passphrase is needed, or asked of the remote signer. */
MUST_USE bool status_signer(const struct config *config, struct address *signer, struct err *err);
/* All of the above as a file of metrics. */
MUST_USE bool status_write_metrics(const struct config *config, const char *path, struct err *err);

/* [{name,state,why,head,lag,failures,latencyMs}] of every endpoint, as seen by this rpc since it was opened; why is absent while
 * it is up.  Caller owns. */
json *status_endpoints(struct rpc *rpc);

#endif
