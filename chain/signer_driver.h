/* chain/signer_driver.h - what a key holder gives to chain/signer.c.  A new one is a file with such a struct of calls
 * and a row in the table of signer.c. */
#ifndef QUITTANCE_CHAIN_SIGNER_DRIVER_H
#define QUITTANCE_CHAIN_SIGNER_DRIVER_H

#include "chain/signer.h"

struct signer_driver {
    const char *prefix;          /* of the spec, with its colon: "keystore:" */
    bool is_remote;              /* asked over the network: its secret is a token, not a passphrase */
    /* The address that open would give, at once and without the passphrase; NULL, or false: only open knows. */
    bool (*claimed)(const char *rest, struct address *address);
    /* Whole transactions, not digests: a remote holder shows or judges what it signs.  All calls are thread-safe. */
    bool (*open)(const char *rest, const char *secret_file, void **self, struct address *address, struct err *err);
    bool (*sign_tx)(const void *self, const struct tx *tx, struct signature *sig, struct err *err);
    /* NULL: it signs transactions only. */
    bool (*sign_digest)(const void *self, struct hash digest, struct signature *sig, struct err *err);
    void (*free)(void *self);
};

extern const struct signer_driver signer_keystore, signer_web3signer;

#endif
