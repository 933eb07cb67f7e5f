/* api/price_body.h - a price version out of a request's body: of the one that is saved, and of the one whose effect is asked for. */
#ifndef QUITTANCE_API_PRICE_BODY_H
#define QUITTANCE_API_PRICE_BODY_H

#include "api/request.h"
#include "gateway/core/price.h"

/* false: the reply is 400 (no JSON) or 422 (the member and its rule). */
bool request_price(const struct request *req, struct price_version *price, struct reply *reply);

#endif
