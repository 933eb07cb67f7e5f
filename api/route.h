/* api/route.h - tables of routes, and which row a request means.  To add an endpoint: a row in routes.c. */
#ifndef QUITTANCE_API_ROUTE_H
#define QUITTANCE_API_ROUTE_H

#include "api/request.h"

typedef void handler_fn(struct request *req, struct reply *reply);

/* How a handler is run: on the connection's thread, or, where it waits for the writer or a run, on one of its own. */
enum route_pace { ROUTE_QUICK, ROUTE_SLOW };

struct route {
    const char *method;                       /* HEAD is answered where GET is */
    const char *path;                         /* segments; {name} stands for any one segment */
    enum access_role least;
    enum route_pace pace;
    handler_fn *handler;
    size_t body_max;                          /* bytes, packed and unpacked; 0: a body is ignored */
    bool any_type;                            /* the handler judges Content-Type; else it must be JSON */
};

struct route_table { const struct route *rows; size_t count; };
extern const struct route_table routes_public, routes_earner, routes_admin, routes_desk;

#define ROUTE_ALLOW_MAX 64
enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };
/* Found: *route, and params filled.  ROUTE_NO_METHOD: `allow` lists the methods that this path has. */
enum route_result route_find(const struct route_table *table, const char *method, const char *path,
                             const struct route **route, char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX],
                             char allow[ROUTE_ALLOW_MAX]);

#endif
