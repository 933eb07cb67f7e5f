/* gateway/transact.h - one transaction that a person sends: deploy, and the owner's and guardian's calls.
 *
 * Settlement's own transactions do not go this way: they are recorded in the store (gateway/settle/send.c).  These are
 * safe to look at and repeat by hand; the hash is printed before it is waited for. */
#ifndef QUITTANCE_TRANSACT_H
#define QUITTANCE_TRANSACT_H

#include "chain/fee.h"
#include "chain/rpc.h"
#include "chain/signer.h"

struct transact {
    struct rpc *rpc;
    const struct signer *signer;
    uint64_t chain_id;
    struct wei max_fee;            /* per gas: the ceiling */
};
/* to NULL: a deployment.  Waits until it is mined (two minutes: then ERR_UNKNOWN names the hash).  A revert, foreseen by
 * the estimate or mined, is an error in words.  receipt is the caller's: logs_clear(&receipt->logs). */
MUST_USE bool transact(const struct transact *t, const struct address *to, const struct buf *data, struct tx_hash *hash,
                       struct tx_receipt *receipt, struct err *err);

#endif
