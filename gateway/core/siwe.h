/* gateway/core/siwe.h - Sign-In with Ethereum messages (EIP-4361): read as strictly as the grammar there says.  Pure.
 *
 * What is signed is the message's text with the prefix of ERC-191 version 0x45 ("personal message").  Whether domain, URI,
 * chain, nonce and times are those that are wanted is the caller's to judge; all of them are here.  Times are Unix ms. */
#ifndef QUITTANCE_CORE_SIWE_H
#define QUITTANCE_CORE_SIWE_H

#include "gateway/base/err.h"
#include "gateway/base/types.h"

#define SIWE_MAX 2048                         /* bytes of a message */
#define SIWE_DOMAIN_MAX 256
#define SIWE_NONCE_MAX 128

struct siwe {
    char domain[SIWE_DOMAIN_MAX];             /* RFC 3986 authority, without a scheme before it */
    char uri[SIWE_MAX];
    struct address address;
    uint64_t chain_id;
    char nonce[SIWE_NONCE_MAX];               /* 8 or more letters and digits */
    uint64_t issued_at_ms;
    bool expires, starts;                     /* the two below are there */
    uint64_t expires_at_ms, not_before_ms;
};
/* ERR_INVALID names the line and the rule.  Addresses must carry their EIP-55 checksum, as the EIP demands. */
MUST_USE bool siwe_parse(const char *text, size_t len, struct siwe *message, struct err *err);
/* keccak256("\x19Ethereum Signed Message:\n" len text). */
struct hash siwe_digest(const char *text, size_t len);

#endif
