/* Who earns what of the receipt, and their leaves in the rewards tree; the claim answer, which is such a leaf. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "chain/settlement.h"
#include "gateway/base/hex.h"
#include "gateway/lib/address_text.h"

static bool check_shares(struct verification *v, const json *shares)
{
    struct amount sum = AMOUNT_ZERO, amount, part;
    struct address account;

    if (!verify_shape(v, "shares", "amount", json_get_amount(json_member(v->answer, "amount"), &amount)))
        return false;
    for (size_t i = 0; i < json_count(shares); i++) {
        const json *share = json_at(shares, i);

        if (!verify_shape(v, "shares", "account or amount", json_get_address(json_member(share, "account"), &account)
                          && json_get_amount(json_member(share, "amount"), &part) && amount_add(sum, part, &sum)))
            return false;
    }
    return verify_note(v, "shares", amount_cmp(sum, amount) == 0, "all shares together are the amount");
}

/* What the shares of this receipt give an account. */
static struct amount shares_of(const json *shares, struct address account)
{
    struct amount sum = AMOUNT_ZERO, part;
    struct address who;

    for (size_t i = 0; i < json_count(shares); i++) {
        const json *share = json_at(shares, i);

        if (json_get_address(json_member(share, "account"), &who) && address_eq(who, account)
            && json_get_amount(json_member(share, "amount"), &part) && !amount_add(sum, part, &sum))
            return sum;
    }
    return sum;
}

static void check_payment(struct verification *v, const json *payment, const json *shares)
{
    struct amount claimable, claimed;
    struct address account;
    struct proof path;
    char text[ADDRESS_TEXT], name[ADDRESS_TEXT + 16];
    bool fits;

    if (!verify_shape(v, "payments", "account", json_get_address(json_member(payment, "account"), &account)))
        return;
    address_to_text(account, text);
    snprintf(name, sizeof name, "payment %s", text);
    if (!verify_shape(v, name, "claimable, claimed or proof", json_get_amount(json_member(payment, "claimable"), &claimable)
                      && json_get_amount(json_member(payment, "claimed"), &claimed) && verify_read_path(json_member(payment, "proof"), &path)))
        return;
    if (v->has_token)
        verify_hash(v, name, "the leaf leads to rewardsRoot", tree_fold(tree_rewards_leaf(account, v->token, claimable), &path),
                    v->content.rewards_root);
    fits = amount_cmp(claimable, shares_of(shares, account)) >= 0 && amount_cmp(claimable, v->content.total) <= 0;
    if (!fits)
        verify_note(v, name, false, "claimable is below the account's shares or above the total");
}

/* Each account that earned something of the receipt has a row. */
static void check_all_there(struct verification *v, const json *shares, const json *payments)
{
    struct address account, who;
    struct amount amount;
    char text[ADDRESS_TEXT];

    for (size_t i = 0; i < json_count(shares); i++) {
        bool there = false;

        if (!json_get_address(json_member(json_at(shares, i), "account"), &account)
            || !json_get_amount(json_member(json_at(shares, i), "amount"), &amount) || amount_is_zero(amount))
            continue;
        for (size_t k = 0; k < json_count(payments) && !there; k++)
            there = json_get_address(json_member(json_at(payments, k), "account"), &who) && address_eq(who, account);
        address_to_text(account, text);
        if (!there)
            verify_note(v, "payments", false, "%s earned of this receipt but has no leaf", text);
    }
}

/* The receipt's state is what its settlement's state and the payments say (core/state.c). */
static void check_state(struct verification *v, const json *payments)
{
    const json *state = json_member(json_member(v->answer, "settlement"), "state");
    bool active = verify_text_is(state, "active") || verify_text_is(state, "distributed") || verify_text_is(state, "final");
    bool all_paid = active;
    struct amount claimable, claimed;
    const char *expected;

    for (size_t i = 0; i < json_count(payments); i++)
        all_paid = all_paid && json_get_amount(json_member(json_at(payments, i), "claimable"), &claimable)
                && json_get_amount(json_member(json_at(payments, i), "claimed"), &claimed) && amount_cmp(claimed, claimable) >= 0;
    expected = all_paid ? "paid" : active || verify_text_is(state, "committed") ? "committed" : "batched";
    verify_note(v, "state", verify_text_is(json_member(v->answer, "state"), expected), "by settlement and payments it is %s", expected);
}

void verify_payments(struct verification *v)
{
    const json *shares = json_member(v->answer, "shares"), *payments = json_member(v->answer, "payments");

    if (shares == NULL && v->has_settlement)
        verify_note(v, "shares", false, "missing");
    if (shares == NULL || !check_shares(v, shares))
        return;
    verify_unchecked(v, "price and split: `quittance audit` recomputes them from the archives");
    if (!v->has_settlement)
        return;
    if (payments == NULL) {
        verify_note(v, "payments", false, "missing");
        return;
    }
    if (!v->has_token)
        verify_unchecked(v, "the payments' leaves: the token is not known (--token, --info or --rpc)");
    for (size_t i = 0; i < json_count(payments); i++)
        check_payment(v, json_at(payments, i), shares);
    check_all_there(v, shares, payments);
    check_state(v, payments);
}

/* ---- a claim ---- */

struct claim {
    struct address account, reward, contract;
    struct amount claimable, due;
    struct proof proof;
    uint64_t sequence;
    struct buf calldata;
};

static bool read_claim(struct verification *v, struct claim *c)
{
    const json *a = v->answer;

    return verify_shape(v, "account", "account", json_get_address(json_member(a, "account"), &c->account))
        && verify_shape(v, "reward", "reward", json_get_address(json_member(a, "reward"), &c->reward))
        && verify_shape(v, "contract", "contract", json_get_address(json_member(a, "contract"), &c->contract))
        && verify_shape(v, "claimable", "claimable", json_get_amount(json_member(a, "claimable"), &c->claimable))
        && verify_shape(v, "due", "due", json_get_amount(json_member(a, "due"), &c->due))
        && verify_shape(v, "proof", "proof", verify_read_path(json_member(a, "proof"), &c->proof))
        && verify_shape(v, "sequence", "sequence", json_get_u64(json_member(a, "sequence"), &c->sequence))
        && verify_shape(v, "calldata", "calldata", json_get_bytes(json_member(a, "calldata"), &c->calldata));
}

static void check_claim(struct verification *v, const struct claim *c)
{
    struct buf call;

    buf_init(&call);
    settlement_claim_call(c->account, c->reward, c->claimable, c->proof.path, c->proof.len, &call);
    verify_note(v, "calldata", call.len == c->calldata.len && memcmp(call.data, c->calldata.data, call.len) == 0,
                "claim(account, reward, claimable, proof), word for word");
    buf_clear(&call);
    verify_address(v, "contract", "the contract asked about", v->config->domain.contract, c->contract);
    if (v->has_token)
        verify_address(v, "reward", "the contract's token", v->token, c->reward);
    else
        verify_unchecked(v, "reward: the token is not known (--token, --info or --rpc)");
    verify_note(v, "due", !amount_is_zero(c->due) && amount_cmp(c->due, c->claimable) <= 0, "above 0, at most claimable");
}

static bool check_claim_on_chain(struct verification *v, const struct claim *c, struct err *err)
{
    struct hash root = tree_fold(tree_rewards_leaf(c->account, c->reward, c->claimable), &c->proof);
    struct settlement_view view;
    struct amount claimed, due;
    bool covered;

    if (!settlement_read(v->config->rpc, v->config->domain.contract, &view, err)
        || !settlement_claimed(v->config->rpc, v->config->domain.contract, &c->account, 1, &claimed, err))
        return false;
    verify_note(v, "proof", hash_eq(root, view.active_root) || hash_eq(root, view.previous_root),
                "leads to a root that the contract takes");
    covered = amount_sub(c->claimable, claimed, &due);
    verify_note(v, "due", covered && amount_cmp(due, c->due) == 0, "claimable less what the contract has paid");
    verify_note(v, "sequence", c->sequence >= 1 && c->sequence <= view.sequence, "one that was committed");
    return true;
}

bool verify_claim(struct verification *v, struct err *err)
{
    struct claim c = { 0 };
    bool ok = true;

    buf_init(&c.calldata);
    if (read_claim(v, &c)) {
        check_claim(v, &c);
        if (v->config->rpc != NULL)
            ok = check_claim_on_chain(v, &c, err);
        else
            verify_unchecked(v, "without --rpc: that the proof leads to a root of the contract, and what is due");
    }
    buf_clear(&c.calldata);
    return ok;
}
