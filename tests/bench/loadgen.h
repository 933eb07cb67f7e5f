/* tests/bench/loadgen.h - a load generator that costs little: requests are made and signed before they are sent, and only their
 * bytes are written while the clock runs.
 *
 *   makers, one a core ─▶ ready requests, `ahead` of them at most ─▶ senders, a thread and a kept connection each
 *
 * All that the two sides of it share.  Errors end the program: a bench that cannot measure has no figure. */
#ifndef QUITTANCE_TESTS_BENCH_LOADGEN_H
#define QUITTANCE_TESTS_BENCH_LOADGEN_H

#include "gateway/base/buf.h"
#include "gateway/node/group.h"
#include "gateway/node/load.h"

#define PROVIDERS_MAX 8
#define CONNECTIONS_MAX 1024

enum form { FORM_OBJECT, FORM_ARRAY, FORM_BUNDLE, FORM_BINARY };

struct settings {
    char host[64];                            /* an IPv4 address */
    uint16_t port;
    enum form form;
    bool minimal;                             /* Prefer: return=minimal */
    struct signer *providers[PROVIDERS_MAX];  /* in turns, one a request */
    size_t provider_count;
    struct hash models[LOAD_MODELS_MAX];
    size_t model_count;
    struct domain domain;
    size_t per_request;                       /* receipts */
    uint64_t requests;
    uint64_t ahead;                           /* requests ready before the first leaves, and at most at any time */
    uint64_t seed, start_ms;                  /* of the jobs; start 0: they end now */
    uint64_t pace;                            /* jobs a second that ended in all, so requests follow each other in time, too; 0: as made */
    const bool *wanted;                       /* which of the requests; NULL: all */
    unsigned connections;
    uint64_t rate;                            /* receipts a second; 0: as fast as answers come */
    long pid;                                 /* whose CPU time is told, too; 0: nobody's */
    const char *acked_file, *only_file;
};
/* From the command line; asks the gateway for its domain. */
void settings_read(struct settings *settings, int argc, char **argv);

/* The whole request, head and body: the same for the same seed, start and number. */
void request_make(const struct settings *settings, uint64_t number, struct buf *request);

struct stock;
/* Starts the makers and returns when `ahead` requests are ready, or all. */
struct stock *stock_new(const struct settings *settings);
void stock_free(struct stock *stock);         /* ends the makers */
/* The next one, which the caller clears; false: there are no more.  Waits where the makers are behind, and counts that: a measure
 * with such a wait is one of the makers. */
bool stock_take(struct stock *stock, uint64_t *number, struct buf *request);
uint64_t stock_waits(struct stock *stock);

/* What an answer says. */
struct reply {
    int status;                               /* 0: the connection ended */
    unsigned retry_after_s;
    uint64_t accepted, duplicate, quarantined, rejected;
    const char *text;                         /* borrowed until the next exchange */
};
struct connection;
struct connection *connection_new(const struct settings *settings);    /* NULL: nobody listens */
void connection_free(struct connection *c);
struct reply connection_exchange(struct connection *c, const struct buf *request);

#endif
