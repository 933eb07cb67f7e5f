/* gateway/settle/sets.h - who is due, and how many of them one distribute call pays (contract.md 3).
 *
 * Gas a head is what was measured, only to choose a size; eth_estimateGas has the last word. */
#ifndef QUITTANCE_SETTLE_SETS_H
#define QUITTANCE_SETTLE_SETS_H

#include "chain/rpc.h"
#include "gateway/core/tree.h"
#include "store/batches.h"

#define SET_GAS_PAID_BEFORE 15200u
#define SET_GAS_HOLDER 32500u             /* holds the token, never paid here */
#define SET_GAS_NEW 49500u
#define SET_GAS_CALL 40000u               /* of a call, whoever it pays */
#define SET_GAS_MAX 12000000u
#define SET_BYTES_MAX 100000u             /* of calldata */

struct due { size_t leaf; struct amount amount; unsigned gas; };          /* leaf: index into the leaves */
struct dues { struct due *list; size_t count; struct amount total; };     /* in the order of the leaves; owned */
void dues_clear(struct dues *dues);

/* Everybody whose leaf is above what the contract has paid, by at least minimum.  Gas is that of a new account for
 * everybody never paid; dues_look_up_holders knows better. */
MUST_USE bool dues_read(struct rpc *rpc, struct address contract, const struct reward_leaves *leaves,
                        struct amount minimum, struct dues *dues, struct err *err);
/* Looks up who holds the token, for as many from the start as one set may hold. */
MUST_USE bool dues_look_up_holders(struct rpc *rpc, struct address token, const struct reward_leaves *leaves,
                                   struct dues *dues, struct err *err);
/* How many from the start fit into one set; at least 1 of count > 0. */
size_t set_fill(const struct due *due, size_t count, uint64_t gas_max);
/* The calldata that pays these; ERR_LIMIT over SET_BYTES_MAX. */
MUST_USE bool set_call(const struct reward_leaves *leaves, const struct tree *tree, const struct due *due, size_t count,
                       struct buf *data, struct err *err);

#endif
