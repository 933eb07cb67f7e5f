#include "api/route.h"

#include <stdio.h>
#include <string.h>

/* Walks template and path segment by segment. */
static bool path_fits(const char *template, const char *path, char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX])
{
    size_t params = 0;

    while (*template == '/' && *path == '/') {
        size_t want = strcspn(template + 1, "/"), have = strcspn(path + 1, "/");
        const char *segment = path + 1;

        if (template[1] == '{') {
            if (have == 0 || have >= REQUEST_PARAM_MAX)
                return false;
            memcpy(param[params], segment, have);
            param[params++][have] = '\0';
        } else if (want != have || memcmp(template + 1, segment, want) != 0) {
            return false;
        }
        template += 1 + want;
        path += 1 + have;
    }
    return *template == '\0' && *path == '\0';
}

static void add_allow(char allow[ROUTE_ALLOW_MAX], const char *method)
{
    size_t len = strlen(allow);

    snprintf(allow + len, ROUTE_ALLOW_MAX - len, "%s%s%s", len > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum route_result route_find(const struct route_table *table, const char *method, const char *path,
                             const struct route **route, char param[REQUEST_PARAMS_MAX][REQUEST_PARAM_MAX],
                             char allow[ROUTE_ALLOW_MAX])
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    allow[0] = '\0';
    for (size_t i = 0; i < table->count; i++) {
        const struct route *row = &table->rows[i];

        if (!path_fits(row->path, path, param))
            continue;
        if (strcmp(row->method, wanted) == 0) {
            *route = row;
            return ROUTE_FOUND;
        }
        add_allow(allow, row->method);
    }
    return allow[0] == '\0' ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
}
