/* store/binding.h - which chain and contract a store belongs to.
 *
 * Receipts, registrations and promises are signed under one contract's domain, and sums are paid by it: with another one
 * configured they would be paid twice or proven to nobody.  An empty store takes whatever it is opened for. */
#ifndef QUITTANCE_STORE_BINDING_H
#define QUITTANCE_STORE_BINDING_H

#include "store/writer.h"

struct binding { uint64_t chain_id; struct address contract; };

/* writer_open, then the check: ERR_CONFIG where the store belongs to another contract, in words. */
MUST_USE bool writer_open_bound(const char *url, const struct clock *clock, const struct binding *binding,
                                struct writer **writer, struct err *err);
MUST_USE bool store_binding(struct db *db, struct binding *binding, bool *found, struct err *err);

/* The contract that this store's took over from, and the one that took over from it. */
enum relative { RELATIVE_PREDECESSOR = 1, RELATIVE_SUCCESSOR = 2 };
struct relation { struct address contract; uint64_t since_ms; };
MUST_USE bool store_relation(struct db *db, enum relative which, struct relation *relation, bool *found, struct err *err);
/* Notes it, or finds the same noted before; ERR_CONFIG: it is another one. */
MUST_USE bool writer_relate(struct writer *writer, enum relative which, struct address contract, struct relation *relation,
                            struct err *err);

/* Whether it holds anything that is tied to a contract: receipts, registrations, settlements. */
MUST_USE bool store_holds_books(struct db *db, bool *holds, struct err *err);

#endif
