/* gateway/settle/archive_offers.h - what the prices of a batch's receipts lean on beyond the catalog: markets up to the last
 * receipt or quote that each priced, the capacity announced for them, and quotes.  For archive_used.c and archive.c only. */
#ifndef QUITTANCE_SETTLE_ARCHIVE_OFFERS_H
#define QUITTANCE_SETTLE_ARCHIVE_OFFERS_H

#include "gateway/core/catalog.h"
#include "store/db.h"

struct market_use { uint64_t base, until_ms; };               /* until_ms: the latest acceptedAt or issuedAt */
struct offers {
    uint64_t until_ms;                        /* of the catalog: what was issued later is not known */
    struct market_use *markets;               /* owned, as are the others */
    size_t market_count;
    struct hash *quotes;                      /* struct hashes; after offers_quoted those that are known, sorted, each once */
    size_t quote_count, quote_capacity;
    struct announcement *announced;           /* sorted by (model, provider, validFrom) */
    size_t announced_count, announced_capacity;
};
void offers_of_receipt(struct offers *o, const struct price_version *price, const struct receipt *r, uint64_t accepted_at_ms);
/* Once all receipts are told: the version that each quote fixed.  Also that of a quote which does not bind its receipt, priced by
 * another: an audit asks whether it was in force when the quote was issued. */
typedef void offers_price_fn(void *self, const struct price_version *p);
MUST_USE bool offers_quoted(struct offers *o, const struct catalog *catalog, struct db *db, offers_price_fn *take, void *self,
                            struct err *err);
/* Then what was announced for all markets. */
MUST_USE bool offers_load(struct offers *o, const struct catalog *catalog, struct db *db, struct err *err);
void offers_drop(struct offers *o, const struct announcement *published);
void offers_clear(struct offers *o);

#endif
