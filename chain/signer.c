#include "chain/signer.h"

#include <stdlib.h>

#include "chain/signer_driver.h"
#include "gateway/base/mem.h"
#include "gateway/lib/secp.h"

struct signer {
    const struct signer_driver *driver;
    void *self;                      /* owned through driver->free */
    struct address address;
};

static const struct signer_driver *const drivers[] = {
    &signer_keystore, &signer_web3signer,
};

static const struct signer_driver *driver_for(const char *spec)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (strncmp(spec, drivers[i]->prefix, strlen(drivers[i]->prefix)) == 0)
            return drivers[i];
    return NULL;
}

bool signer_is_remote(const char *spec)
{
    const struct signer_driver *driver = driver_for(spec);

    return driver != NULL && driver->is_remote;
}

bool signer_open(const char *spec, const char *secret_file, struct signer **signer, struct err *err)
{
    const struct signer_driver *driver = driver_for(spec);
    struct signer *made;

    if (driver == NULL)
        return err_set(err, ERR_CONFIG, "signer: a key is named as keystore:PATH or web3signer:URL");
    made = mem_new(sizeof *made);
    made->driver = driver;
    if (!driver->open(spec + strlen(driver->prefix), secret_file, &made->self, &made->address, err)) {
        free(made);
        return err_prefix(err, "signer");
    }
    *signer = made;
    return true;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    signer->driver->free(signer->self);
    free(signer);
}

struct address signer_address(const struct signer *signer)
{
    return signer->address;
}

/* A holder that signs with another key (a file swapped, a remote one set up wrongly) must not be believed. */
static bool check_signature(const struct signer *signer, struct hash digest, const struct signature *sig,
                            struct err *err)
{
    struct address by;

    if (!secp_recover(sig, digest, &by, err))
        return err_prefix(err, "signer");
    return address_eq(by, signer->address) || err_set(err, ERR_HALT, "signer: signed with another key than its own");
}

bool signer_sign_tx(const struct signer *signer, const struct tx *tx, struct buf *raw, struct tx_hash *hash,
                    struct err *err)
{
    struct signature sig;
    struct tx_hash encoded;

    if (!signer->driver->sign_tx(signer->self, tx, &sig, err))
        return err_prefix(err, "signer");
    if (!check_signature(signer, tx_digest(tx), &sig, err))
        return false;
    encoded = tx_encode(tx, &sig, raw);
    if (raw->failed)
        return err_set(err, ERR_LIMIT, "signer: a transaction over %zu bytes", raw->max);
    *hash = encoded;
    return true;
}

bool signer_sign_digest(const struct signer *signer, struct hash digest, struct signature *sig, struct err *err)
{
    if (signer->driver->sign_digest == NULL)
        return err_set(err, ERR_CONFIG, "signer: this one signs transactions only; promises, quotes and receipts need a keystore");
    return signer->driver->sign_digest(signer->self, digest, sig, err);
}
