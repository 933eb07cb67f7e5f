/* store/quotes.h - what this gateway offered, by struct hash.  An unused quote is forgotten QUOTE_KEEP_MS after its end. */
#ifndef QUITTANCE_STORE_QUOTES_H
#define QUITTANCE_STORE_QUOTES_H

#include "gateway/core/quote.h"
#include "store/db.h"

#define QUOTE_KEEP_MS (UINT64_C(30) * 24 * 60 * 60 * 1000)

/* The same quote again (equal in all its fields) changes nothing. */
MUST_USE bool store_quote_add(struct db *db, const struct issued_quote *q, struct err *err);
MUST_USE bool store_quote_find(struct db *db, struct hash hash, struct issued_quote *q, bool *found, struct err *err);
/* A receipt was priced by it: it is kept for ever. */
MUST_USE bool store_quote_use(struct db *db, struct hash hash, struct err *err);
/* Of an archive: kept for ever. */
MUST_USE bool store_quote_restore(struct db *db, const struct issued_quote *q, struct err *err);

#endif
