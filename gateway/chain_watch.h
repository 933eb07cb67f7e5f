/* gateway/chain_watch.h - what the service must know of the chain beside settling: the token's names, the contract's cap, and
 * whatever the watchdog judges.
 *
 * A thread with endpoints and a reader of its own, so a chain that is away keeps nobody waiting.  The chain is asked each
 * [watchdog] interval: the owner may lower the cap at any time, and a batch over it can never be committed.  Store and runner
 * are looked at every few seconds.  What a predecessor accepts must still be committed: its intake closes some hours before its
 * retirement.  Errors are logged, once per change. */
#ifndef QUITTANCE_CHAIN_WATCH_H
#define QUITTANCE_CHAIN_WATCH_H

#include "api/api.h"
#include "gateway/watchdog/facts.h"

struct chain_watch_config {
    struct rpc_config rpc;
    const char *store_url;
    uint64_t chain_id, deploy_block, interval_s;
    struct chain_question question;
    bool is_predecessor;                      /* then its retirement is looked for too, from deploy_block on */
    const char *alarm;                        /* run with each alarm that is raised or cleared; empty: none */
};
struct chain_watch;

/* Borrows all.  Waits a moment for the first answer, so that the first receipt is judged by the contract's own cap. */
MUST_USE bool chain_watch_start(const struct chain_watch_config *config, struct intake *intake, struct api *api,
                                struct runner *runner, struct watchdog *watchdog, struct chain_watch **watch, struct err *err);
void chain_watch_stop(struct chain_watch *watch);      /* within a second or so; NULL is fine */

/* What a batch may hold of a cap: small enough that four in a row fit, design 8.  Zero: nothing to go by. */
struct amount chain_watch_batch_max(struct amount cap);

#endif
