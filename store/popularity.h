/* store/popularity.h - the popularity pool as it is kept: settings, epochs, fees of those not booked, shares of the others. */
#ifndef QUITTANCE_STORE_POPULARITY_H
#define QUITTANCE_STORE_POPULARITY_H

#include "gateway/core/popularity.h"
#include "store/db.h"

struct pool_settings {
    uint64_t epoch_ms;
    struct amount budget;                     /* an epoch; zero: the pool is off */
    uint16_t cap_bps;
};
MUST_USE bool store_pool_settings_add(struct db *db, uint64_t since_ms, const struct pool_settings *s, struct err *err);
/* In force at that time. */
MUST_USE bool store_pool_settings_at(struct db *db, uint64_t at_ms, struct pool_settings *s, bool *found, struct err *err);
/* The first after that time which do not turn the pool off. */
MUST_USE bool store_pool_settings_on_after(struct db *db, uint64_t after_ms, uint64_t *since_ms, struct pool_settings *s, bool *found,
                                           struct err *err);

struct epoch_row {
    struct popularity_terms terms;
    uint64_t batch;                           /* 0: not booked yet */
    struct amount carried_in, carried_out;    /* once it is */
};
MUST_USE bool store_epoch_add(struct db *db, const struct popularity_terms *terms, struct err *err);
/* Guarded: an epoch is booked once.  p: its shares too. */
MUST_USE bool store_epoch_booked(struct db *db, const struct popularity *p, uint64_t batch, struct err *err);
MUST_USE bool store_epoch_move(struct db *db, uint64_t epoch, uint64_t batch, struct err *err);     /* a booked one into another batch */
MUST_USE bool store_epoch_find(struct db *db, uint64_t epoch, struct epoch_row *row, bool *found, struct err *err);
MUST_USE bool store_epoch_last(struct db *db, struct epoch_row *row, bool *found, struct err *err);
MUST_USE bool store_epoch_of_time(struct db *db, uint64_t at_ms, struct epoch_row *row, bool *found, struct err *err);
MUST_USE bool store_epoch_unbooked(struct db *db, struct epoch_row *row, bool *found, struct err *err);      /* the first */
/* The last that was booked. */
MUST_USE bool store_epoch_last_booked(struct db *db, struct epoch_row *row, bool *found, struct err *err);
typedef bool epoch_fn(void *self, const struct epoch_row *row, struct err *err);
MUST_USE bool store_epochs_of_batch(struct db *db, uint64_t batch, epoch_fn *visit, void *self, struct err *err);
/* Those that had begun by then and are booked in no batch before this one: which an archive must name. */
MUST_USE bool store_epochs_unbooked_before(struct db *db, uint64_t begun_ms, uint64_t batch, epoch_fn *visit, void *self, struct err *err);
/* Whether a job of the epoch may lie in a batch that is not active yet, or what was booked before it does, in a closed one: a
 * cancel could still put either behind it. */
MUST_USE bool store_epoch_is_unsettled(struct db *db, const struct popularity_terms *terms, bool *unsettled, struct err *err);

MUST_USE bool store_pool_fee_add(struct db *db, uint64_t epoch, uint64_t batch, const struct popularity_fee *fee, struct err *err);
/* The same of many at once, each of another key; and that it will be called with this list: see db_each_key_soon. */
struct batch_fee { uint64_t batch; struct popularity_fee fee; };
MUST_USE bool store_pool_fees_add(struct db *db, uint64_t epoch, const struct batch_fee *list, size_t count, struct err *err);
MUST_USE bool store_pool_fees_add_soon(struct db *db, uint64_t epoch, const struct batch_fee *list, size_t count, struct err *err);
MUST_USE bool store_pool_fees(struct db *db, uint64_t epoch, struct popularity_fees *fees, struct err *err);      /* sorted; appended */
MUST_USE bool store_pool_fees_of_model(struct db *db, uint64_t epoch, struct hash model, struct popularity_fees *fees, struct err *err);
MUST_USE bool store_pool_fees_drop(struct db *db, uint64_t epoch, struct err *err);
MUST_USE bool store_pool_fees_drop_batch(struct db *db, uint64_t batch, struct err *err);
/* Shares of a booked epoch into p->rows. */
MUST_USE bool store_pool_shares(struct db *db, uint64_t epoch, struct popularity *p, struct err *err);
MUST_USE bool store_pool_share_last(struct db *db, struct hash model, uint64_t *epoch, struct popularity_row *row, bool *found,
                                    struct err *err);

#endif
