/* api/charge_statement.h - GET /v1/accounts/{consumer}/charges?from=&until=: a period's charges, signed by the gateway.
 *
 * {consumer, from, until, charged, receipts, csv, digest, signature, signer}: csv holds a line a receipt (charge_columns), newest
 * first, digest is its SHA-256, charged the sum of its last column, and the signature the EIP-712 one over
 * ChargeStatement(consumer, from, until, charged, digest) by a promise signer (/v1/info).  Whoever has the answer can check it alone,
 * and each line against the published archives.  Times Unix ms, until not in the future. */
#ifndef QUITTANCE_API_CHARGE_STATEMENT_H
#define QUITTANCE_API_CHARGE_STATEMENT_H

#include "api/request.h"

void charge_statement_get(struct request *req, struct reply *reply);

#endif
