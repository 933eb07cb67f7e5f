/* gateway/transact.c - see transact.h. */
#include "gateway/transact.h"

#include <stdio.h>

#include "chain/settlement.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"

#define WAIT_MS 120000
#define POLL_MS 250

static bool explain(const struct transact *t, struct err *err)
{
    size_t len;
    const uint8_t *data = rpc_last_revert(t->rpc, &len);

    if (err->code == ERR_CHAIN && rpc_last_class(t->rpc) == RPC_REVERT && len >= 4)
        settlement_revert(data, len, err);
    return false;
}

static bool fill(const struct transact *t, const struct address *to, const struct buf *data, struct tx *tx, struct err *err)
{
    struct fee_market market;
    struct fee fee;
    struct address from = signer_address(t->signer);
    uint64_t gas;

    if (!rpc_estimate_gas(t->rpc, from, to, data, &gas, err))
        return explain(t, err);
    if (!rpc_nonce(t->rpc, from, BLOCK_PENDING, &tx->nonce, err)
        || !rpc_fee_market(t->rpc, &market, err) || !fee_suggest(&market, t->max_fee, &fee, err))
        return false;
    tx->chain_id = t->chain_id;
    tx->gas = gas + gas / 5 > TX_GAS_MAX ? TX_GAS_MAX : gas + gas / 5;
    fee_put(fee, tx);
    tx->creates = to == NULL;
    if (to != NULL)
        tx->to = *to;
    return buf_add(&tx->data, data->data, data->len) || err_set(err, ERR_LIMIT, "the transaction is too large");
}

static bool wait_mined(const struct transact *t, struct tx_hash hash, struct tx_receipt *receipt, struct err *err)
{
    uint64_t start = clock_monotonic_ms();
    char text[HASH_TEXT];

    hash_to_text(hash.h, text);
    for (;;) {
        bool asked = rpc_tx_receipt(t->rpc, hash, receipt, err);

        /* It is sent: a node that stumbles now must not end what it is a step of. */
        if (!asked && err->code != ERR_AGAIN)
            return err_prefix(err, "transaction %s was sent", text);
        if (asked && receipt->found)
            break;
        if (clock_monotonic_ms() - start > WAIT_MS)
            return err_set(err, ERR_UNKNOWN, "transaction %s is not mined after two minutes: look it up before you repeat", text);
        clock_sleep_ms(POLL_MS);
    }
    if (receipt->success)
        return true;
    logs_clear(&receipt->logs);
    return err_set(err, ERR_CHAIN, "transaction %s was mined but reverted", text);
}

MUST_USE bool transact(const struct transact *t, const struct address *to, const struct buf *data, struct tx_hash *hash,
                       struct tx_receipt *receipt, struct err *err)
{
    struct tx tx;
    struct buf raw;
    char text[HASH_TEXT];
    bool ok;

    tx_init(&tx);
    buf_init(&raw);
    ok = fill(t, to, data, &tx, err) && signer_sign_tx(t->signer, &tx, &raw, hash, err);
    if (ok) {
        hash_to_text(hash->h, text);
        fprintf(stderr, "quittance: sending transaction %s\n", text);
        /* An unknown outcome is found out below: the hash is ours whoever took it. */
        ok = rpc_send_raw(t->rpc, &raw, *hash, err) || err->code == ERR_UNKNOWN;
    }
    ok = ok && wait_mined(t, *hash, receipt, err);
    tx_clear(&tx);
    buf_clear(&raw);
    return ok;
}
