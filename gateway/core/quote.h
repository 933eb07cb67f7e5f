/* gateway/core/quote.h - a price promised for a job that has not begun (design 2: Quote).
 *
 * A receipt that names a quote is priced by the quote's version where the quote binds it: the same model, the same provider
 * and consumer (a zero account matches all), startedAt not after validUntil.  Prices that changed since do not matter. */
#ifndef QUITTANCE_CORE_QUOTE_H
#define QUITTANCE_CORE_QUOTE_H

#include "gateway/core/catalog.h"

#define QUOTE_MAX_S 900u                      /* a quote lives at most this long */

/* As the gateway keeps and publishes it.  The version was in force for the model at issued_at_ms. */
struct issued_quote {
    struct quote quote;
    uint64_t issued_at_ms;
    struct signature signature;               /* of signer, over the EIP-712 digest */
    struct address signer;                    /* the gateway's promise key then */
};
/* {model, provider, consumer, priceVersion, validUntil, issuedAt, signature, signer} */
json *quote_to_json(const struct issued_quote *q);                                            /* caller owns */
/* ERR_INVALID names the member. */
MUST_USE bool quote_from_json(const json *object, struct issued_quote *q, struct err *err);

/* Whether it binds the receipt: model, provider and consumer match, started in time. */
bool quote_matches(const struct quote *q, const struct receipt *r);
/* Why it does not, with the figures.  q NULL: this gateway issued none of that hash. */
void quote_fault(const struct quote *q, const struct receipt *r, struct faults *faults);

#endif
