/* chain/signer.h - who signs: a key from a keystore file, or a service that holds it (signer_web3signer.c).
 *
 * A signer may be used by several threads at once.  One that is remote answers within seconds or is ERR_AGAIN; an answer
 * that is not what was asked for is ERR_HALT. */
#ifndef QUITTANCE_CHAIN_SIGNER_H
#define QUITTANCE_CHAIN_SIGNER_H

#include "chain/tx.h"

struct signer;
/* spec: "keystore:PATH", "web3signer:URL" or "web3signer:URL/0xADDRESS".  secret_file, that only its owner can read, holds
 * the passphrase of a keystore, or the bearer token of a remote signer ("": it asks for none).  ERR_CONFIG, ERR_AUTH. */
MUST_USE bool signer_open(const char *spec, const char *secret_file, struct signer **signer, struct err *err);
bool signer_is_remote(const char *spec);
bool signer_is_known(const char *spec);                       /* of a kind that signer_open takes */
/* The same without waiting for a slow key derivation: where the key's holder names the address without it, the key is
 * unlocked by a thread meanwhile, and the first signature waits for that.  An error of it is that of signer_wait, and of every
 * signature.  Call signer_wait before anything is promised to others. */
MUST_USE bool signer_open_later(const char *spec, const char *secret_file, struct signer **signer, struct err *err);
MUST_USE bool signer_wait(const struct signer *signer, struct err *err);
void signer_free(struct signer *signer);                      /* wipes */
struct address signer_address(const struct signer *signer);
MUST_USE bool signer_sign_tx(const struct signer *signer, const struct tx *tx, struct buf *raw, struct tx_hash *hash, struct err *err);
/* For EIP-712 digests only: promises and quotes.  ERR_CONFIG where the holder signs transactions only. */
MUST_USE bool signer_sign_digest(const struct signer *signer, struct hash digest, struct signature *sig, struct err *err);

#endif
