/* api/wire.h - one connection of the library with the request that is under way on it: its head as ours, our reply as its
 * response.  server.c decides when; both are the door to libmicrohttpd. */
#ifndef QUITTANCE_API_WIRE_H
#define QUITTANCE_API_WIRE_H

#include "api/connections.h"
#include "api/request.h"

#define WIRE_HEAD_MAX ((size_t)4 * KIB)       /* a request's head and its parts, the answer's head, a piece of a body */

struct MHD_Connection;
/* All borrowed; it outlives the response, whose events and files are read through it. */
struct wire { struct MHD_Connection *connection; struct connection *on; struct reply *reply; };

/* Headers and query, borrowed from the library for as long as the request lasts; and who asks, behind trusted proxies too. */
void wire_head(const struct wire *w, struct request *req);
/* Queues the reply; its body or file goes over to the library.  false: there is no memory for it. */
bool wire_answer(struct wire *w);

#endif
