/* api/reference_import.h - a reference price list imported by an operator: over HTTP, or by the command where no service runs. */
#ifndef QUITTANCE_API_REFERENCE_IMPORT_H
#define QUITTANCE_API_REFERENCE_IMPORT_H

#include "gateway/core/reference.h"
#include "store/writer.h"

/* r: as stated, read by reference_from_draft.  It is priced, kept in [archive] dir as the next version and noted in the audit log, and is
 * that version afterwards; the same as the last one again is that one: *same.  Called from no writer's thread. */
MUST_USE bool reference_import(struct writer *writer, const char *dir, const char *who, struct reference *r, const struct buf *csv,
                               bool *same, struct err *err);

#endif
