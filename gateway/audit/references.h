/* gateway/audit/references.h - published reference price lists (core/reference.h): the file by its digest, what is pinned by its version. */
#ifndef QUITTANCE_AUDIT_REFERENCES_H
#define QUITTANCE_AUDIT_REFERENCES_H

#include "gateway/audit/source.h"
#include "gateway/core/reference.h"

/* ERR_NOT_FOUND: not published there.  ERR_DIFFERS: what is pinned is of another form; a file with another digest.
 * *r: reference_clear; csv: buf_clear. */
MUST_USE bool reference_fetch(struct source *source, uint64_t version, struct reference *r, struct err *err);
MUST_USE bool reference_fetch_list(struct source *source, struct hash digest, struct buf *csv, struct err *err);

/* All versions with their lists into a folder, named as in [archive] dir; what is there already stays.  visit is told each file, NULL: none. */
typedef void reference_file_fn(void *self, const char *name, const struct buf *bytes, bool fetched);
MUST_USE bool references_copy(struct source *source, const char *dir, reference_file_fn *visit, void *self, struct err *err);

#endif
