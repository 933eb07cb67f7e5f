/* gateway/node/post.h - receipts posted so that none is lost: an answer for each, or the same again.
 *
 * Posts arrays of signed receipts, or bundles.  No connection, a lost answer, 429 and 503 are tried again with the same
 * jobIds (Retry-After is kept, else pauses grow to 8 s); an answer that says no is counted by its code. */
#ifndef QUITTANCE_NODE_POST_H
#define QUITTANCE_NODE_POST_H

#include "chain/signer.h"
#include "gateway/core/receipt.h"
#include "gateway/core/typed.h"

struct post_config {
    const char *url;                          /* http://HOST:PORT */
    size_t per_request;                       /* receipts in an array or a bundle */
    bool bundles;                             /* sign one bundle for each request; needs signer and domain */
    const struct signer *signer;
    struct domain domain;
    uint64_t give_up_ms;                      /* without any success for so long: ERR_AGAIN */
};
struct post_counts { uint64_t sent, accepted, duplicate, quarantined, rejected, requests, retries; };

struct poster;
struct poster *poster_new(const struct post_config *config);              /* borrows what config points to */
void poster_free(struct poster *poster);
/* Taken into the next request, which is sent when it is full.  refused(item as JSON text) is called for each not accepted. */
MUST_USE bool poster_add(struct poster *poster, const struct signed_receipt *receipt, struct err *err);
MUST_USE bool poster_flush(struct poster *poster, struct err *err);
const struct post_counts *poster_counts(const struct poster *poster);
void poster_on_refused(struct poster *poster, void (*refused)(void *self, const char *item), void *self);

/* GET {url}/v1/info: the domain that receipts are signed for. */
MUST_USE bool node_fetch_domain(const char *url, struct domain *domain, struct err *err);

#endif
