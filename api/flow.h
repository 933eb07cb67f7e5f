/* api/flow.h - whether posted receipts move on.  While the disk stands still they would only pile up before the writer: so
 * when some wait and none was answered for FLOW_STALL_MS, new ones are refused at once.  Thread-safe. */
#ifndef QUITTANCE_API_FLOW_H
#define QUITTANCE_API_FLOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_STALL_MS 10000u

struct flow {
    pthread_mutex_t lock;
    size_t waiting;
    uint64_t moved_at_ms;                     /* monotonic: one was answered, or the first began to wait */
    uint64_t refused;
};
void flow_init(struct flow *flow);
void flow_clear(struct flow *flow);
bool flow_enter(struct flow *flow, uint64_t now_ms);         /* false: it stands still */
void flow_leave(struct flow *flow, uint64_t now_ms);         /* answered, or not begun after all */
uint64_t flow_refused(struct flow *flow);

#endif
