/* store/references.h - imported reference price lists (core/reference.h): files in [archive] dir, published as they lie there.
 *
 * {digest}.reference.csv is the list, byte for byte; {version}.reference.json what is pinned with it.  Both are written once and never
 * changed, like archives, so that what names a list can be checked for as long as the archives are kept.  No money hangs on them. */
#ifndef QUITTANCE_STORE_REFERENCES_H
#define QUITTANCE_STORE_REFERENCES_H

#include "gateway/core/reference.h"

uint64_t store_reference_last(const char *dir);      /* its version; 0: none was imported */
/* ERR_NOT_FOUND: there is no such version.  *r is the caller's: reference_clear. */
MUST_USE bool store_reference_read(const char *dir, uint64_t version, struct reference *r, struct err *err);
/* By the one who writes the store.  *same: the last one pins the same, and *r is that; else the next version is kept. */
MUST_USE bool store_reference_keep(const char *dir, struct reference *r, const struct buf *csv, bool *same, struct err *err);

#endif
