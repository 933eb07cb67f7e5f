#include "api/flow.h"

void flow_init(struct flow *flow)
{
    *flow = (struct flow){ 0 };
    pthread_mutex_init(&flow->lock, NULL);
}

void flow_clear(struct flow *flow)
{
    pthread_mutex_destroy(&flow->lock);
}

bool flow_enter(struct flow *flow, uint64_t now_ms)
{
    bool ok;

    pthread_mutex_lock(&flow->lock);
    if (flow->waiting == 0)
        flow->moved_at_ms = now_ms;
    ok = now_ms - flow->moved_at_ms < FLOW_STALL_MS;
    flow->waiting += ok;
    flow->refused += !ok;
    pthread_mutex_unlock(&flow->lock);
    return ok;
}

void flow_leave(struct flow *flow, uint64_t now_ms)
{
    pthread_mutex_lock(&flow->lock);
    flow->waiting--;
    flow->moved_at_ms = now_ms;
    pthread_mutex_unlock(&flow->lock);
}

uint64_t flow_refused(struct flow *flow)
{
    uint64_t refused;

    pthread_mutex_lock(&flow->lock);
    refused = flow->refused;
    pthread_mutex_unlock(&flow->lock);
    return refused;
}
