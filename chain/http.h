/* chain/http.h - the only door to libcurl: one request, bounded in time and size.
 *
 * TLS certificates are checked, name and issuer; redirects are not followed, so no secret goes elsewhere; only http and
 * https.  Copies of headers are wiped after use.  An http_client is for one thread;
 * it keeps its connections. */
#ifndef QUITTANCE_CHAIN_HTTP_H
#define QUITTANCE_CHAIN_HTTP_H

#include <stdatomic.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

MUST_USE bool http_start(struct err *err);    /* once a process, before threads */
void http_stop(void);

struct http_client;
struct http_client *http_new(void);
void http_free(struct http_client *client);
/* Once *stop is true, what is under way and whatever is asked later fails within a second or so; NULL: never. */
void http_set_stop(struct http_client *client, const atomic_bool *stop);

#define HTTP_HEADERS_MAX 8
struct http_request {
    const char *method, *url;
    const char *headers[HTTP_HEADERS_MAX];    /* "Name: value", NULL-terminated when fewer */
    const void *body;                         /* NULL: none */
    size_t body_len;
    const char *ca_file;                      /* PEM: whom to trust in place of the system's authorities; NULL: those */
    unsigned timeout_ms;                      /* of the whole exchange */
    size_t max_bytes;                         /* of the answer; more is ERR_LIMIT */
};
struct http_answer {
    int status;
    struct buf body;
    char content_type[96];
    unsigned retry_after_s;
    bool connected;                           /* over a new connection: whoever answers may be another than before */
};
void http_answer_clear(struct http_answer *answer);
/* True for any HTTP status.  ERR_AGAIN: it certainly was not sent (no connection); ERR_UNKNOWN: it may have been. */
MUST_USE bool http_do(struct http_client *client, const struct http_request *request, struct http_answer *answer, struct err *err);

#endif
