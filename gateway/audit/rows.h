/* gateway/audit/rows.h - what the archives so far said about prices, providers, models and consumers, as a catalog.
 *
 * A row stands for ever: a later archive may repeat it but not change it.  Rows of a cancelled settlement are tentative:
 * it may have been cancelled because they were false, yet later batches may build on them without repeating them. */
#ifndef QUITTANCE_AUDIT_ROWS_H
#define QUITTANCE_AUDIT_ROWS_H

#include "gateway/core/archive.h"

struct rows;
struct rows *rows_new(const struct domain *domain);      /* domain is borrowed */
void rows_free(struct rows *rows);
/* line: one that archive_is_row.  ERR_DIFFERS: it contradicts an earlier one, or a model's signature or bounds. */
MUST_USE bool rows_take(struct rows *rows, const struct archive_line *line, bool tentative, uint64_t sequence, struct err *err);
/* The next model that stands and was registered for another contract, from *cursor on; NULL: no more.  Begin with 0. */
const struct model *rows_next_foreign(const struct rows *rows, size_t *cursor);
/* Sealed; borrowed until the next rows_take.  ERR_DIFFERS: a lineage out of bounds. */
MUST_USE bool rows_catalog(struct rows *rows, uint64_t sequence, const struct catalog **catalog, struct err *err);

#endif
