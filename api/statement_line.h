/* api/statement_line.h - one line of a statement as a flat object: a correction, or an account's share of a receipt. */
#ifndef QUITTANCE_API_STATEMENT_LINE_H
#define QUITTANCE_API_STATEMENT_LINE_H

#include "gateway/core/ledger.h"
#include "gateway/lib/json.h"
#include "store/adjustments.h"
#include "store/receipts.h"

/* sequence 0: not settled; commit zero: not mined. */
struct statement_batch { uint64_t number, sequence; struct tx_hash commit; };

/* up: as the account that is asked for sees it.  Owned by the caller, as the other. */
json *statement_adjustment(const struct statement_batch *batch, const struct adjustment *a, bool up);
json *statement_receipt(const struct statement_batch *batch, const struct receipt_row *row, const struct share *share);
void statement_put_batch(const struct statement_batch *batch, json *line);         /* where it stands: the last members of any line */

#endif
