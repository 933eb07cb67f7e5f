/* chain/fee.h - what to offer for gas, and the rule for replacing (EIP-1559; geth's pool: 10 %).  Pure.
 *
 * Tip: median of the 50th percentile rewards of the last 20 blocks that were used at all, clamped; cap = 2 * next base
 * fee + tip, which covers five full blocks.  A replacement raises both by an eighth, never less. */
#ifndef QUITTANCE_CHAIN_FEE_H
#define QUITTANCE_CHAIN_FEE_H

#include "chain/rpc.h"

#define FEE_BLOCKS 20u
#define FEE_PERCENTILE 50u

struct fee { struct wei max_priority_fee, max_fee; };         /* per gas */
/* ceiling: most that may be offered per gas.  ERR_AGAIN when even the next base fee is above it, with the figures. */
MUST_USE bool fee_suggest(const struct fee_history *history, struct wei ceiling, struct fee *fee, struct err *err);
/* Both fields at least an eighth above the old and at least fresh.  ERR_AGAIN above the ceiling. */
MUST_USE bool fee_replace(struct fee old, struct fee fresh, struct wei ceiling, struct fee *fee, struct err *err);
struct wei wei_from_gwei(uint64_t gwei);
/* The most gas a transaction may have at this fee: geth and besu refuse over RPC what may cost more than 1 ETH. */
uint64_t fee_gas_max(struct fee fee);

#endif
