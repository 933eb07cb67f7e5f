/* gateway/settle/marks.h - how runs have gone, kept in the store for whoever looks without a service: status, the next run. */
#ifndef QUITTANCE_SETTLE_MARKS_H
#define QUITTANCE_SETTLE_MARKS_H

#include "store/writer.h"

struct run_marks { uint64_t last_success_ms, stuck_since_ms; };       /* 0: never, not */
MUST_USE bool marks_load(struct db *db, struct run_marks *marks, struct err *err);
MUST_USE bool marks_set(struct group *group, const struct run_marks *marks, struct err *err);
/* After a whole run that ended well or not: the first failure of a row is since when. */
MUST_USE bool marks_note(struct writer *writer, bool well, struct err *err);

#endif
