/* gateway/audit/market.h - every step of every market made again (gateway/core/market.h) from published lines alone.
 *
 * Demand is summed from the receipts, capacity from signed announcements.  After each settlement every window that had ended
 * when a receipt was last priced by the market is judged: where the multiplier moves there must be the version it makes, and
 * nowhere else.  While not all receipts are known (sealed ones, or those of a cancelled settlement that was not carried yet)
 * the demand that a step tells is only bounded from below by what is known, and windows without a step are believed. */
#ifndef QUITTANCE_AUDIT_MARKET_H
#define QUITTANCE_AUDIT_MARKET_H

#include "gateway/core/archive.h"

struct market_audit;
struct market_audit *market_audit_new(const struct domain *domain);      /* domain is borrowed */
void market_audit_free(struct market_audit *m);                          /* NULL is fine */
/* A price line; what is no step is left alone. */
void market_audit_price(struct market_audit *m, const struct price_version *p);
/* ERR_DIFFERS: an announcement that its provider did not sign, or out of its bounds. */
MUST_USE bool market_audit_capacity(struct market_audit *m, const struct announcement *a, uint64_t sequence, struct err *err);
/* A receipt, whose price version is in the catalog. */
MUST_USE bool market_audit_receipt(struct market_audit *m, const struct catalog *catalog, const struct archive_receipt *r,
                                   struct err *err);
enum market_trust {
    MARKET_EXACT,                             /* every receipt is known */
    MARKET_PARTLY,
    MARKET_KNOWN                              /* an earlier audit found all true: only what later ones build on is kept */
};
/* After the receipts of a settlement.  ERR_DIFFERS names the version and the figure. */
MUST_USE bool market_audit_settle(struct market_audit *m, const struct catalog *catalog, enum market_trust trust, uint64_t sequence,
                                  struct err *err);

#endif
