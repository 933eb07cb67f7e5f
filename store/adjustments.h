/* store/adjustments.h - corrections, and what accounts owe after each settlement because of them (core/debts.h). */
#ifndef QUITTANCE_STORE_ADJUSTMENTS_H
#define QUITTANCE_STORE_ADJUSTMENTS_H

#include "gateway/core/adjustment.h"
#include "gateway/core/debts.h"
#include "store/db.h"

/* With both postings, into a->batch.  id 0: the next one, which is set; else that, as an archive names it. */
MUST_USE bool store_adjustment_add(struct db *db, struct adjustment *a, struct err *err);
MUST_USE bool store_adjustment_find(struct db *db, uint64_t id, struct adjustment *a, bool *found, struct err *err);
/* To another batch, without postings: those are booked anew by whoever moves it. */
MUST_USE bool store_adjustment_rebatch(struct db *db, uint64_t id, uint64_t batch, struct err *err);
MUST_USE bool store_adjustment_post(struct db *db, const struct adjustment *a, struct err *err);

typedef bool adjustment_fn(void *self, const struct adjustment *a, struct err *err);      /* false: stop; with err set: fail */
MUST_USE bool store_adjustments(struct db *db, uint64_t after_id, unsigned limit, adjustment_fn *visit, void *self, struct err *err);
MUST_USE bool store_adjustments_of_batch(struct db *db, uint64_t batch, adjustment_fn *visit, void *self, struct err *err);   /* by id */
/* What the batch's corrections upwards credit, and how many there are of both signs. */
MUST_USE bool store_adjusted(struct db *db, uint64_t batch, struct amount *up, uint64_t *count, struct err *err);

MUST_USE bool store_debts_insert(struct db *db, uint64_t sequence, const struct debts *debts, struct err *err);
/* sequence 0: none.  The holder is the protocol account of the settlement's batch; debts_clear. */
MUST_USE bool store_debts_load(struct db *db, uint64_t sequence, struct debts *debts, struct err *err);

#endif
