/* gateway/lib/crypt.h - the door to nettle's hashes, MAC, KDF and cipher (Keccak: keccak.h). */
#ifndef QUITTANCE_LIB_CRYPT_H
#define QUITTANCE_LIB_CRYPT_H

#include "gateway/base/types.h"

struct hash sha256(const void *bytes, size_t len);

/* Streaming SHA-256, for files. */
struct sha256_stream;                                       /* heap */
struct sha256_stream *sha256_new(void);
void sha256_add(struct sha256_stream *s, const void *bytes, size_t len);
struct hash sha256_finish_free(struct sha256_stream *owned);

struct hash hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len);

/* PBKDF2-HMAC-SHA256 (RFC 8018) and scrypt (RFC 7914, by libsodium); the caller bounds the cost parameters. */
void pbkdf2_sha256(const void *password, size_t password_len, const void *salt, size_t salt_len, unsigned iterations,
                   uint8_t *key, size_t key_len);
MUST_USE bool scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len, uint64_t n,
                     uint32_t r, uint32_t p, uint8_t *key, size_t key_len, struct err *err);
/* AES-128 in CTR mode; in and out may be the same. */
void aes128_ctr(const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, uint8_t *out, size_t len);

/* Bytes compared in constant time. */
bool crypt_equal(const void *a, const void *b, size_t len);
void crypt_random(void *bytes, size_t len);                 /* from the kernel; dies when it has none */

/* Memory for keys (sodium_malloc): locked, guarded, left out of core dumps; zeroed when freed. */
void *secret_new(size_t len);
void secret_free(void *owned);

#endif
