#include "api/account_sums.h"

#include "store/adjustments.h"
#include "store/batches.h"
#include "store/ledger.h"

struct summing { struct account_sums *sums; struct address account; };

static bool add_posting(void *self, const struct posting *p, struct err *err)
{
    const struct summing *s = self;
    struct account_sums *sums = s->sums;
    struct amount *of_role = &sums->by_role[p->share.role];
    /* One row a model, whatever the role. */
    struct share share = { s->account, ROLE_PROVIDER, p->share.model, p->share.amount };

    if (!amount_add(*of_role, p->share.amount, of_role))
        return err_set(err, ERR_OVERFLOW, "an account's sum over 256 bits");
    if (role_is_adjustment(p->share.role))
        return true;
    if (!role_is_credit(p->share.role)) {
        sums->was_charged = true;
        return amount_add(sums->charged, p->share.amount, &sums->charged)
            || err_set(err, ERR_OVERFLOW, "charges over 256 bits");
    }
    return shares_add(&sums->by_model, &share, err)
        && (amount_add(sums->earned, p->share.amount, &sums->earned)
            || err_set(err, ERR_OVERFLOW, "earnings over 256 bits"));
}

static bool find_settled(struct db *db, struct address account, struct amount *settled, struct err *err)
{
    struct settlement_row active;
    bool found;

    if (!store_settlement_active(db, &active, &found, err))
        return false;
    if (!found)
        return true;
    if (!store_leaf_find(db, active.sequence, account, settled, &found, err))
        return false;
    if (!found)
        *settled = AMOUNT_ZERO;
    return true;
}

static bool find_debt(struct db *db, struct address account, struct amount *debt, struct err *err)
{
    struct settlement_row last;
    struct debts owed;
    bool found;

    if (!store_settlement_last_valid(db, &last, &found, err) || !store_debts_load(db, found ? last.sequence : 0, &owed, err))
        return false;
    *debt = debts_of(&owed, account);
    debts_clear(&owed);
    return true;
}

/* What is still to come: earned and corrected, less paid.  A store restored from an older copy may not know yet what somebody was
 * paid for, and who owes was paid more than that: then nothing is pending. */
static bool find_pending(struct account_sums *sums, struct err *err)
{
    struct amount have, gone;

    if (!amount_add(sums->earned, sums->by_role[ROLE_ADJUSTED_UP], &have)
        || !amount_add(sums->paid, sums->by_role[ROLE_ADJUSTED_DOWN], &gone))
        return err_set(err, ERR_OVERFLOW, "an account's sum over 256 bits");
    if (!amount_sub(have, gone, &sums->pending))
        sums->pending = AMOUNT_ZERO;
    return true;
}

bool account_sum(struct db *db, struct address account, struct account_sums *sums, struct err *err)
{
    struct account_sums total = { 0 };
    struct summing s = { &total, account };
    struct tx_hash last;
    bool any;

    if (!store_postings_of_account(db, account, add_posting, &s, err)
        || !find_settled(db, account, &total.settled, err)
        || !store_account_paid(db, account, &total.paid, &last, &any, err)
        || !find_debt(db, account, &total.debt, err) || !find_pending(&total, err)) {
        account_sums_clear(&total);
        return false;
    }
    *sums = total;
    return true;
}

void account_sums_clear(struct account_sums *sums)
{
    shares_clear(&sums->by_model);
}
