/* gateway/intake/tally.h - amounts summed by key over one commit group, with the last task's part taken back on demand.
 *
 * The store sees each row once a group instead of once a receipt.  A task that fails must leave nothing: tally_mark at its
 * start, tally_undo at its failure; what it first put in stays as a row of count 0, which nobody writes.  A zeroed struct is
 * an empty one. */
#ifndef QUITTANCE_INTAKE_TALLY_H
#define QUITTANCE_INTAKE_TALLY_H

#include "gateway/base/amount.h"

/* One key for all uses: postings (batch, account, role, model), batches (batch), days of providers and consumers (day, account), the
 * pool's fees (batch, consumer, model). */
struct tally_key {
    uint64_t number;
    struct address account;
    int role;                                 /* 0: none */
    struct hash model;
};
struct tally_row {
    struct tally_key key;
    struct amount amount;
    uint64_t count;                           /* of additions that stand */
};
struct tally_step { size_t row; struct amount amount; };
struct tally {
    struct tally_row *list;                         /* in order of first use, until tally_sort */
    size_t count, capacity;
    size_t next;                              /* the row that is likely the one of the next addition */
    size_t *slots, slot_count;                /* open addressing: row + 1, or 0 */
    struct tally_step *steps;                   /* since the mark */
    size_t step_count, step_capacity;
};

MUST_USE bool tally_add(struct tally *s, const struct tally_key *key, struct amount amount, struct err *err);   /* ERR_OVERFLOW */
const struct tally_row *tally_find(const struct tally *s, const struct tally_key *key);      /* NULL: nothing that stands */
void tally_mark(struct tally *s);
void tally_undo(struct tally *s);
void tally_sort(struct tally *s);               /* by key, as the store's tables are; only tally_reset may follow */
void tally_reset(struct tally *s);              /* empty, memory kept */
void tally_clear(struct tally *s);

#endif
