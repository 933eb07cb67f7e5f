/* What only the chain can tell of a receipt's answer: that the header is the contract's, and that the tokens moved. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "chain/settlement.h"
#include "gateway/lib/address_text.h"

/* The contract's header decides whether the settlement stands, was cancelled, or never was; the answer only claims. */
static bool check_header(struct verification *v, struct err *err)
{
    const uint64_t sequence = v->content.sequence;
    struct settlement_view view;
    struct hash found;

    if (!settlement_read(v->config->rpc, v->config->domain.contract, &view, err)
        || !settlement_header(v->config->rpc, v->config->domain.contract, sequence, &found, err))
        return false;
    if (hash_eq(found, header_cancelled(v->header))) {
        verify_note(v, "chain-header", v->cancelled, "settlement %" PRIu64 " was cancelled", sequence);
        v->cancelled = true;
        v->active = false;
        return true;
    }
    if (!verify_hash(v, "chain-header", "the contract's header of this settlement", v->header, found)) {
        v->in_tree = false;
        return true;
    }
    verify_note(v, "chain-state", !v->cancelled, "not cancelled");
    v->cancelled = false;
    v->active = !(view.has_pending && view.pending_sequence == sequence);
    if (v->active)
        verify_note(v, "chain-root", true, hash_eq(view.active_root, v->content.rewards_root) ? "rewardsRoot is the active root"
                                                                                             : "rewardsRoot was accepted; a later one may be active");
    return true;
}

static bool check_commit(struct verification *v, struct err *err)
{
    const json *member = json_member(json_member(v->answer, "settlement"), "transaction");
    struct committed_event event;
    struct tx_receipt receipt = { 0 };
    struct tx_hash hash;
    bool there = false;

    if (member == NULL)
        return true;
    if (!verify_shape(v, "commit-transaction", "transaction", json_get_hash(member, &hash.h)))
        return true;
    if (!rpc_tx_receipt(v->config->rpc, hash, &receipt, err))
        return false;
    for (size_t i = 0; i < receipt.logs.count && !there; i++)
        there = settlement_committed(&receipt.logs.list[i], v->config->domain.contract, &event)
             && event.sequence == v->content.sequence && hash_eq(event.header, v->header);
    verify_note(v, "commit-transaction", receipt.found && there, "its log holds Committed with this header");
    logs_clear(&receipt.logs);
    return true;
}

/* The transaction named last paid this account something: the token's Transfer from the contract. */
static bool check_transfer(struct verification *v, const char *name, const json *payment, struct address account, struct err *err)
{
    const json *member = json_member(payment, "transaction");
    struct tx_receipt receipt = { 0 };
    struct address to;
    struct amount amount;
    struct tx_hash hash;
    bool there = false;

    if (member == NULL)
        return true;
    if (!verify_shape(v, name, "transaction", json_get_hash(member, &hash.h)))
        return true;
    if (!rpc_tx_receipt(v->config->rpc, hash, &receipt, err))
        return false;
    for (size_t i = 0; i < receipt.logs.count && !there; i++)
        there = token_paid(&receipt.logs.list[i], v->token, v->config->domain.contract, &to, &amount) && address_eq(to, account);
    verify_note(v, name, receipt.found && there, "its transaction holds the token's Transfer to it");
    logs_clear(&receipt.logs);
    return true;
}

static bool check_payment(struct verification *v, const json *payment, struct err *err)
{
    bool paid = verify_text_is(json_member(v->answer, "state"), "paid");
    struct amount claimable, claimed, on_chain;
    struct address account;
    char text[ADDRESS_TEXT], name[ADDRESS_TEXT + 24];

    if (!json_get_address(json_member(payment, "account"), &account) || !json_get_amount(json_member(payment, "claimable"), &claimable)
        || !json_get_amount(json_member(payment, "claimed"), &claimed))
        return true;                          /* verify_payments names it */
    address_to_text(account, text);
    snprintf(name, sizeof name, "chain-payment %s", text);
    if (!settlement_claimed(v->config->rpc, v->config->domain.contract, &account, 1, &on_chain, err))
        return false;
    verify_note(v, name, amount_cmp(on_chain, claimed) >= 0, "the contract has paid what the answer says");
    if (paid)
        verify_note(v, name, amount_cmp(on_chain, claimable) >= 0, "the contract has paid the whole leaf");
    return check_transfer(v, name, payment, account, err);
}

bool verify_on_chain(struct verification *v, struct err *err)
{
    const json *payments = json_member(v->answer, "payments");

    if (!v->has_settlement || !v->has_header)
        return true;
    if (!check_header(v, err) || !check_commit(v, err))
        return false;
    for (size_t i = 0; payments != NULL && i < json_count(payments); i++)
        if (!check_payment(v, json_at(payments, i), err))
            return false;
    return true;
}
