/* gateway/rebuild/rows.h - what stands in an archive before its receipts: catalog rows and bundles, each written once. */
#ifndef QUITTANCE_REBUILD_ROWS_H
#define QUITTANCE_REBUILD_ROWS_H

#include "gateway/rebuild/parts.h"

/* Writes the rows that the store does not hold; *catalog is then all that it holds, sealed, the caller's. */
MUST_USE bool rebuild_rows(const struct gathered *g, struct db *db, struct catalog **catalog, struct err *err);
/* Writes the bundles and sets their ids; to be remembered once that is durable. */
MUST_USE bool rebuild_bundles(const struct rebuilding *r, struct gathered *g, struct db *db, struct err *err);
void rebuild_bundles_kept(struct rebuilding *r, const struct gathered *g);

#endif
