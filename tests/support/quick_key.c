#include "tests/support/quick_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/hex.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/file.h"
#include "gateway/lib/keccak.h"

#define PASSPHRASE "open"

static void write_keystore(const struct secret_key *key, struct buf *text)
{
    static const uint8_t salt[32] = { 1 }, iv[16] = { 2 };
    uint8_t derived[32], sealed[48];
    char cipher[65], mac[65], salt_text[65], iv_text[33];

    pbkdf2_sha256(PASSPHRASE, sizeof PASSPHRASE - 1, salt, sizeof salt, 1, derived, sizeof derived);
    memcpy(sealed, derived + 16, 16);
    aes128_ctr(derived, iv, key->b, sealed + 16, 32);
    hex_encode_bare(sealed + 16, 32, cipher);
    hex_encode_bare(keccak256(sealed, sizeof sealed).b, 32, mac);
    hex_encode_bare(salt, sizeof salt, salt_text);
    hex_encode_bare(iv, sizeof iv, iv_text);
    buf_printf(text, "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"ciphertext\":\"%s\",\"cipherparams\":{\"iv\":\"%s\"},"
                     "\"kdf\":\"pbkdf2\",\"kdfparams\":{\"c\":1,\"dklen\":32,\"prf\":\"hmac-sha256\",\"salt\":\"%s\"},\"mac\":\"%s\"}}",
               cipher, iv_text, salt_text, mac);
}

struct signer *quick_signer(const char *dir, const struct secret_key *key)
{
    char path[128], spec[160], passphrase[128];
    struct signer *signer = NULL;
    struct err err = { 0 };
    struct buf text;

    snprintf(path, sizeof path, "%s/key.json", dir);
    snprintf(spec, sizeof spec, "keystore:%s", path);
    snprintf(passphrase, sizeof passphrase, "%s/passphrase", dir);
    buf_init(&text);
    write_keystore(key, &text);
    if (!file_write(path, text.data, text.len, 0600, &err)
        || !file_write(passphrase, PASSPHRASE "\n", sizeof PASSPHRASE, 0600, &err) || !signer_open(spec, passphrase, &signer, &err))
        fail_msg("%s", err.text);
    buf_clear(&text);
    return signer;
}
