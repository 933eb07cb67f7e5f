#include "chain/keystore.h"

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"
#include "gateway/lib/json.h"
#include "gateway/lib/keccak.h"

#define KEYSTORE_VERSION 3
#define DERIVED_BYTES 32u                  /* 0..15 the AES key, 16..31 under the MAC */
#define SALT_MAX 256u

/* A file may come from anywhere: opening it must not take the machine. */
#define SCRYPT_MEMORY_MAX (512 * MIB)      /* 128 * n * r, RFC 7914 section 2 */
#define SCRYPT_WORK_MAX (1ull << 24)       /* n * r * p: eight times what we and geth use */
#define PBKDF2_ROUNDS_MAX 10000000u

#define SEAL_N 262144u                     /* geth's standard strength */
#define SEAL_R 8u
#define SEAL_P 1u

/* What a file says, apart from how the key is derived. */
struct sealed { uint8_t ciphertext[32], iv[16], mac[32]; };

static bool wrong(const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "keystore: %s", what);
}

static bool text_is(const json *v, const char *want)
{
    const char *text;
    size_t len;

    return json_get_text(v, &text, &len) && len == strlen(want) && memcmp(text, want, len) == 0;
}

/* Hex as the format has it, without 0x; some tools write it with. */
static bool read_hex(const json *v, uint8_t *bytes, size_t len)
{
    const char *text;
    size_t text_len;

    return json_get_text(v, &text, &text_len)
        && (hex_decode_bare(text, text_len, bytes, len) || hex_decode(text, text_len, bytes, len));
}

static bool read_salt(const json *params, uint8_t salt[SALT_MAX], size_t *salt_len)
{
    const json *v = json_member(params, "salt");
    const char *text;
    size_t text_len;

    if (!json_get_text(v, &text, &text_len) || text_len / 2 > SALT_MAX)
        return false;
    *salt_len = text_len / 2;
    if (text_len >= 2 && text[1] == 'x')
        *salt_len -= 1;
    return read_hex(v, salt, *salt_len);
}

static bool derive_scrypt(const json *params, const void *passphrase, size_t len, uint8_t key[DERIVED_BYTES],
                          struct err *err)
{
    uint8_t salt[SALT_MAX];
    size_t salt_len;
    uint64_t n, r, p;

    if (!json_get_u64(json_member(params, "n"), &n) || !json_get_u64(json_member(params, "r"), &r)
        || !json_get_u64(json_member(params, "p"), &p) || !read_salt(params, salt, &salt_len))
        return wrong("scrypt needs n, r, p and a salt", err);
    if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0)
        return wrong("scrypt's n is a power of two over 1, r and p are over 0", err);
    /* Divided, not multiplied: nothing can wrap around. */
    if (n > SCRYPT_MEMORY_MAX / 128 / r || p > SCRYPT_WORK_MAX / n / r)
        return err_set(err, ERR_LIMIT, "keystore: scrypt would take more than 512 MiB or far more time than usual");
    return scrypt(passphrase, len, salt, salt_len, n, (uint32_t)r, (uint32_t)p, key, DERIVED_BYTES, err);
}

static bool derive_pbkdf2(const json *params, const void *passphrase, size_t len, uint8_t key[DERIVED_BYTES],
                          struct err *err)
{
    uint8_t salt[SALT_MAX];
    size_t salt_len;
    uint64_t rounds;

    if (!text_is(json_member(params, "prf"), "hmac-sha256"))
        return wrong("PBKDF2 with another function than hmac-sha256", err);
    if (!json_get_u64(json_member(params, "c"), &rounds) || rounds == 0 || !read_salt(params, salt, &salt_len))
        return wrong("PBKDF2 needs c over 0 and a salt", err);
    if (rounds > PBKDF2_ROUNDS_MAX)
        return err_set(err, ERR_LIMIT, "keystore: PBKDF2 with more than %u rounds", PBKDF2_ROUNDS_MAX);
    pbkdf2_sha256(passphrase, len, salt, salt_len, (unsigned)rounds, key, DERIVED_BYTES);
    return true;
}

static const struct kdf {
    const char *name;
    bool (*derive)(const json *params, const void *passphrase, size_t len, uint8_t key[DERIVED_BYTES], struct err *err);
} kdfs[] = {
    { "scrypt", derive_scrypt },
    { "pbkdf2", derive_pbkdf2 },
};

static bool derive(const json *crypto, const void *passphrase, size_t len, uint8_t key[DERIVED_BYTES], struct err *err)
{
    const json *params = json_member(crypto, "kdfparams");
    uint64_t dklen;

    if (!json_get_u64(json_member(params, "dklen"), &dklen) || dklen != DERIVED_BYTES)
        return wrong("dklen is not 32", err);
    for (size_t i = 0; i < ARRAY_LEN(kdfs); i++)
        if (text_is(json_member(crypto, "kdf"), kdfs[i].name))
            return kdfs[i].derive(params, len > 0 ? passphrase : "", len, key, err);
    return wrong("a kdf other than scrypt and pbkdf2", err);
}

/* geth writes "crypto", older tools and ethers "Crypto". */
static const json *crypto_of(const json *file)
{
    const json *crypto = json_member(file, "crypto");

    return crypto != NULL ? crypto : json_member(file, "Crypto");
}

static bool read_sealed(const json *file, struct sealed *sealed, struct err *err)
{
    const json *crypto = crypto_of(file);
    uint64_t version;

    if (!json_get_u64(json_member(file, "version"), &version) || version != KEYSTORE_VERSION)
        return wrong("version is not 3", err);
    if (!text_is(json_member(crypto, "cipher"), "aes-128-ctr"))
        return wrong("a cipher other than aes-128-ctr", err);
    if (!read_hex(json_member(crypto, "ciphertext"), sealed->ciphertext, sizeof sealed->ciphertext)
        || !read_hex(json_member(json_member(crypto, "cipherparams"), "iv"), sealed->iv, sizeof sealed->iv)
        || !read_hex(json_member(crypto, "mac"), sealed->mac, sizeof sealed->mac))
        return wrong("ciphertext (32 bytes), iv (16) or mac (32) is missing", err);
    return true;
}

static struct hash mac_of(const uint8_t derived[DERIVED_BYTES], const uint8_t ciphertext[32])
{
    struct keccak k;

    keccak_init(&k);
    keccak_update(&k, derived + 16, 16);
    keccak_update(&k, ciphertext, 32);
    return keccak_final(&k);
}

static bool claimed_address(const json *file, struct address *address)
{
    return read_hex(json_member(file, "address"), address->b, sizeof address->b);
}

static bool address_of(const struct secret_key *key, struct address *address, struct err *err)
{
    struct public_key pub;

    if (!secp_public_key(key, &pub, err))
        return err_prefix(err, "keystore");
    *address = secp_address(&pub);
    return true;
}

static bool open_file(const json *file, const void *passphrase, size_t len, struct secret_key *key,
                      struct address *address, struct err *err)
{
    uint8_t derived[DERIVED_BYTES];
    struct address claimed, own;
    struct sealed sealed;
    bool ok = false;

    if (!read_sealed(file, &sealed, err) || !derive(crypto_of(file), passphrase, len, derived, err))
        goto out;
    if (!crypt_equal(mac_of(derived, sealed.ciphertext).b, sealed.mac, sizeof sealed.mac)) {
        err_set(err, ERR_AUTH, "keystore: wrong passphrase");
        goto out;
    }
    aes128_ctr(derived, sealed.iv, sealed.ciphertext, key->b, sizeof key->b);
    if (!address_of(key, &own, err))
        goto out;
    /* The MAC does not cover the address: whoever swaps two files must not change who signs unseen. */
    if (json_member(file, "address") != NULL && (!claimed_address(file, &claimed) || !address_eq(claimed, own))) {
        wrong("its address is not that of its key", err);
        goto out;
    }
    *address = own;
    ok = true;
out:
    if (!ok)
        mem_wipe(key, sizeof *key);
    mem_wipe(derived, sizeof derived);
    return ok;
}

bool keystore_open(const char *json_text, size_t len, const void *passphrase, size_t passphrase_len,
                   struct secret_key *key, struct address *address, struct err *err)
{
    json *file;
    bool ok;

    if (!json_read(json_text, len, &file, err))
        return err_prefix(err, "keystore");
    ok = open_file(file, passphrase, passphrase_len, key, address, err);
    json_free(file);
    return ok;
}

bool keystore_address(const char *json_text, size_t len, struct address *address, struct err *err)
{
    json *file;
    bool ok;

    if (!json_read(json_text, len, &file, err))
        return err_prefix(err, "keystore");
    ok = claimed_address(file, address) || wrong("it names no address", err);
    json_free(file);
    return ok;
}

/* ---- sealing ---- */

static void put_hex(json *object, const char *key, const uint8_t *bytes, size_t len)
{
    char text[2 * 32 + 1];

    if (len > 32)
        bug("%zu bytes of hex", len);
    hex_encode_bare(bytes, len, text);
    json_put_text(object, key, text);
}

static json *crypto_object(const struct sealed *sealed, const uint8_t salt[32])
{
    json *crypto = json_new_object(), *cipher = json_new_object(), *kdf = json_new_object();

    put_hex(cipher, "iv", sealed->iv, sizeof sealed->iv);
    json_put_u64(kdf, "dklen", DERIVED_BYTES);
    json_put_u64(kdf, "n", SEAL_N);
    json_put_u64(kdf, "r", SEAL_R);
    json_put_u64(kdf, "p", SEAL_P);
    put_hex(kdf, "salt", salt, 32);
    json_put_text(crypto, "cipher", "aes-128-ctr");
    json_put(crypto, "cipherparams", cipher);
    put_hex(crypto, "ciphertext", sealed->ciphertext, sizeof sealed->ciphertext);
    json_put_text(crypto, "kdf", "scrypt");
    json_put(crypto, "kdfparams", kdf);
    put_hex(crypto, "mac", sealed->mac, sizeof sealed->mac);
    return crypto;
}

static void write_file(const struct sealed *sealed, const uint8_t salt[32], struct address address, struct buf *out)
{
    json *file = json_new_object();
    struct job_id id;
    char id_text[JOB_ID_TEXT];

    crypt_random(id.b, sizeof id.b);
    id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x40);      /* RFC 9562, section 5.4: version 4, its variant */
    id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
    job_id_to_text(id, id_text);
    put_hex(file, "address", address.b, sizeof address.b);
    json_put(file, "crypto", crypto_object(sealed, salt));
    json_put_text(file, "id", id_text);
    json_put_u64(file, "version", KEYSTORE_VERSION);
    json_write_pretty(file, out);
    json_free(file);
}

bool keystore_seal(const struct secret_key *key, const void *passphrase, size_t passphrase_len, struct buf *out,
                   struct err *err)
{
    uint8_t derived[DERIVED_BYTES], salt[32];
    struct address address;
    struct sealed sealed;
    bool ok;

    if (!address_of(key, &address, err))
        return false;
    crypt_random(salt, sizeof salt);
    crypt_random(sealed.iv, sizeof sealed.iv);
    ok = scrypt(passphrase_len > 0 ? passphrase : "", passphrase_len, salt, sizeof salt, SEAL_N, SEAL_R, SEAL_P,
                derived, sizeof derived, err);
    if (ok) {
        aes128_ctr(derived, sealed.iv, key->b, sealed.ciphertext, sizeof sealed.ciphertext);
        memcpy(sealed.mac, mac_of(derived, sealed.ciphertext).b, sizeof sealed.mac);
        write_file(&sealed, salt, address, out);
        ok = !out->failed || err_set(err, ERR_LIMIT, "no room for a keystore file");
    }
    mem_wipe(derived, sizeof derived);
    return ok;
}
