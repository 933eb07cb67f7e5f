#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "api/problem.h"
#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"

#define READERS_MAX 16
#define ADMIN_THREADS 2
#define ADMIN_CONNECTIONS 256
static const struct events_limits desk_listeners = { 64, 64 };
/* Of the public: a browser keeps six connections to one host, and the pages ask for more than events. */
static const struct events_limits public_listeners = { EVENTS_LISTENERS_MAX, 4 };

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

static void refuse_contract(const struct api *api, struct reply *reply)
{
    const struct api *predecessor = api->books[1];
    char is[ADDRESS_TEXT], was[ADDRESS_TEXT] = "";

    address_to_text(api->books[0]->config->domain.contract, is);
    if (predecessor != NULL)
        address_to_text(predecessor->config->domain.contract, was);
    problem(reply, 404, "not-found", "That contract is not served here: %s%s%s is.", is, predecessor != NULL ? " and its predecessor " : "", was);
}

static bool start_servers(struct api *api, struct err *err)
{
    const struct api_config *c = api->config;
    struct server_config public_config = {
        .listen = c->listen, .threads = c->threads, .connections_max = c->connections_max,
        .limits = { .per_address = c->per_address, .request_ms = c->request_ms, .answer_ms = c->answer_ms, .idle_ms = c->idle_ms },
        .tables = { &routes_public, &routes_earner }, .api = api, .room = &api->room,
    };
    struct server_config admin_config;
    struct server *server;

    if (!proxies_parse(c->trusted_proxies, &public_config.limits.proxies, err))
        return false;
    admin_config = public_config;
    admin_config.listen = c->admin_listen;
    admin_config.admin = true;
    admin_config.admin_hosts = c->admin_hosts;
    admin_config.threads = ADMIN_THREADS;
    admin_config.connections_max = ADMIN_CONNECTIONS;
    admin_config.tables[0] = &routes_admin;
    admin_config.tables[1] = &routes_public;
    admin_config.tables[2] = &routes_desk;
    if (!server_start(&admin_config, &server, err))
        return false;
    atomic_store(&api->admin_server, server);
    if (!server_start(&public_config, &server, err))
        return false;
    atomic_store(&api->server, server);
    return true;
}

bool api_choose(struct request *req, struct reply *reply)
{
    const char *text = request_query(req, "contract");
    struct address contract;

    if (text == NULL)
        return true;
    if (!address_from_text(text, strlen(text), &contract)) {
        problem(reply, 400, "malformed", "contract must be an address of 0x and 40 hex digits.");
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(req->api->books); i++) {
        struct api *book = req->api->books[i];

        if (book != NULL && address_eq(book->config->domain.contract, contract)) {
            req->api = book;
            return true;
        }
    }
    refuse_contract(req->api, reply);
    return false;
}

struct api *api_other(const struct request *req)
{
    return request_query(req, "contract") == NULL ? req->api->books[1] : NULL;
}

struct api *api_new(const struct api_config *config, struct writer *writer, struct intake *intake,
                    struct snapshots *snapshots, struct runner *runner, const struct clock *clock)
{
    struct api *a = mem_new(sizeof *a);

    a->books[0] = a;
    a->config = config;
    a->writer = writer;
    a->intake = intake;
    a->snapshots = snapshots;
    a->runner = runner;
    a->clock = clock;
    a->pool = db_pool_new(config->store_url, config->archive_dir, config->secret, READERS_MAX);
    a->trees = trees_new();
    a->usage = usage_new();
    a->held = held_new();
    a->idempotency = idempotency_new();
    a->sessions = sessions_new();
    a->events = events_new(desk_listeners);
    a->account_events = events_new(public_listeners);
    room_init(&a->room, ROOM_BYTES);
    pthread_mutex_init(&a->unfolding, NULL);
    flow_init(&a->flow);
    return a;
}

bool api_serve(struct api *api, struct api *predecessor, struct err *err)
{
    api->books[1] = predecessor;
    if (predecessor != NULL)
        memcpy(predecessor->books, api->books, sizeof api->books);
    return wallets_parse(api->config->wallets, &api->wallets, err) && live_start(api, &api->live, err) && start_servers(api, err);
}

void api_set_retired(struct api *api, bool retired)
{
    atomic_store(&api->retired, retired);
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
    for (size_t i = 0; i < ARRAY_LEN(api->books); i++)
        if (api->books[i] != NULL)
            atomic_store(&api->books[i]->draining, true);
}

void api_stop(struct api *api)
{
    if (api == NULL)
        return;
    atomic_store(&api->draining, true);
    events_close(api->events);
    events_close(api->account_events);
    server_stop(api->server);
    server_stop(api->admin_server);
    live_stop(api->live);
    events_free(api->events);
    events_free(api->account_events);
    sessions_free(api->sessions);
    idempotency_free(api->idempotency);
    held_free(api->held);
    usage_free(api->usage);
    trees_free(api->trees);
    db_pool_free(api->pool);
    free(atomic_load(&api->token));
    flow_clear(&api->flow);
    pthread_mutex_destroy(&api->unfolding);
    free(api);
}
