/* gateway/level.h - the thread of `serve` that sees to it that a restored backup catches up before it takes anything in.
 *
 * It asks the chain once, and again until it has an answer.  Where the store lacks settlements (settle/behind.h) intake is
 * paused, so that what was settled is not taken for new; then [archive] dir is tried again and again, with growing pauses,
 * until all of them could be made again (rebuild/catch_up.h).  Once the store is level the thread has nothing left to do. */
#ifndef QUITTANCE_LEVEL_H
#define QUITTANCE_LEVEL_H

#include "gateway/intake/intake.h"
#include "gateway/rebuild/catch_up.h"

struct level;
struct level_config { const struct settle_config *settle; const char *store_url; };      /* borrowed */
/* Waits a second for the first answer of the chain.  ERR_HALT: the store is of another history. */
MUST_USE bool level_start(const struct level_config *config, struct writer *writer, struct intake *intake, struct level **level,
                          struct err *err);
void level_stop(struct level *level);         /* NULL is fine */

/* Each settlement as a line on stderr: a rebuild_tell_fn for commands. */
bool level_tell(void *self, uint64_t sequence, uint64_t last, const struct err *lost);

#endif
