/* chain/tx.h - EIP-1559 transactions (type 2, EIP-2718): digest, signed bytes, hash, and reading them back. */
#ifndef QUITTANCE_CHAIN_TX_H
#define QUITTANCE_CHAIN_TX_H

#include "chain/rlp.h"

struct tx {
    uint64_t chain_id, nonce, gas;
    struct wei max_priority_fee, max_fee;     /* per gas */
    bool creates;                             /* a deployment: no `to` */
    struct address to;
    struct wei value;
    struct buf data;                          /* owned: tx_clear */
};
void tx_init(struct tx *t);
void tx_clear(struct tx *t);
struct hash tx_digest(const struct tx *t);                                        /* what is signed */
struct tx_hash tx_encode(const struct tx *t, const struct signature *sig, struct buf *raw);   /* appends; its hash */
struct tx_hash tx_hash_of(const struct buf *raw);
/* Strict; an access list that is not empty is refused.  ERR_INVALID. */
MUST_USE bool tx_decode(const uint8_t *raw, size_t len, struct tx *t, struct signature *sig, struct err *err);
/* Gas every transaction pays before it runs (EIP-2028, EIP-2, EIP-3860) and the floor of EIP-7623. */
uint64_t tx_intrinsic_gas(const struct tx *t);
uint64_t tx_floor_gas(const struct tx *t);
struct address tx_created_address(struct address sender, uint64_t nonce);

#define TX_GAS_MAX 16777216u                  /* EIP-7825 */
#define TX_BYTES_MAX (128u * 1024u)           /* what pools take */

#endif
