/* The part of GET /metrics that is about load: connections, memory for requests, what was refused and why. */
#include "api/metrics_load.h"

#include <inttypes.h>

#include "api/context.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_refused(struct buf *out, const char *listener, const char *reason, uint64_t count)
{
    buf_printf(out, "quittance_http_refused_total{listener=\"%s\",reason=\"%s\"} %" PRIu64 "\n", listener, reason, count);
}

static void put_counts(struct buf *out, const char *listener, const struct connection_counts *c)
{
    put_refused(out, listener, "address-connections", c->refused_connections);
    put_refused(out, listener, "address-requests", c->refused_requests);
    put_refused(out, listener, "late-idle", c->late[PHASE_IDLE]);
    put_refused(out, listener, "late-head", c->late[PHASE_HEAD]);
    put_refused(out, listener, "late-body", c->late[PHASE_BODY]);
    put_refused(out, listener, "late-reader", c->late[PHASE_ANSWER]);
}

void metrics_put_load(struct buf *out, struct api *api)
{
    struct api *first = api->books[0];
    const struct server *servers[] = { first->server, first->admin_server };
    static const char *const names[] = { "public", "admin" };
    struct connection_counts counts[ARRAY_LEN(names)] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (servers[i] != NULL)
            server_count(servers[i], &counts[i]);
    head(out, "quittance_http_connections", "gauge", "Open connections.");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_printf(out, "quittance_http_connections{listener=\"%s\"} %" PRIu64 "\n", names[i], counts[i].open);
    head(out, "quittance_http_connections_max", "gauge", "Connections that the public listener takes.");
    buf_printf(out, "quittance_http_connections_max %u\n", first->config->connections_max);
    head(out, "quittance_http_room_bytes", "gauge", "Memory that requests hold: bodies, items under way, answers not yet taken.");
    buf_printf(out, "quittance_http_room_bytes %zu\n", atomic_load(&first->room.used));
    head(out, "quittance_http_room_max_bytes", "gauge", "Beyond it requests are answered 503.");
    buf_printf(out, "quittance_http_room_max_bytes %zu\n", first->room.max);
    head(out, "quittance_http_refused_total", "counter", "Connections closed and requests refused for load, by reason.");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_counts(out, names[i], &counts[i]);
    put_refused(out, "all", "no-room", atomic_load(&first->room.refused));
    put_refused(out, "all", "slow-disk", flow_refused(&api->flow));
}
