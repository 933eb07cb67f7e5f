/* api/receipt_find.h - which receipt /v1/receipts/{jobId}?provider= means. */
#ifndef QUITTANCE_API_RECEIPT_FIND_H
#define QUITTANCE_API_RECEIPT_FIND_H

#include "api/request.h"
#include "store/receipts.h"

/* false: the reply is 300 with the providers, 404 or another problem. */
bool receipt_find(struct request *req, struct db *db, struct receipt_row *row, struct reply *reply);

#endif
