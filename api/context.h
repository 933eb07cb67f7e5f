/* api/context.h - what all handlers share.  Made by api_start (api.c); parts that change have locks of their own. */
#ifndef QUITTANCE_API_CONTEXT_H
#define QUITTANCE_API_CONTEXT_H

#include <stdatomic.h>

#include "api/api.h"
#include "api/db_pool.h"
#include "api/held.h"
#include "api/idempotency.h"
#include "api/server.h"
#include "api/trees.h"
#include "api/usage.h"

struct token_words { char symbol[33]; uint8_t decimals; };

struct api {
    const struct api_config *config;
    struct token_words *_Atomic token;        /* owned; NULL until the chain was asked */
    struct writer *writer;
    struct intake *intake;
    struct snapshots *snapshots;
    struct runner *runner;                    /* NULL: no chain configured yet */
    const struct clock *clock;
    struct db_pool *pool;
    struct trees *trees;
    struct usage *usage;
    struct held *held;
    struct idempotency *idempotency;
    struct server *_Atomic server, *_Atomic admin_server;       /* NULL while they start, though one may be asked */
    atomic_bool draining;
};

/* A reader with a snapshot of the store; false: the reply is a problem.  Ended by api_end. */
bool api_begin(struct api *api, struct db **db, struct reply *reply);
void api_end(struct api *api, struct db *db);
/* The catalog, at least as new as what db sees; snapshot_release. */
bool api_catalog(struct api *api, struct db *db, const struct snapshot **snapshot, struct reply *reply);

#endif
