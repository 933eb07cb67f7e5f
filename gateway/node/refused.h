/* gateway/node/refused.h - receipts that will never be accepted, each with the reason, for a person to look at.
 *
 * Lines of JSON {jobId, receipt, status, state, code, detail, errors, signed}: the gateway's item and the receipt as it was sent (or, of a line
 * that is no receipt, `line`: its number).  Appended to DIR/refused.ndjson and durable on return, or to stderr without a folder.
 * A crash between this and the spool's release writes a line twice. */
#ifndef QUITTANCE_NODE_REFUSED_H
#define QUITTANCE_NODE_REFUSED_H

#include "gateway/core/receipt.h"
#include "gateway/lib/json.h"

/* Appends a line made of an item of an answer (or a problem), borrowed, and the receipt. */
void refused_line(const json *item, const struct signed_receipt *r, struct buf *out);
/* Of the number-th line that was read: it is no receipt, as why says. */
void refused_malformed(uint64_t number, const char *why, struct buf *out);
MUST_USE bool refused_write(const char *dir, const struct buf *lines, struct err *err);

#endif
