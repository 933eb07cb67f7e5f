/* The booking of an epoch that is over. */
#include "gateway/pool/pool.h"

#include <inttypes.h>

#include "store/batches.h"
#include "store/catalog.h"
#include "store/ledger.h"

/* The first that is not booked, where it can be. */
static bool find_due(struct db *db, uint64_t now_ms, struct epoch_row *row, bool *due, struct err *err)
{
    bool unsettled = false;

    if (!store_epoch_unbooked(db, row, due, err))
        return false;
    *due = *due && row->terms.ends_ms <= now_ms;
    if (*due && !store_epoch_is_unsettled(db, &row->terms, &unsettled, err))
        return false;
    *due = *due && !unsettled;
    return true;
}

bool pool_is_due(struct db *db, uint64_t now_ms, bool *due, struct err *err)
{
    struct popularity_terms terms;
    struct epoch_row row;
    bool running, stored;

    if (!find_due(db, now_ms, &row, due, err))
        return false;
    if (*due)
        return true;
    /* A row for the next epoch is work, too. */
    if (!pool_epoch_now(db, now_ms, &terms, &running, &stored, err))
        return false;
    *due = running && !stored;
    return true;
}

bool pool_load(struct db *db, const struct epoch_row *row, struct popularity *p, struct err *err)
{
    *p = (struct popularity){ .terms = row->terms, .carried_in = row->carried_in, .carried_out = row->carried_out };
    if (store_pool_shares(db, row->terms.epoch, p, err))
        return true;
    popularity_clear(p);
    return false;
}

/* Who funds it: the treasury, as it does where no consumer is billed. */
static bool debit(struct db *db, const struct popularity *p, uint64_t batch, struct err *err)
{
    for (size_t i = 0; i < p->count; i++) {
        struct share share = { .role = ROLE_TREASURY, .model = p->rows[i].model, .amount = p->rows[i].share };

        if (!amount_is_zero(share.amount) && !store_posting_add(db, batch, &share, 1, err))
            return false;
    }
    return true;
}

bool pool_post(struct db *db, const struct catalog *catalog, const struct popularity *p, uint64_t batch, struct amount *paid,
               struct err *err)
{
    struct shares credits = { 0 };
    struct amount sum;
    bool ok = popularity_credits(catalog, p, &credits, err) && popularity_paid(p, &sum, err) && debit(db, p, batch, err);

    for (size_t i = 0; ok && i < credits.count; i++)
        ok = store_posting_add(db, batch, &credits.list[i], 1, err);
    shares_clear(&credits);
    return ok && (amount_add(*paid, sum, paid) || err_set(err, ERR_OVERFLOW, "a batch over 256 bits"));
}

bool pool_compute(struct db *db, const struct popularity_terms *terms, struct popularity *p, struct err *err)
{
    struct popularity_fees fees = { 0 };
    struct epoch_row before;
    bool found, ok;

    *p = (struct popularity){ .terms = *terms };
    if (!store_epoch_last_booked(db, &before, &found, err))
        return false;
    if (found)
        p->carried_in = before.carried_out;
    ok = store_pool_fees(db, terms->epoch, &fees, err) && popularity_score(&fees, p, err) && popularity_share(p, err);
    popularity_fees_clear(&fees);
    return ok;
}

/* An epoch that no settlement could carry would hold up everybody behind it: it waits, and everything else goes on. */
static bool fits(const struct popularity *p, const struct batch_row *open, struct amount room, struct err *err)
{
    char paid_text[U256_DECIMAL_MAX], open_text[U256_DECIMAL_MAX], room_text[U256_DECIMAL_MAX];
    struct amount paid, sum;

    if (!popularity_paid(p, &paid, err))
        return false;
    if (amount_is_zero(room) || (amount_add(paid, open->amount, &sum) && amount_cmp(sum, room) <= 0))
        return true;
    u256_to_decimal(paid.base_units, paid_text);
    u256_to_decimal(open->amount.base_units, open_text);
    u256_to_decimal(room.base_units, room_text);
    return err_set(err, ERR_AGAIN, "epoch %" PRIu64 " pays %s and the open batch holds %s, together over %s, three quarters of the contract's cap",
                   p->terms.epoch, paid_text, open_text, room_text);
}

static bool book_one(struct db *db, const struct catalog *catalog, const struct epoch_row *row, struct amount room, struct err *err)
{
    struct popularity p = { 0 };
    struct amount paid = AMOUNT_ZERO;
    struct batch_row open;
    bool ok = pool_compute(db, &row->terms, &p, err) && store_batch_open(db, &open, err)
        && fits(&p, &open, room, err)
        && pool_post(db, catalog, &p, open.number, &paid, err)
        && store_epoch_booked(db, &p, open.number, err)
        && store_pool_fees_drop(db, row->terms.epoch, err)
        && (amount_is_zero(paid) || store_batch_add(db, open.number, 0, paid, err));

    popularity_clear(&p);
    return ok;
}

bool pool_book(struct db *db, uint64_t now_ms, struct amount room, size_t *booked, struct err *err)
{
    struct catalog *catalog = NULL;
    struct epoch_row row;
    uint64_t settings;
    bool due, ok;

    *booked = 0;
    if (!pool_open_epochs(db, now_ms, err) || !find_due(db, now_ms, &row, &due, err))
        return false;
    if (!due)
        return true;
    ok = store_catalog_load(db, &catalog, &settings, err);
    while (ok && due && *booked < POOL_BOOKED_AT_ONCE) {
        ok = book_one(db, catalog, &row, room, err) && find_due(db, now_ms, &row, &due, err);
        *booked += ok;
    }
    catalog_free(catalog);
    /* Nothing of the one that did not fit was written: those before it stand. */
    return ok || (err->code == ERR_AGAIN && *booked > 0);
}
