/* gateway/intake/snapshot.h - the current catalog, shared by threads and replaced as a whole when settings change. */
#ifndef QUITTANCE_INTAKE_SNAPSHOT_H
#define QUITTANCE_INTAKE_SNAPSHOT_H

#include "store/catalog.h"

struct snapshots;
struct snapshot { const struct catalog *catalog; uint64_t settings; };
MUST_USE bool snapshots_new(struct db *db, struct snapshots **snapshots, struct err *err);     /* loads the first */
void snapshots_free(struct snapshots *snapshots);
/* Loads anew when meta 'settings' in db has moved on; cheap otherwise (one read of one row). */
MUST_USE bool snapshots_refresh(struct snapshots *snapshots, struct db *db, struct err *err);
/* As db sees it now, shared with nobody: for a transaction that is not committed.  Release it. */
MUST_USE bool snapshot_load(struct db *db, const struct snapshot **snapshot, struct err *err);
const struct snapshot *snapshot_take(struct snapshots *snapshots);                              /* release it */
void snapshot_release(const struct snapshot *snapshot);

#endif
