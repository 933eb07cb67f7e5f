/* gateway/rebuild/catch_up.h - a restored backup learns from the archives what was settled since.
 *
 * Each missing settlement is compared with the chain's digest, judged receipt by receipt as nobody has looked at it yet,
 * and written with its batch, postings and leaves in one task.  Receipts that the store holds unsettled and an archive has
 * settled move there, with their promises; the others stay open.  What was settled is never settled again: whoever posts
 * it anew is told that it is a duplicate.  Not in archives: what came in after the last commit (nodes post it again),
 * settings that nothing was settled by, API keys made or dropped since. */
#ifndef QUITTANCE_REBUILD_CATCH_UP_H
#define QUITTANCE_REBUILD_CATCH_UP_H

#include "chain/rpc.h"
#include "gateway/settle/settle.h"

/* After each settlement.  lost NULL: it was written; else it was cancelled and why its archive cannot be used.  false: stop,
 * which is ERR_AGAIN. */
typedef bool rebuild_tell_fn(void *self, uint64_t sequence, uint64_t last, const struct err *lost);

struct catch_up_report { uint64_t from, to; };       /* from 0: nothing was missing */
/* place: a URL or folder of published files for those that [archive] dir lacks, also of settlements that the store knows;
 * NULL: none.  db: a reader of the writer's
 * store.  Done in steps: what was written before an error or a crash stays, and the next call goes on behind it.
 * ERR_HALT: another history (settle/behind.h), or an archive is missing, which is named.  ERR_AGAIN: not confirmed yet.
 * ERR_DIFFERS: a published file is not what the chain says, or contradicts the store. */
MUST_USE bool catch_up(const struct settle_config *config, struct writer *writer, struct db *db, struct rpc *rpc,
                       const char *place, rebuild_tell_fn *tell, void *self, struct catch_up_report *report, struct err *err);
/* Only the files, into [archive] dir, where a running service finds them. */
MUST_USE bool catch_up_fetch(const struct settle_config *config, struct db *db, struct rpc *rpc, const char *place,
                             struct catch_up_report *report, struct err *err);

#endif
