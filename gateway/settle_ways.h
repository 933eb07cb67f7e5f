/* gateway/settle_ways.h - the two ways of one `settle` command: by the running service, or by itself with the store's lock. */
#ifndef QUITTANCE_GATEWAY_SETTLE_WAYS_H
#define QUITTANCE_GATEWAY_SETTLE_WAYS_H

#include "gateway/admin_client.h"
#include "gateway/config.h"
#include "gateway/settle/lease.h"

struct goal { bool wait_all, dry_run; uint64_t timeout_ms, started_ms; };     /* timeout_ms 0: none */
uint64_t goal_left_ms(const struct goal *goal);       /* of the time that the whole command has, waiting for others included */
bool goal_is_over(const struct goal *goal);

/* Each prints its JSON where the run came to one.  ERR_AGAIN: the time is over; else the run's own error. */
MUST_USE bool settle_by_service(struct admin_client *client, const struct config *config, const struct goal *goal, struct err *err);
MUST_USE bool settle_alone(const struct config *config, const struct goal *goal, struct writer *writer, struct lease *lease,
                           struct err *err);

/* What a dry run found (plan_to_json of api/report.h): JSON, and its gist first for who looks at a terminal.  Takes it. */
void settle_print_plan(json *owned);

#endif
