/* gateway/core/popularity.h - the popularity pool: a budget an epoch, shared by how widely models are used.  Pure; the rules
 * in words, and the argument why nobody gains by using his own model, are in gateway/pool/POPULARITY.md.
 *
 * A job counts where an enrolled consumer countersigned it and is billed for it: with the protocol's part of its price, in the
 * epoch in which it was accepted.  score(model) = sum over its distinct consumers of isqrt(protocol fees of their jobs there).
 * share(model) = min(floor(available * score / sum of scores), floor(fees * cap_bps / 10^4)), available = budget + what the
 * epoch before left.  What floors and caps leave is carried to the next epoch.
 * Times are Unix ms, amounts token base units. */
#ifndef QUITTANCE_CORE_POPULARITY_H
#define QUITTANCE_CORE_POPULARITY_H

#include "gateway/core/ledger.h"

/* Fixed when an epoch begins, and published before it ends. */
struct popularity_terms {
    uint64_t epoch;                           /* counted from 1 */
    uint64_t begins_ms, ends_ms;              /* jobs accepted from the one and before the other */
    struct amount budget;
    uint16_t cap_bps;                         /* of a model's protocol fees: its share is never more */
};
bool popularity_terms_same(const struct popularity_terms *a, const struct popularity_terms *b);

/* The protocol's part of a receipt, as ledger_split gives it. */
struct amount popularity_fee_of(const struct price_version *price, struct amount amount);

/* What each consumer's jobs paid to the protocol on each model: parts are added, then sorted and folded. */
struct popularity_fee { struct hash model; struct address consumer; struct amount fees; };
struct popularity_fees {
    struct popularity_fee *list;              /* owned; after popularity_fees_sort by (model, consumer), each pair once */
    size_t count, capacity;
};
void popularity_fees_clear(struct popularity_fees *f);
MUST_USE bool popularity_fees_add(struct popularity_fees *f, const struct popularity_fee *fee, struct err *err);    /* ERR_OVERFLOW */
MUST_USE bool popularity_fees_sort(struct popularity_fees *f, struct err *err);                                     /* ERR_OVERFLOW */

struct popularity_row { struct hash model; struct u256 score; struct amount fees, share; };
/* An epoch as it was booked. */
struct popularity {
    struct popularity_terms terms;
    struct amount carried_in, carried_out;
    struct popularity_row *rows;              /* owned; by model */
    size_t count;
};
void popularity_clear(struct popularity *p);
/* Scores and fees of every model, shares still zero; fees must be sorted.  Terms and carried_in are the caller's. */
MUST_USE bool popularity_score(const struct popularity_fees *fees, struct popularity *p, struct err *err);          /* ERR_OVERFLOW */
/* Fills in shares and carried_out from terms, carried_in, scores and fees.  ERR_OVERFLOW. */
MUST_USE bool popularity_share(struct popularity *p, struct err *err);
/* The sum of all shares: available - carried_out. */
MUST_USE bool popularity_paid(const struct popularity *p, struct amount *paid, struct err *err);
/* Who is paid: each model's share through its lineage as of the epoch's end, all with ROLE_POPULARITY. */
MUST_USE bool popularity_credits(const struct catalog *c, const struct popularity *p, struct shares *credits, struct err *err);

#endif
