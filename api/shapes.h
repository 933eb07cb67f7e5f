/* api/shapes.h - JSON that several answers share.  Results are owned by the caller. */
#ifndef QUITTANCE_API_SHAPES_H
#define QUITTANCE_API_SHAPES_H

#include "gateway/core/catalog.h"
#include "gateway/core/tree.h"
#include "store/batches.h"
#include "store/receipts.h"
#include "store/transactions.h"

json *proof_to_json(const struct proof *proof);
/* Its members root, count, acceptedAt, settleBy, signature, signer, into an object that is open. */
void promise_emit(const struct promise_row *row, struct buf *out);
/* The path of one among the struct hashes of a promise, 32 bytes each; false: no such place. */
bool leaves_path(const struct buf *leaves, uint64_t index, struct proof *proof);
json *transaction_to_json(const struct transaction_row *t, json *owned_attempts);
MUST_USE bool transaction_attempts(struct db *db, uint64_t tx, json **attempts, struct tx_hash *last, struct err *err);
/* A held receipt as the quarantine lists it; the catalog prices it as of now. */
json *held_to_json(const struct receipt_row *row, const struct catalog *catalog);
/* The row's faults, [] when there are none or they were cut off. */
json *stored_faults(const struct receipt_row *row);

#endif
