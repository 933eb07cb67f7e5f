/* api/apikeys.h - making an API key: random text shown once, of which the store keeps only the SHA-256. */
#ifndef QUITTANCE_API_APIKEYS_H
#define QUITTANCE_API_APIKEYS_H

#include "store/keys.h"
#include "store/writer.h"

#define API_KEY_TEXT 68            /* "qk_", 64 hex digits, zero byte */
struct new_api_key { char id[KEY_ID_MAX], text[API_KEY_TEXT]; };

bool apikey_role_is_known(const char *role);
/* role: viewer, operator or admin; else ERR_INVALID.  Written to the audit log as done by `who`. */
MUST_USE bool apikey_new(struct writer *writer, const char *who, const char *role, const char *name,
                         struct new_api_key *key, struct err *err);

/* The parts of it: a fresh id and text; the text made from the gateway's secret, the id and an Idempotency-Key, so that
 * the same answer can be given again without keeping it; the row. */
void apikey_random(struct new_api_key *key);
void apikey_derive(struct new_api_key *key, const uint8_t secret[32], const char *again);
MUST_USE bool apikey_add(struct writer *writer, const char *who, const char *role, const char *name,
                         const struct new_api_key *key, struct err *err);

#endif
