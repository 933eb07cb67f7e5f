/* gateway/core/typed.h - the EIP-712 types of design section 2: domain, struct hashes, digests.
 *
 * A struct hash identifies; what is signed is typed_digest(domain, struct hash) = keccak256(0x1901 || separator ||
 * struct hash).  Type hashes are computed once, on first use, from the type strings. */
#ifndef QUITTANCE_CORE_TYPED_H
#define QUITTANCE_CORE_TYPED_H

#include "gateway/core/model.h"
#include "gateway/core/receipt.h"
#include "gateway/core/reference.h"

struct domain {
    uint64_t chain_id;
    struct address contract;
    struct hash separator;
};
void domain_init(struct domain *d, uint64_t chain_id, struct address contract);
struct hash typed_digest(const struct domain *d, struct hash struct_hash);
void typed_digests(const struct domain *d, const struct hash *struct_hashes, size_t count, struct hash *digests);      /* of each */

struct receipt_bundle { struct address provider; struct hash root; uint64_t count; };
struct inclusion_promise { struct hash root; uint64_t count, accepted_at_ms, settle_by_ms; };
struct quote { struct hash model; struct address provider, consumer; uint64_t price_version, valid_until_ms; };
struct access { struct address account; uint64_t expires_ms; };
struct payout { struct address provider, payout; uint64_t at_ms; };
/* What a provider says it can serve of a model: units as market_units counts them. */
struct capacity { struct address provider; struct hash model; uint64_t units_per_second, valid_from_ms, valid_until_ms; };
/* What a consumer is billed for what was accepted from one time on and before another; digest: SHA-256 of the lines. */
struct charge_statement { struct address consumer; uint64_t from_ms, until_ms; struct amount charged; struct hash digest; };

/* What those charges would have been at a reference list: sums of savings.h; charges: the charge statement's digest for the same time;
 * list: Keccak-256 of the list's file; digest: SHA-256 of the lines, one a model. */
struct savings_statement {
    struct address consumer;
    uint64_t from_ms, until_ms;
    struct hash charges, list;
    struct amount charged, compared;
    char list_date[REFERENCE_DATE];
    struct dollars token_price, reference_cost;
    uint8_t decimals;                         /* of the token */
    struct hash digest;
};

struct hash receipt_struct_hash(const struct receipt *r);
struct hash receipt_words_hash(const uint8_t words[RECEIPT_WORDS]);          /* the same, from words as they came */
/* Of count receipts whose words follow each other. */
void receipt_words_hashes(const uint8_t *words, size_t count, struct hash *hashes);
struct hash bundle_struct_hash(const struct receipt_bundle *b);
struct hash model_struct_hash(const struct model *m);
struct hash quote_struct_hash(const struct quote *q);
struct hash promise_struct_hash(const struct inclusion_promise *p);
struct hash access_struct_hash(const struct access *a);
struct hash payout_struct_hash(const struct payout *p);
struct hash delegation_struct_hash(struct address provider, struct address key, uint64_t valid_from_ms, uint64_t valid_until_ms);
struct hash revocation_struct_hash(struct address provider, struct address key, uint64_t at_ms);
struct hash capacity_struct_hash(const struct capacity *c);
struct hash charge_struct_hash(const struct charge_statement *c);
struct hash savings_struct_hash(const struct savings_statement *s);

#endif
