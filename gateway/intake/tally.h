/* gateway/intake/sums.h - amounts summed by key over one commit group, with the last task's part taken back on demand.
 *
 * The store sees each row once a group instead of once a receipt.  A task that fails must leave nothing: sums_mark at its
 * start, sums_undo at its failure; what it first put in stays as a row of count 0, which nobody writes.  A zeroed struct is
 * an empty one. */
#ifndef QUITTANCE_INTAKE_SUMS_H
#define QUITTANCE_INTAKE_SUMS_H

#include "gateway/base/amount.h"

/* One key for the three uses: postings (batch, account, role, model), batches (batch), provider days (day, provider). */
struct sum_key {
    uint64_t number;
    struct address account;
    int role;                                 /* 0: none */
    struct hash model;
};
struct sum {
    struct sum_key key;
    struct amount amount;
    uint64_t count;                           /* of additions that stand */
};
struct sum_step { size_t row; struct amount amount; };
struct sums {
    struct sum *list;                         /* in order of first use, until sums_sort */
    size_t count, capacity;
    size_t *slots, slot_count;                /* open addressing: row + 1, or 0 */
    struct sum_step *steps;                   /* since the mark */
    size_t step_count, step_capacity;
};

MUST_USE bool sums_add(struct sums *s, const struct sum_key *key, struct amount amount, struct err *err);   /* ERR_OVERFLOW */
const struct sum *sums_find(const struct sums *s, const struct sum_key *key);      /* NULL: nothing that stands */
void sums_mark(struct sums *s);
void sums_undo(struct sums *s);
void sums_sort(struct sums *s);               /* by key, as the store's tables are; only sums_reset may follow */
void sums_reset(struct sums *s);              /* empty, memory kept */
void sums_clear(struct sums *s);

#endif
