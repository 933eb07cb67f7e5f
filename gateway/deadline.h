/* gateway/deadline.h - a flag that becomes true after a time, for whatever a one-shot command waits for (rpc_set_stop). */
#ifndef QUITTANCE_DEADLINE_H
#define QUITTANCE_DEADLINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct deadline;
MUST_USE bool deadline_start(uint64_t after_ms, struct deadline **deadline, struct err *err);
const atomic_bool *deadline_flag(const struct deadline *deadline);    /* borrowed; NULL for NULL */
void deadline_free(struct deadline *deadline);            /* ends its thread at once; NULL is fine */

#endif
