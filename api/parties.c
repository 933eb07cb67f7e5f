#include "api/parties.h"

#include <inttypes.h>

#include "store/batches.h"

bool receipt_shares(struct db *db, const struct catalog *catalog, const struct receipt_row *row, struct shares *shares,
                    struct err *err)
{
    const struct price_version *price = catalog_price_version(catalog, row->price_version);
    struct batch_row batch;
    bool found;

    if (price == NULL)
        return err_set(err, ERR_BUG, "a receipt with price version %" PRIu64, row->price_version);
    if (!store_batch_find(db, row->batch, &batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "batch %" PRIu64 " is missing", row->batch);
    return ledger_split(catalog, &row->signed_.receipt, price, row->amount, batch.protocol_account, row->accepted_at_ms, shares,
                        err);
}

bool receipt_is_of(struct db *db, const struct catalog *catalog, const struct receipt_row *row, struct address account,
                   bool *is, struct err *err)
{
    const struct receipt *r = &row->signed_.receipt;
    struct shares shares = { 0 };
    bool ok = true;

    *is = address_eq(r->provider, account) || address_eq(r->consumer, account);
    if (*is || row->state != RECEIPT_ACCEPTED)
        return true;
    ok = receipt_shares(db, catalog, row, &shares, err);
    for (size_t i = 0; ok && i < shares.count; i++)
        *is = *is || address_eq(shares.list[i].account, account);
    shares_clear(&shares);
    return ok;
}
