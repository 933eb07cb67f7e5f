/* store/batch_rows.h - the receipts of a closed batch that lie in no page, read once and kept in their order.
 *
 * The store is asked in steps, each a snapshot of its own, so that none is held for long.  What does not fit in memory lies in a file, as the
 * receipts of pages do (receipts_of_batch.c). */
#ifndef QUITTANCE_STORE_BATCH_ROWS_H
#define QUITTANCE_STORE_BATCH_ROWS_H

#include "store/receipts.h"

struct batch_rows;
/* Outside a transaction. */
MUST_USE bool batch_rows_read(struct db *db, uint64_t batch, struct batch_rows **rows, struct err *err);
/* From the first on; their texts (reason, faults) are left out. */
MUST_USE bool batch_rows_each(struct batch_rows *rows, receipt_fn *visit, void *self, struct err *err);
void batch_rows_free(struct batch_rows *rows);          /* NULL is fine */

#endif
