/* api/idempotency.h - Idempotency-Key on POSTs that are not idempotent by themselves; answers are kept for 24 hours.
 *
 * Two tries at once: the second is 409 until the first has answered.  The key belongs to the API key that sent it. */
#ifndef QUITTANCE_API_IDEMPOTENCY_H
#define QUITTANCE_API_IDEMPOTENCY_H

#include "api/request.h"
#include "store/writer.h"

struct idempotency;
struct idempotency *idempotency_new(void);
void idempotency_free(struct idempotency *list);

#define IDEMPOTENCY_SCOPE_MAX 160
struct idempotent { bool has_key, kept; char key[129], scope[IDEMPOTENCY_SCOPE_MAX]; };
/* true: do it, then idempotency_end.  false: the reply is the kept answer, or 409 (running), 422 (other body). */
bool idempotency_begin(struct request *req, struct idempotent *run, struct reply *reply);
/* In the commit of what was done, on the writer's thread: a crash leaves both or neither.  idempotency_end keeps no other then.
 * The answer is taken; it is written only where there is a key. */
MUST_USE bool idempotency_keep(const struct request *req, struct idempotent *run, struct group *group, int status, json *owned,
                               struct err *err);
/* Keeps an answer below 500. */
void idempotency_end(struct request *req, const struct idempotent *run, const struct reply *reply);

#endif
