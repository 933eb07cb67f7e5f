/* gateway/audit/quotes.h - the quote lines of one archive: who signed them, which price they fix, which receipt they bind. */
#ifndef QUITTANCE_AUDIT_QUOTES_H
#define QUITTANCE_AUDIT_QUOTES_H

#include "gateway/core/archive.h"

struct quotes {
    struct kept_quote { struct hash hash; struct issued_quote quote; } *list;      /* owned; by hash once sealed */
    size_t count, capacity;
    bool hidden;                              /* some are sealed and no key opened them */
};
void quotes_clear(struct quotes *q);
void quotes_add(struct quotes *q, const struct issued_quote *quote);
/* Before the first receipt.  ERR_DIFFERS: a signature that is not the signer's, a life over QUOTE_MAX_S, or a version that was
 * not in force when the quote was issued. */
MUST_USE bool quotes_seal(struct quotes *q, const struct domain *domain, const struct catalog *catalog, uint64_t sequence,
                          struct err *err);
/* The quote that fixes this receipt's price; NULL: none does. */
const struct quote *quotes_binding(const struct quotes *q, const struct receipt *r);

#endif
