/* chain/rpc_fees.h - what a node says about fees, and whose transaction took a nonce: part of rpc.h. */
#ifndef QUITTANCE_CHAIN_RPC_FEES_H
#define QUITTANCE_CHAIN_RPC_FEES_H

#include "chain/rpc.h"

#define FEE_BLOCKS 20u
#define FEE_PERCENTILE 50u

/* The prices now.  legacy: blocks have no base fee, or the node knows no eth_feeHistory; then gas_price alone is set. */
struct fee_market { bool legacy; struct fee_history history; struct wei gas_price; };
MUST_USE bool rpc_fee_market(struct rpc *rpc, struct fee_market *market, struct err *err);
/* What an OP-stack chain takes for the data of a transaction, besides its gas: GasPriceOracle.getL1Fee over the unsigned
 * bytes.  Zero where nothing lies at the oracle's address; chains such as Arbitrum count data into eth_estimateGas. */
MUST_USE bool rpc_data_fee(struct rpc *rpc, const struct buf *unsigned_bytes, struct wei *fee, struct err *err);
/* The transaction of this account and nonce in a block; *found false: none. */
MUST_USE bool rpc_tx_in_block(struct rpc *rpc, uint64_t number, struct address from, uint64_t nonce, struct tx_hash *hash,
                              bool *found, struct err *err);

#endif
