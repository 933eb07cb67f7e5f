/* gateway/settle/runner_parts.h - inside of a struct runner: runner.c is its thread, runner_ask.c whoever asks it. */
#ifndef QUITTANCE_SETTLE_RUNNER_PARTS_H
#define QUITTANCE_SETTLE_RUNNER_PARTS_H

#include "gateway/settle/marks.h"
#include "gateway/settle/runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* Lives with who asks; answered by the thread, as a struct settle is for one thread. */
struct plan_request { struct settle_plan plan; struct err err; bool ok; };

struct runner {
    const struct clock *clock;
    struct settle_config config;
    struct db *db;
    struct rpc *rpc;
    struct settle *settle;
    atomic_bool quit;              /* ends what the rpc waits for */
    unsigned failures;             /* in a row, of the kind that goes away; the thread's */
    struct run_marks kept;         /* as the store has them; the thread's */
    pthread_t thread;
    pthread_mutex_t lock;          /* all below */
    pthread_cond_t wake;           /* the thread: a request, a plan, the end */
    pthread_cond_t changed;        /* those who wait: the report changed, a plan is there */
    bool stopping;
    bool wanted;                   /* the open batch is to be closed, once nothing older is in the way */
    bool taken;                    /* that wish is being seen to just now */
    bool poked;                    /* somebody asked: no pause now */
    struct run_report report;
    struct plan_request *plan;     /* NULL: none is asked for */
};

/* A moment on the clock that condition variables wait by. */
struct timespec runner_deadline(uint64_t ms);

#endif
