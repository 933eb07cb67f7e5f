/* gateway/core/keyring.h - keys that providers' wallets lend to their machines, and how they take them back (design 2).
 *
 * A key may sign a receipt of a provider where a Delegation of that wallet covers the receipt's finishedAt (bounds included) and was
 * recorded before the receipt was accepted, and no Revocation of the key was recorded between the two.  So an expired key
 * signs nothing that finished later, and a revoked one nothing that was not accepted yet, whatever it is dated.
 * Append-only, all times Unix ms; filled, sealed, then only read, as the catalog that holds it. */
#ifndef QUITTANCE_CORE_KEYRING_H
#define QUITTANCE_CORE_KEYRING_H

#include "gateway/core/typed.h"
#include "gateway/lib/json.h"

#define TIME_MAX_MS RECEIPT_COUNT_MAX          /* below 2^53, as all that JSON numbers hold */

struct delegation {
    struct address provider, key;
    uint64_t valid_from_ms, valid_until_ms;
    struct signature signature;               /* the provider's */
    uint64_t since_ms;                        /* recorded */
};
struct revocation {
    struct address provider, key;
    uint64_t at_ms;                           /* of the message */
    bool has_signature;                       /* the provider's; else an administrator revoked it */
    struct signature signature;
    uint64_t since_ms;                        /* recorded: from then on the key signs nothing */
};

struct keyring {
    struct delegation *delegations;           /* owned; by provider, key, validFrom, validUntil once sealed */
    struct revocation *revocations;           /* owned; by provider, key, since */
    size_t delegation_count, revocation_count;
};
void keyring_clear(struct keyring *k);
void keyring_add_delegation(struct keyring *k, const struct delegation *d);
void keyring_add_revocation(struct keyring *k, const struct revocation *r);
void keyring_seal(struct keyring *k);

/* Answers are borrowed; NULL: none. */
const struct delegation *keyring_delegation(const struct keyring *k, const struct delegation *like);     /* the same message */
const struct revocation *keyring_revocation(const struct keyring *k, const struct revocation *like);     /* of the same time */
bool keyring_has(const struct keyring *k, struct address provider);                                      /* lent any key, ever */
enum key_standing { KEY_VALID, KEY_UNKNOWN, KEY_OUT_OF_TIME, KEY_REVOKED };
/* Of a receipt that finished and is accepted then; by: the delegation that covers it. */
enum key_standing keyring_standing(const struct keyring *k, struct address provider, struct address key, uint64_t finished_at_ms,
                                   uint64_t accepted_at_ms, const struct delegation **by);
const char *key_standing_text(enum key_standing standing);      /* why a signature is refused; valid has none: "" */

/* The posted members {provider, key, validFrom, validUntil, signature}.  ERR_INVALID names the member and the rule. */
MUST_USE bool delegation_from_json(const json *object, struct delegation *d, struct err *err);
json *delegation_to_json(const struct delegation *d);           /* and since */
json *revocation_to_json(const struct revocation *r);
/* ERR_AUTH: another than the wallet signed it, or nobody. */
MUST_USE bool delegation_signed(const struct delegation *d, const struct domain *domain, struct err *err);
MUST_USE bool revocation_signed(const struct revocation *r, const struct domain *domain, struct err *err);
MUST_USE bool payout_signed(const struct payout *p, const struct signature *signature, const struct domain *domain, struct err *err);

#endif
