#include "gateway/audit/payments.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/differs.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"

#define ACCOUNTS_A_CALL 1000u
#define READS_MAX 5

void chain_payments_clear(struct chain_payments *payments)
{
    totals_clear(&payments->transfers);
    totals_clear(&payments->claimed);
    *payments = (struct chain_payments){ 0 };
}

/* ---- reading ---- */

struct transfers { const struct chain_view *view; struct totals *sums; };

static bool take_transfer(void *self, const struct log_entry *log, struct err *err)
{
    struct transfers *t = self;
    struct address account;
    struct amount amount;

    return !token_paid(log, t->view->token, t->view->contract, &account, &amount) || totals_add(t->sums, account, amount, err);
}

static bool read_transfers(struct rpc *rpc, const struct chain_view *view, uint64_t from, struct totals *sums, struct err *err)
{
    struct hash topic = token_transfer_topic(), sender = { { 0 } };
    const struct hash *topics[2] = { &topic, &sender };
    struct transfers transfers = { view, sums };
    struct block latest;

    memcpy(sender.b + 12, view->contract.b, sizeof view->contract.b);
    return rpc_block(rpc, BLOCK_LATEST, &latest, err)
        && chain_logs(rpc, view->token, topics, 2, from, latest.number, take_transfer, &transfers, err)
        && totals_sort(sums, err);
}

/* Every account with a leaf, and every other that got something. */
static bool read_claimed(struct rpc *rpc, const struct chain_view *view, const struct totals *leaves, const struct totals *transfers,
                         struct totals *claimed, struct err *err)
{
    struct address *accounts;
    struct amount *amounts;
    size_t count, done = 0;
    bool ok = true;

    for (size_t i = 0; ok && i < leaves->count; i++)
        ok = totals_add(claimed, leaves->list[i].account, AMOUNT_ZERO, err);
    for (size_t i = 0; ok && i < transfers->count; i++)
        ok = totals_add(claimed, transfers->list[i].account, AMOUNT_ZERO, err);
    if (!ok || !totals_sort(claimed, err))
        return false;
    count = claimed->count;
    accounts = mem_array(count + 1, sizeof *accounts);
    amounts = mem_array(count + 1, sizeof *amounts);
    for (size_t i = 0; i < count; i++)
        accounts[i] = claimed->list[i].account;
    while (ok && done < count) {
        size_t part = count - done < ACCOUNTS_A_CALL ? count - done : ACCOUNTS_A_CALL;

        ok = settlement_claimed(rpc, view->contract, accounts + done, part, amounts + done, err);
        done += part;
    }
    for (size_t i = 0; ok && i < count; i++)
        claimed->list[i].amount = amounts[i];
    free(accounts);
    free(amounts);
    return ok;
}

bool chain_payments_read(struct rpc *rpc, const struct chain_view *view, uint64_t deploy_block, const struct totals *leaves,
                         struct chain_payments *payments, struct err *err)
{
    for (int i = 0; i < READS_MAX; i++) {
        struct chain_payments read = { 0 };
        struct settlement_view before, after;

        if (!settlement_read(rpc, view->contract, &before, err)
            || !read_transfers(rpc, view, deploy_block, &read.transfers, err)
            || !read_claimed(rpc, view, leaves, &read.transfers, &read.claimed, err)
            || !settlement_read(rpc, view->contract, &after, err)) {
            chain_payments_clear(&read);
            return false;
        }
        read.active_root = after.active_root;
        read.total = after.total;
        read.total_claimed = after.total_claimed;
        /* totalClaimed only grows: the same before and after means that nobody was paid in between. */
        if (amount_cmp(before.total_claimed, after.total_claimed) == 0 && hash_eq(before.active_root, after.active_root)) {
            *payments = read;
            return true;
        }
        chain_payments_clear(&read);
    }
    return err_set(err, ERR_AGAIN, "payments go on without a pause; try again when the distribution is done");
}

/* ---- checking ---- */

static bool check_account(const struct chain_payments *payments, struct address account, const struct totals *leaves, struct err *err)
{
    struct amount claimed = totals_of(&payments->claimed, account), paid = totals_of(&payments->transfers, account);
    char text[ADDRESS_TEXT], where[96];

    address_to_text(account, text);
    snprintf(where, sizeof where, "account %s, tokens received", text);
    if (amount_cmp(claimed, paid) != 0)
        return differs_amount(err, DIFFERS_PAYMENT, (struct place){ 0, where }, claimed, paid);
    snprintf(where, sizeof where, "account %s, at most its leaf", text);
    if (leaves != NULL && amount_cmp(claimed, totals_of(leaves, account)) > 0)
        return differs_amount(err, DIFFERS_PAYMENT, (struct place){ 0, where }, totals_of(leaves, account), claimed);
    return true;
}

bool payments_check(const struct chain_payments *payments, const struct totals *leaves, struct err *err)
{
    struct amount claimed, paid;

    for (size_t i = 0; i < payments->claimed.count; i++)
        if (!check_account(payments, payments->claimed.list[i].account, leaves, err))
            return false;
    if (!totals_sum(&payments->claimed, &claimed, err) || !totals_sum(&payments->transfers, &paid, err))
        return false;
    if (amount_cmp(paid, payments->total_claimed) != 0)
        return differs_amount(err, DIFFERS_PAYMENT, (struct place){ 0, "tokens out of the contract" }, payments->total_claimed, paid);
    if (amount_cmp(claimed, payments->total_claimed) != 0)
        return differs_amount(err, DIFFERS_PAYMENT, (struct place){ 0, "sum of claimed" }, payments->total_claimed, claimed);
    if (amount_cmp(payments->total_claimed, payments->total) > 0)
        return differs_amount(err, DIFFERS_PAYMENT, (struct place){ 0, "totalClaimed, at most total" }, payments->total,
                              payments->total_claimed);
    return true;
}
