/* api/statement_reason.h - how a share of a receipt came about, in words: basis points, and the paths of a lineage. */
#ifndef QUITTANCE_API_STATEMENT_REASON_H
#define QUITTANCE_API_STATEMENT_REASON_H

#include "gateway/base/buf.h"
#include "gateway/core/ledger.h"

#define REASON_PATHS 8u                       /* shown of a lineage; then only how many more there are */

/* Appended to out, e.g. "2500 bps of gross, by 3331 x 2003 bps and 777 bps". */
void statement_reason(const struct catalog *c, const struct receipt *r, const struct price_version *price, const struct share *share,
                      uint64_t at_ms, struct buf *out);
/* Of a part that is a model's whole: by which paths some of it comes to the creator of `paid`, and what that one's parents get of it. */
void statement_lineage(const struct catalog *c, struct hash model, struct hash paid, uint64_t at_ms, struct buf *out);

#endif
