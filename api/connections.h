/* api/connections.h - the connections of one listener: who holds how many, and until when each may go on.  Knows no HTTP
 * library; server.c tells it what happens.
 *
 * Times are absolute, so a byte now and then buys nothing: a request's head is whole within request_ms of the connection
 * (or, on one that is kept, within idle_ms of the answer before), its body within request_ms of its head, its answer taken
 * within answer_ms.  Bodies and answers have a second more for each CONNECTION_RATE bytes.  While we work on an answer no
 * time runs.  Who is late is cut off.
 *
 * One sender (ip_sender) has at most per_address connections, further ones are closed at once; and as many requests at a
 * time, where proxies of ours bring those of many senders over their own connections, which are not counted. */
#ifndef QUITTANCE_API_CONNECTIONS_H
#define QUITTANCE_API_CONNECTIONS_H

#include <stdint.h>

#include "api/forwarded.h"

#define CONNECTION_RATE 131072u               /* bytes a second */

struct connection_limits {
    struct proxies proxies;
    size_t per_address;
    uint64_t request_ms, answer_ms, idle_ms;
};

enum phase { PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_WORK, PHASE_ANSWER };

struct connections;
struct connection;
/* ERR_IO: no thread. */
MUST_USE bool connections_new(const struct connection_limits *limits, struct connections **connections, struct err *err);
void connections_free(struct connections *connections);      /* all are closed; NULL is fine */

/* Whether this peer may have one more. */
bool connections_admit(struct connections *connections, const struct sockaddr *peer);
struct connection *connection_open(struct connections *connections, const struct sockaddr *peer, int fd);
void connection_close(struct connection *connection);         /* before its descriptor is */

/* bytes: of the body so far or as announced, or of the answer. */
void connection_phase(struct connection *connection, enum phase phase, uint64_t bytes);

/* Whether the other side closed it, or only its half of it: nothing of what it sent is taken. */
bool connection_is_gone(const struct connection *connection);

/* Who asks. */
struct ip connection_client(const struct connection *connection, const char *forwarded, const char *x_forwarded_for);
/* false: this client has as many requests here as one may have.  Ends with client_leave. */
bool client_enter(struct connections *connections, struct ip client);
void client_leave(struct connections *connections, struct ip client);

struct connection_counts {
    uint64_t open;
    uint64_t refused_connections, refused_requests;           /* of one sender too many */
    uint64_t late[PHASE_ANSWER + 1];                          /* cut off in this phase */
};
void connections_count(struct connections *connections, struct connection_counts *counts);

#endif
