/* tests/support/quick_key.h - a signer of a keystore that opens at once.
 *
 * Its key is derived in one round: what keystore_seal makes takes half a second and 256 MiB, to make and to open. */
#ifndef QUITTANCE_TESTS_QUICK_KEY_H
#define QUITTANCE_TESTS_QUICK_KEY_H

#include "chain/signer.h"
#include "gateway/lib/secp.h"

/* Writes key.json and passphrase into `dir` and opens them; the caller frees it. */
struct signer *quick_signer(const char *dir, const struct secret_key *key);

#endif
