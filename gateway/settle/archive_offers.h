/* gateway/settle/archive_offers.h - what the prices of a batch's receipts lean on beyond the catalog: markets up to the last
 * receipt that each priced, the capacity announced for them, and quotes.  For archive_used.c and archive.c only. */
#ifndef QUITTANCE_SETTLE_ARCHIVE_OFFERS_H
#define QUITTANCE_SETTLE_ARCHIVE_OFFERS_H

#include "gateway/core/catalog.h"
#include "store/db.h"

struct market_use { uint64_t base, until_ms; };               /* until_ms: the latest acceptedAt */
struct offers {
    struct market_use *markets;               /* owned, as are the others */
    size_t market_count;
    struct hash *quotes;                      /* struct hashes; after offers_load sorted, each once */
    size_t quote_count, quote_capacity;
    struct announcement *announced;           /* sorted by (model, provider, validFrom) */
    size_t announced_count, announced_capacity;
};
void offers_of_receipt(struct offers *o, const struct price_version *price, const struct receipt *r, uint64_t accepted_at_ms);
/* Once all receipts are told. */
MUST_USE bool offers_load(struct offers *o, const struct catalog *catalog, struct db *db, struct err *err);
void offers_drop(struct offers *o, const struct announcement *published);
void offers_clear(struct offers *o);

#endif
