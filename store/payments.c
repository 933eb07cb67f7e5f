/* Payments out of the contract, as the chain's logs tell them: part of ledger.h. */
#include <inttypes.h>

#include "store/ledger.h"

#define COLUMNS "block, log_index, account, amount, tx"

static void read_payment(struct stmt *st, struct payment *p)
{
    p->block = stmt_u64(st);
    p->log_index = stmt_u64(st);
    p->account = stmt_address(st);
    p->amount = stmt_amount(st);
    p->tx.h = stmt_hash(st);
}

/* A log has one place on the chain for ever: another payment there means that we followed another chain. */
static bool check_same(struct db *db, const struct payment *p, struct err *err)
{
    struct payment kept;
    struct stmt st;
    bool row;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM payments WHERE block = ? AND log_index = ?", &st, err))
        return false;
    stmt_bind_u64(&st, p->block);
    stmt_bind_u64(&st, p->log_index);
    if (!stmt_step(&st, &row, err))
        return false;
    if (!row)
        return err_set(err, ERR_BUG, "a payment is neither new nor there");
    read_payment(&st, &kept);
    stmt_end(&st);
    if (!stmt_ok(&st, err))
        return false;
    if (!address_eq(kept.account, p->account) || amount_cmp(kept.amount, p->amount) != 0 || !hash_eq(kept.tx.h, p->tx.h))
        return err_set(err, ERR_CONFLICT, "another payment is kept for log %" PRIu64 " of block %" PRIu64, p->log_index, p->block);
    return true;
}

bool store_payment_add(struct db *db, const struct payment *p, struct err *err)
{
    uint64_t changed;
    struct stmt st;

    if (!db_prepare(db, "INSERT INTO payments (" COLUMNS ") VALUES (?, ?, ?, ?, ?)"
                        " ON CONFLICT (block, log_index) DO NOTHING", &st, err))
        return false;
    stmt_bind_u64(&st, p->block);
    stmt_bind_u64(&st, p->log_index);
    stmt_bind_address(&st, &p->account);
    stmt_bind_amount(&st, p->amount);
    stmt_bind_hash(&st, &p->tx.h);
    if (!stmt_exec(&st, &changed, err))
        return false;
    return changed == 1 || check_same(db, p, err);
}

/* Ends st.  A visitor that returns false stops; with err set that is a failure. */
static bool visit_payments(struct stmt *st, payment_fn *visit, void *self, struct err *err)
{
    struct payment p;
    bool row;

    err->code = ERR_NONE;
    while (stmt_step(st, &row, err)) {
        if (!row)
            return true;
        read_payment(st, &p);
        if (!stmt_ok(st, err) || !visit(self, &p, err)) {
            stmt_end(st);
            return err->code == ERR_NONE;
        }
    }
    return false;
}

bool store_payments_of_account(struct db *db, struct address account, payment_fn *visit, void *self, struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM payments WHERE account = ? ORDER BY block, log_index", &st, err))
        return false;
    stmt_bind_address(&st, &account);
    return visit_payments(&st, visit, self, err);
}

static bool take_last(void *self, const struct payment *p, struct err *err)
{
    (void)err;
    *(struct payment *)self = *p;
    return true;
}

bool store_payment_last(struct db *db, struct payment *p, struct err *err)
{
    struct stmt st;

    *p = (struct payment){ .block = 0 };
    if (!db_prepare(db, "SELECT " COLUMNS " FROM payments ORDER BY block DESC, log_index DESC LIMIT 1", &st, err))
        return false;
    return visit_payments(&st, take_last, p, err);
}

bool store_payments_after(struct db *db, uint64_t block, uint64_t log_index, unsigned limit, payment_fn *visit, void *self,
                          struct err *err)
{
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM payments WHERE (block, log_index) > (?, ?) ORDER BY block, log_index LIMIT ?",
                    &st, err))
        return false;
    stmt_bind_u64(&st, block);
    stmt_bind_u64(&st, log_index);
    stmt_bind_u64(&st, limit);
    return visit_payments(&st, visit, self, err);
}

struct paid { struct amount sum; struct tx_hash last; bool any; };

static bool add_payment(void *self, const struct payment *p, struct err *err)
{
    struct paid *paid = self;

    paid->any = true;
    paid->last = p->tx;
    return amount_add(paid->sum, p->amount, &paid->sum) || err_set(err, ERR_OVERFLOW, "payments over 256 bits");
}

bool store_account_paid(struct db *db, struct address account, struct amount *paid, struct tx_hash *last, bool *any,
                        struct err *err)
{
    struct paid sum = { .sum = AMOUNT_ZERO };

    if (!store_payments_of_account(db, account, add_payment, &sum, err))
        return false;
    *paid = sum.sum;
    *last = sum.last;
    *any = sum.any;
    return true;
}

bool store_payments_total(struct db *db, struct amount *total, struct err *err)
{
    return store_payments_total_at(db, INT64_MAX, total, err);
}

bool store_payments_total_at(struct db *db, uint64_t block, struct amount *total, struct err *err)
{
    struct paid sum = { .sum = AMOUNT_ZERO };
    struct stmt st;

    if (!db_prepare(db, "SELECT " COLUMNS " FROM payments WHERE block <= ?", &st, err))
        return false;
    stmt_bind_u64(&st, block);
    if (!visit_payments(&st, add_payment, &sum, err))
        return false;
    *total = sum.sum;
    return true;
}
