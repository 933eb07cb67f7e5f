#include "chain/keystore.h"
#include "chain/signer_driver.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"

#define KEYSTORE_MAX (64 * KIB)

/* A file that is named in the configuration and is not there is a fault of the configuration. */
static bool config_error(struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        err->code = ERR_CONFIG;
    return false;
}

static bool open_keystore(const char *path, const char *passphrase_file, void **self, struct address *address,
                          struct err *err)
{
    struct secret_key *key;
    struct buf text, passphrase;
    bool ok = false;

    if (path[0] == '\0' || passphrase_file == NULL || passphrase_file[0] == '\0')
        return err_set(err, ERR_CONFIG, "a keystore needs a path and a passphrase file");
    key = secret_new(sizeof *key);
    buf_init(&text);
    buf_init(&passphrase);
    if (!file_read(path, KEYSTORE_MAX, &text, err) || !file_read_secret(passphrase_file, &passphrase, err)) {
        config_error(err);
        goto out;
    }
    ok = keystore_open(buf_text(&text), text.len, passphrase.data, passphrase.len, key, address, err)
        || err_prefix(err, "%s", path);
out:
    buf_wipe(&passphrase);
    buf_clear(&text);
    if (ok)
        *self = key;
    else
        secret_free(key);
    return ok;
}

/* Whatever is wrong with the file is for open to tell. */
static bool claimed(const char *path, struct address *address)
{
    struct err ignored = { 0 };
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = file_read(path, KEYSTORE_MAX, &text, &ignored) && keystore_address(buf_text(&text), text.len, address, &ignored);
    buf_clear(&text);
    return ok;
}

static bool sign_digest(const void *self, struct hash digest, struct signature *sig, struct err *err)
{
    return secp_sign(self, digest, sig, err);
}

static bool sign_tx(const void *self, const struct tx *tx, struct signature *sig, struct err *err)
{
    return secp_sign(self, tx_digest(tx), sig, err);
}

const struct signer_driver signer_keystore = {
    .prefix = "keystore:", .open = open_keystore, .claimed = claimed, .sign_tx = sign_tx, .sign_digest = sign_digest, .free = secret_free,
};
