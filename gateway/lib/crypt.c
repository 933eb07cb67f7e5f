#include "gateway/lib/crypt.h"

#include <errno.h>
#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/random.h>

#include "gateway/base/mem.h"

struct sha256_stream { struct sha256_ctx ctx; };

struct sha256_stream *sha256_new(void)
{
    struct sha256_stream *s = mem_new(sizeof *s);

    sha256_init(&s->ctx);
    return s;
}

void sha256_add(struct sha256_stream *s, const void *bytes, size_t len)
{
    sha256_update(&s->ctx, len, bytes);
}

struct hash sha256_finish_free(struct sha256_stream *owned)
{
    struct hash h;

    sha256_digest(&owned->ctx, sizeof h.b, h.b);
    free(owned);
    return h;
}

struct hash sha256(const void *bytes, size_t len)
{
    struct sha256_ctx ctx;
    struct hash h;

    sha256_init(&ctx);
    sha256_update(&ctx, len, bytes);
    sha256_digest(&ctx, sizeof h.b, h.b);
    mem_wipe(&ctx, sizeof ctx);          /* bytes may be an API key */
    return h;
}

struct hash hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len)
{
    struct hmac_sha256_ctx ctx;
    struct hash h;

    hmac_sha256_set_key(&ctx, key_len, key);
    hmac_sha256_update(&ctx, len, bytes);
    hmac_sha256_digest(&ctx, sizeof h.b, h.b);
    mem_wipe(&ctx, sizeof ctx);
    return h;
}

void pbkdf2_sha256(const void *password, size_t password_len, const void *salt, size_t salt_len, unsigned iterations,
                   uint8_t *key, size_t key_len)
{
    pbkdf2_hmac_sha256(password_len, password, iterations, salt_len, salt, key_len, key);
}

bool scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len, uint64_t n, uint32_t r,
            uint32_t p, uint8_t *key, size_t key_len, struct err *err)
{
    if (crypto_pwhash_scryptsalsa208sha256_ll(password, password_len, salt, salt_len, n, r, p, key, key_len) != 0)
        return err_set(err, errno == ENOMEM ? ERR_LIMIT : ERR_INVALID, "scrypt with these parameters: %s",
                       errno == ENOMEM ? "not enough memory" : "not allowed by RFC 7914");
    return true;
}

void aes128_ctr(const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len)
{
    struct aes128_ctx ctx;
    uint8_t counter[AES_BLOCK_SIZE];

    memcpy(counter, iv, sizeof counter);
    aes128_set_encrypt_key(&ctx, key);
    ctr_crypt(&ctx, (nettle_cipher_func *)aes128_encrypt, AES_BLOCK_SIZE, counter, len, out, in);
    mem_wipe(&ctx, sizeof ctx);
}

bool crypt_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void crypt_random(void *bytes, size_t len)
{
    uint8_t *next = bytes;

    while (len > 0) {
        ssize_t got = getrandom(next, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            bug("the kernel gives no randomness: %s", strerror(errno));
        next += got;
        len -= (size_t)got;
    }
}

static void start_sodium(void)
{
    if (sodium_init() < 0)
        bug("libsodium does not start");
}

void *secret_new(size_t len)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    void *secret;

    /* Without it sodium_malloc knows neither the page size nor its canary. */
    pthread_once(&started, start_sodium);
    secret = sodium_malloc(len);
    /* sodium_malloc locks, but does not say when it could not: the limit may be 0. */
    if (secret == NULL || sodium_mlock(secret, len) != 0)
        bug("no locked memory for a key: %s (ulimit -l, LimitMEMLOCK)", strerror(errno));
    memset(secret, 0, len);
    return secret;
}

void secret_free(void *owned)
{
    sodium_free(owned);
}
