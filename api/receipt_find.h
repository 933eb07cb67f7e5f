/* api/receipt_find.h - which receipt /v1/receipts/{jobId}?provider= means. */
#ifndef QUITTANCE_API_RECEIPT_FIND_H
#define QUITTANCE_API_RECEIPT_FIND_H

#include "api/access.h"
#include "gateway/core/catalog.h"
#include "store/receipts.h"

/* Only what the reader may read counts.  false: the reply is 300 with the providers, 403, 404 or another problem. */
bool receipt_find(struct request *req, struct db *db, const struct catalog *catalog, const struct reader *reader,
                  struct receipt_row *row, struct reply *reply);

#endif
