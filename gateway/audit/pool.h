/* gateway/audit/pool.h - the popularity pool recomputed: epochs as archives announce them, fees from their receipts, and what
 * was shared in the end.
 *
 * An epoch is announced, with its terms, by every archive whose receipts may be of it, and booked by one popularity line in a
 * later archive than all its jobs.  Where receipts stayed sealed nothing is known of fees: then a line is checked against itself. */
#ifndef QUITTANCE_AUDIT_POOL_H
#define QUITTANCE_AUDIT_POOL_H

#include "gateway/audit/totals.h"
#include "gateway/core/archive.h"

struct pool_epoch { struct popularity_terms terms; struct popularity_fees fees; };
struct pool_audit {
    struct pool_epoch *epochs;                /* owned; announced and not booked yet, in order */
    size_t count;
    uint64_t last, last_ends_ms;              /* the last that was announced */
    uint64_t booked_ends_ms;                  /* of the last that was booked */
    struct amount carried;                    /* out of it */
    uint64_t newest_accepted_ms;              /* of all jobs so far */
    bool blind;                               /* some receipts stayed sealed */
};
void pool_audit_clear(struct pool_audit *p);
MUST_USE bool pool_audit_announce(struct pool_audit *p, const struct popularity_terms *terms, uint64_t sequence, struct err *err);
/* A receipt that stands; the price it has. */
MUST_USE bool pool_audit_job(struct pool_audit *p, const struct catalog *c, const struct archive_receipt *r,
                             const struct price_version *price, uint64_t sequence, struct err *err);
/* A popularity line; what it pays is added to credits (NULL: it was checked before). */
MUST_USE bool pool_audit_book(struct pool_audit *p, const struct catalog *c, const struct popularity *line, uint64_t sequence,
                              struct totals *credits, struct err *err);

#endif
