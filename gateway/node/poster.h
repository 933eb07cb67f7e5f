/* gateway/node/poster.h - what the threads of post.c share.  Part of post.h; nobody else includes it. */
#ifndef QUITTANCE_NODE_POSTER_H
#define QUITTANCE_NODE_POSTER_H

#include <pthread.h>

#include "chain/http.h"
#include "gateway/node/histogram.h"
#include "gateway/node/pace.h"
#include "gateway/node/post.h"

struct post_counts {
    uint64_t taken;                           /* lines that are in the spool; not what was there before */
    uint64_t sent;                            /* answered: the four below together */
    uint64_t accepted, duplicate, quarantined, rejected;
    uint64_t malformed;                       /* lines that are no receipt */
    uint64_t requests, retries;
    uint64_t proven, wrong_proofs;            /* with until_proof; wrong: one that does not lead to its settlement's root */
    uint64_t reposted;                        /* likewise: the gateway did not know it any more */
};

struct poster {
    const struct post_config *config;
    struct spool *spool;
    atomic_bool stop;                         /* all threads end; what is not answered stays */
    uint64_t began_ms;                        /* all times here are monotonic */

    pthread_mutex_t lock;                     /* of what follows */
    pthread_cond_t changed;
    bool ended;                               /* no more lines */
    unsigned senders;                         /* that have work, or may get some */
    size_t per_request;                       /* shrinks when a gateway finds requests too large */
    uint64_t waiting_since_ms;
    uint64_t not_before_ms;                   /* the gateway asked for quiet until then */
    uint64_t failing_since_ms;                /* 0: the last request did something */
    struct err last;                          /* why it fails */
    struct pace pace;
    bool has_domain;
    struct domain domain;
    struct post_counts counts;
    struct histogram latency;
    bool failed;
    struct err err;                           /* what ended it all, first one only */
};

/* Stops all threads for this reason. */
void poster_fail(struct poster *p, const struct err *err);
/* false: stopped meanwhile. */
bool poster_sleep_until(struct poster *p, uint64_t ms);
/* Waits on `changed` until then at most; lock held. */
void poster_wait_until(struct poster *p, uint64_t ms);
/* A request brought nothing: for how long it has been so decides when to give up. */
void poster_failing(struct poster *p, const struct err *why, unsigned retry_after_s);

/* The gateway's domain, fetched once, or again when `anew`.  ERR_AGAIN, ERR_INVALID. */
MUST_USE bool poster_domain(struct poster *p, struct http_client *http, bool anew, struct domain *domain, struct err *err);

void *sender_main(void *poster);
void *proof_main(void *poster);

/* Lines of fd into the spool. */
struct feed;
struct feed *feed_new(struct poster *p, int fd);
void feed_free(struct feed *feed);
/* Reads for wait_ms at most; *ended once all lines are durable. */
MUST_USE bool feed_step(struct feed *feed, unsigned wait_ms, bool *ended, struct err *err);
MUST_USE bool feed_sync(struct feed *feed, struct err *err);

/* On stderr, every half second to a terminal, else every ten; on stdout at the end. */
struct report { uint64_t shown_ms, shown_sent; bool terminal, line_open; };
void report_begin(struct report *r, struct poster *p);
void report_progress(struct report *r, struct poster *p);
void report_note(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_end(struct report *r, struct poster *p);

#endif
