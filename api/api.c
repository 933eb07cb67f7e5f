#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/context.h"
#include "api/problem.h"
#include "gateway/base/mem.h"

#define READERS_MAX 16
#define ADMIN_THREADS 2

bool api_begin(struct api *api, struct db **db, struct reply *reply)
{
    struct err err = { 0 };

    if (db_pool_take(api->pool, db, &err))
        return true;
    problem_from_err(reply, &err);
    return false;
}

void api_end(struct api *api, struct db *db)
{
    db_pool_give(api->pool, db);
}

bool api_catalog(struct api *api, struct db *db, const struct snapshot **snapshot, struct reply *reply)
{
    struct err err = { 0 };

    if (!snapshots_refresh(api->snapshots, db, &err)) {
        problem_from_err(reply, &err);
        return false;
    }
    *snapshot = snapshot_take(api->snapshots);
    return true;
}

static bool start_servers(struct api *api, struct err *err)
{
    const struct server_config public_config = {
        .listen = api->config->listen, .threads = api->config->threads, .tables = { &routes_public }, .api = api,
    };
    const struct server_config admin_config = {
        .listen = api->config->admin_listen, .admin = true, .admin_hosts = api->config->admin_hosts,
        .threads = ADMIN_THREADS, .tables = { &routes_admin, &routes_public }, .api = api,
    };

    struct server *server;

    if (!server_start(&admin_config, &server, err))
        return false;
    atomic_store(&api->admin_server, server);
    if (!server_start(&public_config, &server, err))
        return false;
    atomic_store(&api->server, server);
    return true;
}

bool api_start(const struct api_config *config, struct writer *writer, struct intake *intake,
               struct snapshots *snapshots, struct runner *runner, const struct clock *clock,
               struct api **api, struct err *err)
{
    struct api *a = mem_new(sizeof *a);

    a->config = config;
    a->writer = writer;
    a->intake = intake;
    a->snapshots = snapshots;
    a->runner = runner;
    a->clock = clock;
    a->pool = db_pool_new(config->store_url, READERS_MAX);
    a->trees = trees_new(config->secret);
    a->usage = usage_new();
    a->held = held_new();
    a->idempotency = idempotency_new();
    if (!start_servers(a, err)) {
        api_stop(a);
        return false;
    }
    *api = a;
    return true;
}

void api_set_token(struct api *api, const char *symbol, uint8_t decimals)
{
    struct token_words *words = mem_new(sizeof *words), *none = NULL;

    snprintf(words->symbol, sizeof words->symbol, "%s", symbol);
    words->decimals = decimals;
    if (!atomic_compare_exchange_strong(&api->token, &none, words))
        free(words);
}

void api_addresses(const struct api *api, char listen[64], char admin_listen[64])
{
    server_address(api->server, listen);
    server_address(api->admin_server, admin_listen);
}

void api_drain(struct api *api)
{
    atomic_store(&api->draining, true);
}

void api_stop(struct api *api)
{
    if (api == NULL)
        return;
    api_drain(api);
    server_stop(api->server);
    server_stop(api->admin_server);
    idempotency_free(api->idempotency);
    held_free(api->held);
    usage_free(api->usage);
    trees_free(api->trees);
    db_pool_free(api->pool);
    free(atomic_load(&api->token));
    free(api);
}
