/* chain/signer.h - who signs: today a key from a keystore file; a remote signer is another row in this table of calls.
 *
 * A signer may be used by several threads at once. */
#ifndef QUITTANCE_CHAIN_SIGNER_H
#define QUITTANCE_CHAIN_SIGNER_H

#include "chain/tx.h"

struct signer;
/* spec: "keystore:PATH"; passphrase from a file that only its owner can read.  ERR_CONFIG, ERR_AUTH. */
MUST_USE bool signer_open(const char *spec, const char *passphrase_file, struct signer **signer, struct err *err);
void signer_free(struct signer *signer);                      /* wipes */
struct address signer_address(const struct signer *signer);
MUST_USE bool signer_sign_tx(const struct signer *signer, const struct tx *tx, struct buf *raw, struct tx_hash *hash, struct err *err);
/* For EIP-712 digests only: promises and quotes. */
MUST_USE bool signer_sign_digest(const struct signer *signer, struct hash digest, struct signature *sig, struct err *err);

#endif
