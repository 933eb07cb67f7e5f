/* api/statement.h - the lines that make an account's sums, newest batch first: a share a line, of receipts, corrections and the
 * popularity pool.
 *
 * Nothing is kept for this.  An account's batches are those of its postings; in each the corrections come first, then the pool's parts,
 * then the receipts that are rows of their own, then those of pages, each from the newest on, and shares are computed as they were at acceptance.
 * The lines of an account sum to its postings.  One call looks at STATEMENT_SCAN_MAX receipts at most: a page may be short, or
 * empty, with more behind it. */
#ifndef QUITTANCE_API_STATEMENT_H
#define QUITTANCE_API_STATEMENT_H

#include "gateway/core/ledger.h"
#include "gateway/lib/json.h"
#include "store/db.h"

#define STATEMENT_SCAN_MAX 20000u
#define STATEMENT_CURSOR 45u                  /* bytes: batch, section, place in it */

enum statement_kind { STATEMENT_EARNED, STATEMENT_CHARGED };
struct statement {
    struct db *db;
    const struct catalog *catalog;
    struct address account;
    enum statement_kind kind;
    uint64_t from_ms, until_ms;               /* of charges: accepted from one on and before the other; until 0: all */
    unsigned limit;                           /* receipts and corrections */
    json *items;                              /* flat objects are added; owned by the caller */
    uint8_t cursor[STATEMENT_CURSOR];         /* in: where to go on; out: where it ended */
    bool more;                                /* out */
};
void statement_start(uint8_t cursor[STATEMENT_CURSOR]);       /* at the newest */
bool statement_cursor_fits(const uint8_t cursor[STATEMENT_CURSOR]);      /* it may come from anybody */
MUST_USE bool statement_read(struct statement *s, struct err *err);

#endif
