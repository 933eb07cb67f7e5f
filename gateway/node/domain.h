/* gateway/node/domain.h - what a gateway says about itself at /v1/info. */
#ifndef QUITTANCE_NODE_DOMAIN_H
#define QUITTANCE_NODE_DOMAIN_H

#include "chain/http.h"
#include "gateway/core/typed.h"

/* The domain that receipts are signed for.  ERR_AGAIN: the gateway is away or busy. */
MUST_USE bool node_fetch_domain(struct http_client *http, const char *url, struct domain *domain, struct err *err);

#endif
