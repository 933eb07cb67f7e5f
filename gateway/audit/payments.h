/* gateway/audit/payments.h - what the contract has paid against the leaves of its active root. */
#ifndef QUITTANCE_AUDIT_PAYMENTS_H
#define QUITTANCE_AUDIT_PAYMENTS_H

#include "gateway/audit/chain_view.h"

/* leaves NULL: those of the active root are not known (an audit up to an earlier settlement). */
MUST_USE bool payments_check(const struct chain_payments *payments, const struct totals *leaves, struct err *err);

#endif
