/* store/promise_signers.h - the history of the keys that sign promises. */
#ifndef QUITTANCE_STORE_PROMISE_SIGNERS_H
#define QUITTANCE_STORE_PROMISE_SIGNERS_H

#include "store/db.h"

struct promise_signer { struct address address; uint64_t from_ms, until_ms; };     /* until 0: still */
/* From now on it is this one: ends the one before, does nothing when it is the same.  In a group of its own, so that no
 * promise has the same millisecond. */
MUST_USE bool store_promise_signer_set(struct db *db, struct address address, uint64_t now_ms, struct err *err);
typedef bool promise_signer_fn(void *self, const struct promise_signer *s, struct err *err);
MUST_USE bool store_promise_signers(struct db *db, promise_signer_fn *visit, void *self, struct err *err);     /* oldest first */

#endif
