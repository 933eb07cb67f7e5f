/* api/range.h - a part of a file (RFC 9110 section 14): one range a request. */
#ifndef QUITTANCE_API_RANGE_H
#define QUITTANCE_API_RANGE_H

#include "api/request.h"

/* Of a reply that holds a whole file: makes it 206, or 416, where the request asks for a part and If-Range, where sent, is
 * this etag.  Several ranges, other units and what cannot be read are answered whole, as the RFC allows. */
void range_apply(const struct request *req, const char *etag, struct reply *reply);

#endif
