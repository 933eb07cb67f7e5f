/* tests/support/fake_http.h - an HTTP server on a loopback port, on a thread of its own, with canned answers.
 *
 * Each request takes the next reply; when they are used up, the last one again.  A connection serves one request. */
#ifndef QUITTANCE_TESTS_FAKE_HTTP_H
#define QUITTANCE_TESTS_FAKE_HTTP_H

#include <stddef.h>

#include "gateway/base/buf.h"

enum fake_manner {
    FAKE_ANSWERS,          /* status, headers and body */
    FAKE_RESETS,           /* takes the whole request, then resets the connection */
    FAKE_HANGS,            /* takes the whole request and never says a word */
    FAKE_BREAKS_OFF        /* promises the body and sends half of it */
};

struct fake_reply {
    enum fake_manner manner;
    int status;            /* 0: 200 */
    const char *headers;   /* whole lines with their CRLF; NULL: none */
    const char *body;      /* NULL: empty */
    size_t padding;        /* so many blanks behind the body */
};

#define FAKE_REPLIES_MAX 8

struct fake_http;
struct fake_http *fake_http_new(const struct fake_reply *replies, size_t count);
/* Passes every request on to `target`, but for those that hook answers itself: it appends the JSON body of a 200 and
 * returns true.  hook runs on the server's thread, one request at a time. */
typedef bool fake_hook(void *self, const char *request, struct buf *answer);
struct fake_http *fake_http_new_proxy(const char *target, fake_hook *hook, void *self);
void fake_http_free(struct fake_http *fake);
const char *fake_http_url(const struct fake_http *fake);            /* borrowed: http://127.0.0.1:PORT/ */
size_t fake_http_requests(struct fake_http *fake);                  /* taken so far */
/* The body of the last request; borrowed until the next one. */
const char *fake_http_last_body(struct fake_http *fake);
/* Its request line and headers, likewise. */
const char *fake_http_last_head(struct fake_http *fake);

#define FAKE_URL_MAX 64
/* A URL where nobody listens. */
void fake_http_dead_url(char url[FAKE_URL_MAX]);

#endif
