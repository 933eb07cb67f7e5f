/* api/statement_csv.h - statement lines as CSV (RFC 4180). */
#ifndef QUITTANCE_API_STATEMENT_CSV_H
#define QUITTANCE_API_STATEMENT_CSV_H

#include "api/request.h"

bool statement_wants_csv(const struct request *req);          /* ?format=csv, else by Accept */
/* Names of members in the order of CSV columns; NULL ends them. */
extern const char *const statement_columns[];        /* those of charges: core/charges.h */
void statement_csv(const char *const *columns, const json *items, struct buf *out);

#endif
