/* gateway/core/ledger.h - one priced receipt turned into postings (design 5: split, lineage, who pays).
 *
 * Credits go to the earners, one debit to the consumer or the treasury; their sums are equal to the last unit.
 * Paths to an ancestor are walked separately, then equal (account, role, model) are summed, zero parts left out.
 * An account's share of a lineage counts under the model whose creator is paid. */
#ifndef QUITTANCE_CORE_LEDGER_H
#define QUITTANCE_CORE_LEDGER_H

#include "gateway/core/catalog.h"

/* Kept in postings.role: append only.  Consumer, treasury and adjusted-down are debits, the others credits; adjusted is what
 * corrections add and take (adjustment.h), without a model. */
enum role { ROLE_PROVIDER = 1, ROLE_CREATOR, ROLE_LINEAGE, ROLE_PROTOCOL, ROLE_CONSUMER, ROLE_TREASURY, ROLE_POPULARITY,
            ROLE_ADJUSTED_UP, ROLE_ADJUSTED_DOWN };
#define ROLES (ROLE_ADJUSTED_DOWN + 1)
/* provider, creator, lineage, protocol, consumer, treasury, popularity, adjusted-up, adjusted-down */
const char *role_name(enum role role);
bool role_is_credit(enum role role);
bool role_is_adjustment(enum role role);

struct share {
    struct address account;
    enum role role;
    struct hash model;
    struct amount amount;
};
struct shares {
    struct share *list;                       /* owned */
    size_t count, capacity;
};
void shares_clear(struct shares *s);
/* Adds to the row of the same (account, role, model) or makes one.  ERR_OVERFLOW. */
MUST_USE bool shares_add(struct shares *s, const struct share *share, struct err *err);

/* What one receipt of `amount` gives to whom, as of at_ms (acceptance).  Provider and model must be known then.
 * Appended to credits.  ERR_BUG when the parts do not sum to amount. */
MUST_USE bool ledger_split(const struct catalog *c, const struct receipt *r, const struct price_version *price,
                           struct amount amount, struct address protocol_account, uint64_t at_ms,
                           struct shares *credits, struct err *err);
/* What a model's part gives to its creator and to those of its ancestors, as of at_ms: pay(m, x) of design 5, the way every
 * creator's part takes.  Appended to credits with role `own` for the model's creator and `ancestral` for the others.  ERR_BUG:
 * the model, or one it descends from, is not verified then, or the parts do not sum to amount. */
MUST_USE bool ledger_pay_model(const struct catalog *c, struct hash model, struct amount amount, enum role own, enum role ancestral,
                               uint64_t at_ms, struct shares *credits, struct err *err);
/* Who is charged: the consumer where enrolled at that time and countersigned, else the treasury (account zero). */
struct share ledger_charge(const struct catalog *c, const struct signed_receipt *r, struct amount amount, uint64_t at_ms);

#endif
