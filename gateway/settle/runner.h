/* gateway/settle/runner.h - the settling thread of `serve`: finishes what is unfinished by itself, and runs on request.
 *
 * Two requests at once are one run.  Errors end the run and stay in its report until the next; the thread goes on and
 * tries unfinished work again with growing pauses. */
#ifndef QUITTANCE_SETTLE_RUNNER_H
#define QUITTANCE_SETTLE_RUNNER_H

#include "gateway/settle/settle.h"

struct run_report {
    bool running;
    struct settle_report settle;
    struct err error;                         /* of the last run; ERR_NONE */
    uint64_t last_success_ms, stuck_since_ms; /* 0: never, not */
};

struct runner;
/* Owns db, rpc and settle made from these; all else is borrowed. */
MUST_USE bool runner_start(const struct settle_config *config, const char *store_url, const char *rpc_urls,
                           struct writer *writer, const struct signer *signer, const struct clock *clock,
                           struct runner **runner, struct err *err);
void runner_stop(struct runner *runner);
/* Starts a run, or joins the one under way; waits up to wait_ms until it has a sequence, has nothing to do or
 * failed. */
void runner_request(struct runner *runner, uint64_t wait_ms, struct run_report *report);
void runner_report(struct runner *runner, struct run_report *report);
MUST_USE bool runner_plan(struct runner *runner, struct settle_plan *plan, struct err *err);

#endif
