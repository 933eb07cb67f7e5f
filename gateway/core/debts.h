/* gateway/core/debts.h - how leaves grow when corrections take more from an account than it earns (design 4).
 *
 * An account's leaf grows by what a batch credits less what it debits and what the account owed before; where that is below
 * nothing the leaf stays and the rest is owed.  So no leaf ever falls.  Corrections stand against the protocol account, which
 * has what others owe only once they have borne it: it is withheld from the holder, the protocol account of the batch.
 * So, with all that was ever accepted called E:
 *
 *     sum of all leaves = E + what the holder itself owes
 *
 * and only a correction upwards that the protocol's part does not cover is paid in advance.  Errors: ERR_OVERFLOW. */
#ifndef QUITTANCE_CORE_DEBTS_H
#define QUITTANCE_CORE_DEBTS_H

#include "gateway/base/amount.h"

struct debt { struct address account; struct amount amount; };
struct debts {
    struct address holder;
    struct debt *list;                        /* owned; by account, none zero */
    size_t count;
};
void debts_clear(struct debts *d);
struct amount debts_of(const struct debts *d, struct address account);        /* zero where there is none */
void debts_add(struct debts *d, struct address account, struct amount amount);      /* in the order of accounts */

/* What one batch means to each account. */
struct net { struct address account; struct amount credit, debit, growth, debt; };
struct nets {
    struct net *list;                         /* owned; after nets_settle by account, each once */
    size_t count, capacity;
};
void nets_clear(struct nets *n);
MUST_USE bool nets_add(struct nets *n, struct address account, struct amount credit, struct amount debit, struct err *err);
/* Fills in growth and debt of all; after is what is owed then.  protocol: the batch's. */
MUST_USE bool nets_settle(struct nets *n, const struct debts *before, struct address protocol, struct debts *after, struct err *err);

#endif
