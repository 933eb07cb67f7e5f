/* gateway/intake/offer.h - what is said before a job: a provider's announced capacity, the gateway's quoted price.
 *
 * Each is a writer task that the caller waits for: never call these from the writer's thread.  Errors: ERR_INVALID names the
 * member; ERR_AUTH a signature; ERR_LIMIT too often, by whom it is told below; ERR_CONFLICT; ERR_NOT_FOUND. */
#ifndef QUITTANCE_INTAKE_OFFER_H
#define QUITTANCE_INTAKE_OFFER_H

#include "gateway/core/quote.h"
#include "gateway/intake/admit.h"

#define CAPACITY_RATE 1u                      /* announcements a second of one provider */
#define CAPACITY_BURST 120u
#define QUOTE_RATE 10u                        /* quotes a second of one sender */
#define QUOTE_BURST 100u

/* Checks times, signature, that the provider is admitted and the model registered (ERR_INVALID).  a->recorded_at_ms is set.
 * The same again is ADMIT_SAME; one that is not newer, by validFrom, than the provider's last is ERR_CONFLICT: so an old one
 * that somebody sends again changes nothing. */
MUST_USE bool announce_capacity(struct intake *intake, struct announcement *a, enum admit_result *result, struct err *err);

/* In: model, and provider and consumer or zero.  Out: the rest, signed.  ERR_NOT_FOUND: unknown model; ERR_CONFLICT: no price
 * is in force for it.  `price` is the version that the quote fixes. */
struct quoting {
    struct address sender;                    /* who asks, for the rate */
    struct issued_quote quote;
    struct price_version price;
};
/* And `also` in the same commit, on the writer's thread: kept is both or neither. */
typedef bool quote_also_fn(void *self, struct group *group, const struct quoting *q, struct err *err);
MUST_USE bool issue_quote(struct intake *intake, struct quoting *q, quote_also_fn *also, void *self, struct err *err);

#endif
