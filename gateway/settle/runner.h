/* gateway/settle/runner.h - the settling thread of `serve`: finishes what is unfinished by itself, and runs on request.
 *
 * Two requests at once are one run.  Errors end the run and stay in its report until the next, those that go away as a
 * rule at the third time; the thread goes on and tries unfinished work again with growing pauses. */
#ifndef QUITTANCE_SETTLE_RUNNER_H
#define QUITTANCE_SETTLE_RUNNER_H

#include "chain/rpc_health.h"
#include "gateway/settle/settle.h"

struct run_report {
    bool running;
    struct settle_report settle;
    struct err error;                         /* of the last run; ERR_NONE */
    uint64_t last_success_ms;                 /* end of the last run that ended well; 0: never */
    uint64_t stuck_since_ms;                  /* unfinished work has not moved since, or steps fail; 0: not so */
};

struct runner;
/* Owns db, rpc and settle made from these; all else is borrowed. */
MUST_USE bool runner_start(const struct settle_config *config, const char *store_url, const char *rpc_urls,
                           struct writer *writer, const struct signer *signer, const struct clock *clock,
                           struct runner **runner, struct err *err);
/* Lets go of whatever it waits for, within a second or so, and of those who wait for it; runner_stop is still due. */
void runner_quit(struct runner *runner);
void runner_stop(struct runner *runner);
/* Starts a run, or joins the one under way; waits up to wait_ms until the batch that was open now has a sequence, there
 * is nothing to do, or it failed. */
void runner_request(struct runner *runner, uint64_t wait_ms, struct run_report *report);
void runner_report(struct runner *runner, struct run_report *report);
/* How its endpoints fare; the number of them. */
size_t runner_endpoints(struct runner *runner, struct rpc_health list[RPC_URLS_MAX]);
MUST_USE bool runner_plan(struct runner *runner, struct settle_plan *plan, struct err *err);

#endif
