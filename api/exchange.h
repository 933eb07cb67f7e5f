/* api/exchange.h - one request on its way: what is decided before its body, and how its body is unpacked.
 * Knows no HTTP library; server.c feeds it. */
#ifndef QUITTANCE_API_EXCHANGE_H
#define QUITTANCE_API_EXCHANGE_H

#include "api/server.h"

/* A body over its limit is still read, up to this, so that the sender gets to read the 413 instead of a reset. */
#define EXCHANGE_DRAIN_MAX (64 * MIB)

struct exchange {
    struct request req;
    struct reply reply;
    size_t table, row;                        /* of the route; row = count of the table: none */
    bool decided;                             /* the reply stands: the rest of the body is only drained */
    uint64_t announced, received;             /* bytes of body: by Content-Length, 0 where there is none; and so far */
};
/* What a request is counted as without its body: also what it allocates when it has a query, or its answer headers. */
#define EXCHANGE_BYTES (sizeof(struct exchange) + REQUEST_QUERY_MAX * sizeof(struct query_pair) \
                        + REPLY_HEADERS_MAX * sizeof(struct reply_header))

void exchange_init(struct exchange *x, const struct server_config *config);
void exchange_clear(struct exchange *x);
/* Once the headers are there, before all else. */
void exchange_announced(struct exchange *x);
/* Host, route, contract, key, Content-Type, Content-Encoding, Content-Length, room: what fails decides the reply. */
void exchange_head(struct exchange *x, const struct server_config *config, const char *url);
void exchange_body(struct exchange *x, const void *bytes, size_t len);
/* The body is complete: unpacks it.  false: the reply is decided. */
bool exchange_complete(struct exchange *x);
/* The answer is made: what the request held is given back but for that, and the body may be gone.  An answer there is no
 * room for becomes 503, unless it tells what was done. */
void exchange_answered(struct exchange *x);

#endif
