/* gateway/audit/totals.h - an amount for each account, added up from many parts.
 *
 * Parts are appended and folded together when the list is full: a sort, as accounts come from strangers and a sort has no
 * worst case that they could choose.  Questions are for a sorted one only. */
#ifndef QUITTANCE_AUDIT_TOTALS_H
#define QUITTANCE_AUDIT_TOTALS_H

#include "gateway/base/amount.h"

struct account_sum { struct address account; struct amount amount; };
struct totals {
    struct account_sum *list;                 /* owned; after totals_sort by account, each once */
    size_t count, capacity;
};
void totals_clear(struct totals *s);
MUST_USE bool totals_add(struct totals *s, struct address account, struct amount amount, struct err *err);   /* ERR_OVERFLOW */
MUST_USE bool totals_sort(struct totals *s, struct err *err);                                                /* ERR_OVERFLOW */
struct amount totals_of(const struct totals *s, struct address account);      /* zero where there is none */
MUST_USE bool totals_sum(const struct totals *s, struct amount *total, struct err *err);
void totals_copy(const struct totals *from, struct totals *to);                 /* to is cleared first */

#endif
