/* What a run tells: where the batch stands, and what its calls did, read from their logs. */
#include "gateway/settle/parts.h"

#include "gateway/base/mem.h"

static struct outcome *outcome_of(struct settle *s, uint64_t tx)
{
    for (size_t i = 0; i < s->outcome_count; i++)
        if (s->outcomes[i].tx == tx)
            return &s->outcomes[i];
    return NULL;
}

void outcome_note(struct settle *s, const struct transaction_row *t, const struct tx_receipt *receipt)
{
    struct outcome *o = outcome_of(s, t->id);

    if (strcmp(t->kind, "distribute") != 0)
        return;
    if (o == NULL) {
        s->outcomes = mem_grow(s->outcomes, s->outcome_count + 1, sizeof *s->outcomes);
        o = &s->outcomes[s->outcome_count++];
    }
    *o = (struct outcome){ .tx = t->id, .block_hash = receipt->block_hash };
    for (size_t i = 0; i < receipt->logs.count; i++) {
        const struct log_entry *log = &receipt->logs.list[i];
        struct address account;
        struct amount amount;

        if (token_paid(log, s->config.token, s->config.contract, &account, &amount)) {
            if (!amount_add(o->paid, amount, &o->paid))
                bug("one call paid more than 256 bits");
        } else if (settlement_skipped(log, s->config.contract, &account, &amount)) {
            o->skipped++;
        }
    }
}

/* Known from when it was mined, or asked again after a restart. */
static bool add_outcome(struct settle *s, const struct transaction_row *t, struct settle_report *r, struct err *err)
{
    const struct outcome *o = outcome_of(s, t->id);
    struct tx_receipt receipt;

    if (o == NULL || !hash_eq(o->block_hash, t->block_hash)) {
        if (!rpc_tx_receipt(s->rpc, t->mined, &receipt, err))
            return false;
        if (receipt.found)
            outcome_note(s, t, &receipt);
        logs_clear(&receipt.logs);
        o = outcome_of(s, t->id);
    }
    if (o == NULL)
        return true;
    r->failed += o->skipped;
    return amount_add(r->paid, o->paid, &r->paid) || err_set(err, ERR_OVERFLOW, "what was paid is over 256 bits");
}

static bool add_transactions(struct settle *s, struct settle_report *r, struct err *err)
{
    struct transactions txs;
    bool ok;

    if (!transactions_of(s, r->sequence, &txs, err))
        return false;
    ok = true;
    r->transactions = txs.count;
    for (size_t i = 0; ok && i < txs.count; i++)
        if (strcmp(txs.list[i].kind, "distribute") == 0
            && (txs.list[i].state == TX_MINED || txs.list[i].state == TX_FINAL))
            ok = add_outcome(s, &txs.list[i], r, err);
    transactions_clear(&txs);
    return ok;
}

bool report_fill(struct settle *s, const struct batch_row *batch, struct err *err)
{
    struct settle_report r = { .sequence = batch->sequence, .receipts = batch->receipts, .state = batch->state,
                               .waits = s->report.waits, .active_at_s = s->report.active_at_s };
    struct settlement_row settlement;

    memcpy(r.waits_detail, s->report.waits_detail, sizeof r.waits_detail);
    r.has_sequence = batch->sequence != 0;
    if (r.has_sequence) {
        if (!settlement_of(s, batch, &settlement, err))
            return false;
        r.total = settlement.content.total;
        if (settlement.active_at_s != 0)
            r.active_at_s = settlement.active_at_s;
        if (!add_transactions(s, &r, err))
            return false;
        if (s->left_out_sequence == r.sequence)
            r.failed += s->left_out_count;
    }
    s->report = r;
    return true;
}
