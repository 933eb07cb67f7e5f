/* gateway/settle/runner_parts.h - inside of a struct runner: runner.c is its thread, runner_ask.c whoever asks it,
 * runner_others.c what it has to do with those of other gateways. */
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
    struct writer *writer;
    struct lease *lease;           /* NULL: there is no other settler */
    struct db *db;
    struct rpc *rpc;
    struct settle *settle;
    atomic_bool quit;              /* ends what the rpc waits for */
    unsigned failures;             /* in a row, of the kind that goes away; the thread's */
    struct run_marks kept;         /* as the store has them; the thread's */
    struct buf told;               /* the report as other gateways have it; the thread's, as is the next */
    uint64_t told_answered;
    pthread_t thread;
    pthread_mutex_t lock;          /* all below */
    pthread_cond_t wake;           /* the thread: a request, a plan, the end */
    pthread_cond_t changed;        /* those who wait: the report changed, a plan is there */
    bool stopping;
    bool wanted;                   /* the open batch is to be closed, once nothing older is in the way */
    bool taken;                    /* that wish is being seen to just now */
    bool poked;                    /* somebody asked: no pause now */
    uint64_t asked, answered;      /* runs that other gateways want: taken on by us, and in the report (runner_others.c) */
    struct run_report report;
    struct plan_request *plan;     /* NULL: none is asked for */
};

/* A moment on the clock that condition variables wait by. */
struct timespec runner_deadline(uint64_t ms);
/* A run is wanted: a new one, or that which is under way.  Holds the lock, as do the next. */
void runner_want(struct runner *r);
/* Whether there is something to tell who asked for a run: its own batch, not the older one that is in its way. */
bool runner_has_news(const struct runner *r);

/* -- runner_others.c: several gateways, one of which settles -- */
#define RUNNER_LOOK_MS 500u
/* Whether it is ours to settle; also begins and ends that.  The thread's, as are the next three; all hold the lock on entry and
 * return. */
bool runner_is_settler(struct runner *r);
/* What other gateways ask for. */
void runner_hear(struct runner *r);
/* Tells them how it goes. */
void runner_tell(struct runner *r);
/* What the settler tells becomes our report. */
void runner_listen(struct runner *r);
/* runner_request where another gateway settles; without the lock. */
void runner_request_other(struct runner *r, uint64_t wait_ms, struct run_report *report);

#endif
