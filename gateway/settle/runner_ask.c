/* What other threads ask of the runner. */
#include "gateway/settle/runner_parts.h"

struct timespec runner_deadline(uint64_t ms)
{
    uint64_t at_ms = clock_monotonic_ms() + ms;

    return (struct timespec){ (time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000 };
}

bool runner_has_news(const struct runner *r)
{
    return r->stopping || !r->report.running || (r->report.settle.has_sequence && !r->wanted && !r->taken);
}

void runner_want(struct runner *r)
{
    if (!r->report.running)        /* else it joins; its report stays */
        r->report = (struct run_report){ .running = true, .last_success_ms = r->report.last_success_ms,
                                         .stuck_since_ms = r->report.stuck_since_ms };
    r->wanted = r->poked = true;
    pthread_cond_signal(&r->wake);
}

void runner_request(struct runner *r, uint64_t wait_ms, struct run_report *report)
{
    struct timespec until = runner_deadline(wait_ms);

    if (!lease_is_held(r->lease)) {
        runner_request_other(r, wait_ms, report);
        return;
    }
    pthread_mutex_lock(&r->lock);
    runner_want(r);
    while (!runner_has_news(r))
        if (pthread_cond_timedwait(&r->changed, &r->lock, &until) != 0)
            break;
    *report = r->report;
    pthread_mutex_unlock(&r->lock);
}

void runner_report(struct runner *r, struct run_report *report)
{
    pthread_mutex_lock(&r->lock);
    *report = r->report;
    pthread_mutex_unlock(&r->lock);
}

size_t runner_endpoints(struct runner *r, struct rpc_health list[RPC_URLS_MAX])
{
    return rpc_health(r->rpc, list);           /* it has a lock of its own */
}

bool runner_plan(struct runner *r, struct settle_plan *plan, struct err *err)
{
    struct plan_request request = { .ok = false };
    bool answered = false;

    pthread_mutex_lock(&r->lock);
    while (!r->stopping && r->plan != NULL)          /* another one's */
        pthread_cond_wait(&r->changed, &r->lock);
    if (!r->stopping) {
        r->plan = &request;
        pthread_cond_signal(&r->wake);
        while (r->plan == &request)                  /* also while stopping: the thread may be at it */
            pthread_cond_wait(&r->changed, &r->lock);
        answered = true;
    }
    pthread_mutex_unlock(&r->lock);
    if (!answered)
        return err_set(err, ERR_AGAIN, "the service is stopping");
    if (request.ok)
        *plan = request.plan;
    else
        *err = request.err;
    return request.ok;
}
