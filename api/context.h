/* api/context.h - what all handlers share.  Made by api_start (api.c); parts that change have locks of their own. */
#ifndef QUITTANCE_API_CONTEXT_H
#define QUITTANCE_API_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "api/db_pool.h"
#include "api/events.h"
#include "api/flow.h"
#include "api/held.h"
#include "api/idempotency.h"
#include "api/live.h"
#include "api/server.h"
#include "api/sessions.h"
#include "api/trees.h"
#include "api/usage.h"
#include "api/wallets.h"

struct token_words { char symbol[33]; uint8_t decimals; };

struct api {
    struct api *books[2];                     /* of the contract we are for, and of its predecessor (NULL: none) */
    atomic_bool retired;
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
    struct sessions *sessions;                /* of books[0], as are the four below */
    struct wallets wallets;
    struct events *events, *account_events;   /* for the desk; for everybody, each about one account */
    struct live *live;
    struct server *_Atomic server, *_Atomic admin_server;       /* NULL while they start, though one may be asked */
    atomic_bool draining;
    struct room room;                         /* of books[0]: for the requests of all */
    pthread_mutex_t unfolding;                /* of books[0]: one large body is read at a time */
    struct flow flow;
};

/* ?contract= names the book that is asked: req->api is that one afterwards.  false: the reply is 400, or 404 with those
 * that are there. */
bool api_choose(struct request *req, struct reply *reply);
/* The predecessor, where it has a say in an answer of ours: nobody asked for one contract alone.  NULL: it has none. */
struct api *api_other(const struct request *req);
/* A reader with a snapshot of the store; false: the reply is a problem.  Ended by api_end. */
bool api_begin(struct api *api, struct db **db, struct reply *reply);
void api_end(struct api *api, struct db *db);
/* The catalog, at least as new as what db sees; snapshot_release. */
bool api_catalog(struct api *api, struct db *db, const struct snapshot **snapshot, struct reply *reply);

#endif
