/* gateway/audit/bundles.h - the bundles of one archive: their leaves come together from its receipts and from `others`. */
#ifndef QUITTANCE_AUDIT_BUNDLES_H
#define QUITTANCE_AUDIT_BUNDLES_H

#include "gateway/core/archive.h"

#define BUNDLE_RECEIPTS_MAX 1048576u          /* far above what one request can hold: bounds what a false line can cost */

struct bundle;
struct bundles { struct bundle *list; size_t count, capacity; };         /* sorted once sealed */
void bundles_clear(struct bundles *b);
MUST_USE bool bundles_take(struct bundles *b, const struct archive_bundle *line, uint64_t sequence, struct err *err);
/* After the last bundle, before the first receipt. */
MUST_USE bool bundles_seal(struct bundles *b, uint64_t sequence, struct err *err);
/* key: the delegated one that is said to have signed the bundle; zero: the provider itself. */
MUST_USE bool bundles_place(struct bundles *b, const struct archive_receipt *r, struct hash struct_hash, uint64_t sequence,
                            struct address *key, struct err *err);
/* All leaves are there, lead to the root, and the provider, or that key, signed it. */
MUST_USE bool bundles_check(const struct bundles *b, const struct domain *domain, uint64_t sequence, struct err *err);

#endif
