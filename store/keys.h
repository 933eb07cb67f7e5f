/* store/keys.h - API keys (only their SHA-256), the log of who did what, and answers kept for Idempotency-Key. */
#ifndef QUITTANCE_STORE_KEYS_H
#define QUITTANCE_STORE_KEYS_H

#include "store/db.h"

#define KEY_ID_MAX 24
#define KEY_ROLE_MAX 16
#define KEY_NAME_MAX 65

struct api_key { char id[KEY_ID_MAX], role[KEY_ROLE_MAX], name[KEY_NAME_MAX * 4]; struct hash digest; uint64_t created_at_ms; };
MUST_USE bool store_key_add(struct db *db, const struct api_key *key, struct err *err);
MUST_USE bool store_key_delete(struct db *db, const char *id, bool *found, struct err *err);
MUST_USE bool store_key_find(struct db *db, struct hash digest, struct api_key *key, bool *found, struct err *err);
typedef bool key_fn(void *self, const struct api_key *key, struct err *err);
/* By id, those after `after_id` ("": all), at most limit. */
MUST_USE bool store_keys(struct db *db, const char *after_id, unsigned limit, key_fn *visit, void *self, struct err *err);

struct audit_entry { uint64_t id, at_ms; char who[64], action[64], detail[2048]; };
MUST_USE bool store_audit_add(struct db *db, uint64_t now_ms, const char *who, const char *action, const char *detail_json, struct err *err);
typedef bool audit_fn(void *self, const struct audit_entry *entry, struct err *err);
MUST_USE bool store_audit_list(struct db *db, uint64_t below_id, unsigned limit, audit_fn *visit, void *self, struct err *err);

struct kept_answer { struct hash body; int status; struct buf answer; };          /* answer owned */
MUST_USE bool store_answer_find(struct db *db, const char *key, const char *scope, uint64_t not_before_ms, struct kept_answer *a,
                                bool *found, struct err *err);
MUST_USE bool store_answer_add(struct db *db, const char *key, const char *scope, uint64_t now_ms, const struct kept_answer *a, struct err *err);

#endif
