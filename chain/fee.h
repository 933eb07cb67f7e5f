/* chain/fee.h - what to offer for gas, and the rule for replacing (EIP-1559; geth's pool: 10 %).  Pure.
 *
 * Tip: median of the 50th percentile rewards of the last 20 blocks that were used at all, clamped; cap = 2 * next base
 * fee + tip, which covers five full blocks.  Where blocks have no base fee, both are the node's gas price.  A replacement
 * raises both by an eighth, never less.  No figure of a node gets above the ceiling, however large it is. */
#ifndef QUITTANCE_CHAIN_FEE_H
#define QUITTANCE_CHAIN_FEE_H

#include "chain/rpc_fees.h"
#include "chain/tx.h"

struct fee { struct wei max_priority_fee, max_fee; bool legacy; };      /* per gas; legacy: both are the gas price */
/* ceiling: most that may be offered per gas.  ERR_AGAIN when even the next base fee, or the gas price, is above it, with
 * the figures. */
MUST_USE bool fee_suggest(const struct fee_market *market, struct wei ceiling, struct fee *fee, struct err *err);
/* Whether this offer is less than what the market asks for now; fresh: what fee_suggest says. */
bool fee_is_low(struct fee offered, const struct fee_market *market, struct fee fresh);
/* Both fields at least an eighth above the old and at least fresh; of the old one's type.  ERR_AGAIN above the ceiling. */
MUST_USE bool fee_replace(struct fee old, struct fee fresh, struct wei ceiling, struct fee *fee, struct err *err);
void fee_put(struct fee fee, struct tx *tx);
struct wei wei_from_gwei(uint64_t gwei);
/* The most gas a transaction may have at this fee: geth and besu refuse over RPC what may cost more than 1 ETH. */
uint64_t fee_gas_max(struct fee fee);
/* The most a transaction may cost: gas * max fee + what the chain takes for its data.  All bits set where that is over 256. */
struct wei fee_cost(uint64_t gas, struct wei max_fee, struct wei data_fee);
struct wei wei_sum(struct wei a, struct wei b);                          /* likewise */

#endif
