/* chain/tx.h - EIP-1559 transactions (type 2, EIP-2718) and legacy ones bound to a chain (EIP-155): digest, signed bytes,
 * hash, and reading them back. */
#ifndef QUITTANCE_CHAIN_TX_H
#define QUITTANCE_CHAIN_TX_H

#include "chain/rlp.h"

struct tx {
    uint64_t chain_id, nonce, gas;
    bool legacy;                              /* for chains without a base fee; both fees are its gas price, max_fee is written */
    struct wei max_priority_fee, max_fee;     /* per gas */
    bool creates;                             /* a deployment: no `to` */
    struct address to;
    struct wei value;
    struct buf data;                          /* owned: tx_clear */
};
void tx_init(struct tx *t);
void tx_clear(struct tx *t);
void tx_unsigned(const struct tx *t, struct buf *bytes);      /* appends the bytes whose hash is signed */
struct hash tx_digest(const struct tx *t);                                        /* what is signed */
struct tx_hash tx_encode(const struct tx *t, const struct signature *sig, struct buf *raw);   /* appends; its hash */
struct tx_hash tx_hash_of(const struct buf *raw);
/* Strict; an access list that is not empty, and a legacy signature that names no chain, are refused.  ERR_INVALID. */
MUST_USE bool tx_decode(const uint8_t *raw, size_t len, struct tx *t, struct signature *sig, struct err *err);
/* Gas every transaction pays before it runs (EIP-2028, EIP-2, EIP-3860) and the floor of EIP-7623. */
uint64_t tx_intrinsic_gas(const struct tx *t);
uint64_t tx_floor_gas(const struct tx *t);
/* Most gas a transaction may have: of the protocol, and half of a block, which builders find room for. */
uint64_t tx_gas_most(uint64_t block_gas);
/* The gas to give: a fifth over the estimate, as state may change before the block; never below what is paid before it runs.
 * ERR_LIMIT: over `most`. */
MUST_USE bool tx_gas_limit(const struct tx *t, uint64_t estimate, uint64_t most, uint64_t *gas, struct err *err);
struct address tx_created_address(struct address sender, uint64_t nonce);

#define TX_TYPE_DYNAMIC_FEE 0x02              /* EIP-1559 */
#define TX_LEGACY_V 35u                       /* EIP-155: v = 35 + 2 * chain id + y parity */
#define TX_GAS_MAX 16777216u                  /* EIP-7825 */
#define TX_BYTES_MAX (128u * 1024u)           /* what pools take */

#endif
