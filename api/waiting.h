/* api/waiting.h - the requests that are suspended or whose late answer is on its way, and the threads of those that need one. */
#ifndef QUITTANCE_API_WAITING_H
#define QUITTANCE_API_WAITING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t none_left;
    size_t count, slow;                       /* those who must leave; requests with a thread */
    bool closed;
};
void waiting_init(struct waiting *w);
void waiting_clear(struct waiting *w);
/* false: closed, or as many slow ones as we take.  Two must leave for each that entered: who wakes it, last thing he does,
 * and its answer, sent or cut off. */
bool waiting_enter(struct waiting *w, bool slow);
void waiting_slow_ends(struct waiting *w);    /* its thread has its result: another may start */
void waiting_leave(struct waiting *w);
void waiting_close(struct waiting *w);        /* lets no more in, waits until all have left */
bool waiting_start_thread(void *(*run)(void *self), void *self);       /* detached; it must end with waiting_leave */

#endif
