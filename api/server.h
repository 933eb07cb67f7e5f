/* api/server.h - one listener: the only door to libmicrohttpd.
 *
 * A pool of epoll threads reads requests, collects bodies within the route's limit, and calls handlers.  A request
 * that must wait (for a commit, for a run) has its connection suspended, so that no thread waits with it. */
#ifndef QUITTANCE_API_SERVER_H
#define QUITTANCE_API_SERVER_H

#include "api/connections.h"
#include "api/route.h"
#include "gateway/base/err.h"

#define SERVER_TABLES 3u
struct server_config {
    const char *listen;                       /* HOST:PORT */
    bool admin;                               /* Host is checked; nothing may be cached */
    const char *admin_hosts;
    unsigned threads, connections_max;
    struct connection_limits limits;
    struct room *room;                        /* shared with other listeners; borrowed */
    const struct route_table *tables[SERVER_TABLES];      /* tried in order; NULL: no more */
    struct api *api;
};

struct server;
MUST_USE bool server_start(const struct server_config *config, struct server **server, struct err *err);
void server_address(const struct server *server, char text[64]);
/* Waits for suspended requests, then closes all connections.  NULL is fine. */
void server_stop(struct server *server);

/* What stands now, and what was refused since the start. */
void server_count(const struct server *server, struct connection_counts *counts);
/* Answers given, by route and class of status (1xx to 5xx at 1 to 5); row count: no route. */
uint64_t server_answers(const struct server *server, size_t table, size_t row, unsigned status_class);

#endif
