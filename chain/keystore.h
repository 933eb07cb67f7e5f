/* chain/keystore.h - Web3 Secret Storage version 3: scrypt and PBKDF2, AES-128-CTR, Keccak MAC.
 *
 * Cost parameters that come from a file are bounded (scrypt memory 512 MiB, PBKDF2 10 million rounds): ERR_LIMIT. */
#ifndef QUITTANCE_CHAIN_KEYSTORE_H
#define QUITTANCE_CHAIN_KEYSTORE_H

#include "gateway/base/buf.h"
#include "gateway/lib/secp.h"

/* ERR_AUTH: wrong passphrase; ERR_INVALID: not such a file.  key lies in secret_new memory of the caller. */
MUST_USE bool keystore_open(const char *json_text, size_t len, const void *passphrase, size_t passphrase_len,
                            struct secret_key *key, struct address *address, struct err *err);
/* scrypt n = 262144, r = 8, p = 1, a random salt, iv and id; appends the JSON text. */
MUST_USE bool keystore_seal(const struct secret_key *key, const void *passphrase, size_t passphrase_len, struct buf *out, struct err *err);
/* The address a file claims, without opening it; false when it names none. */
MUST_USE bool keystore_address(const char *json_text, size_t len, struct address *address, struct err *err);

#endif
