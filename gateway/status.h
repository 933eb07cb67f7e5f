/* gateway/status.h - what the store says about the present state, as JSON: for `status`. */
#ifndef QUITTANCE_STATUS_H
#define QUITTANCE_STATUS_H

#include "chain/rpc.h"
#include "gateway/lib/json.h"
#include "store/db.h"

/* {openBatch:{number,receipts,amount}, unfinished:{batch,state,sequence}|absent, last:{sequence,state,...}, held,
 * lastSuccess, oldestUnsettled, runCostWei, dayCostWei, noncesTaken:[{account,nonce,sequence,takenBy}]}; times Unix ms, absent where unknown.  Caller owns. */
MUST_USE bool status_store(struct db *db, uint64_t now_ms, json **status, struct err *err);

/* [{name,state,why,head,lag,failures,latencyMs}] of every endpoint, as seen by this rpc since it was opened; why is absent while
 * it is up.  Caller owns. */
json *status_endpoints(struct rpc *rpc);

#endif
