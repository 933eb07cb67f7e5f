/* A transaction that the market left behind is offered again: same nonce, same call, more for gas (fee.h). */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#define REPLACE_BLOCKS 3u

static bool is_below_market(const struct attempt_row *a, const struct fee_history *history, const struct fee *fresh)
{
    struct u256 needed;

    return !u256_add(history->next_base_fee.v, fresh->max_priority_fee.v, &needed) || u256_cmp(a->max_fee.v, needed) < 0
        || u256_cmp(a->max_priority_fee.v, fresh->max_priority_fee.v) < 0;
}

static bool store_replacement(void *self, struct group *group, struct err *err)
{
    struct attempt_row *a = self;

    a->created_at_ms = group->now_ms;
    return store_attempt_insert(group->db, a, err);
}

static bool sign_replacement(struct settle *s, const struct attempt_row *old, const struct fee *fee,
                             struct attempt_row *a, struct err *err)
{
    struct signature ignored;
    struct tx tx;
    bool ok;

    tx_init(&tx);
    ok = tx_decode(old->raw.data, old->raw.len, &tx, &ignored, err);
    if (ok) {
        tx.max_fee = a->max_fee = fee->max_fee;
        tx.max_priority_fee = a->max_priority_fee = fee->max_priority_fee;
        a->tx = old->tx;
        a->seq = old->seq + 1;
        a->gas = tx.gas;
        ok = signer_sign_tx(s->signer, &tx, &a->raw, &a->hash, err);
    }
    tx_clear(&tx);
    return ok;
}

static bool send_replacement(struct settle *s, const struct transaction_row *t, const struct attempt_row *old,
                             const struct fee *fee, struct err *err)
{
    struct attempt_row a = { 0 };
    bool ok;

    buf_init(&a.raw);
    ok = sign_replacement(s, old, fee, &a, err) && writer_do(s->writer, store_replacement, &a, err);
    if (ok) {
        log_event(LOG_NOTICE_LEVEL, "tx_replaced", KV_U64("sequence", t->sequence), KV_U64("nonce", t->nonce),
                  KV_HASH("tx", &a.hash.h));
        ok = send_stored(s, t, &a, err);
    }
    buf_clear(&a.raw);
    return ok;
}

bool replace_when_low(struct look *l, const struct attempt_row *newest, struct err *err)
{
    struct settle *s = l->settle;
    struct fee_history history;
    struct fee fresh, fee;

    /* One of another account we cannot sign. */
    if (l->latest < l->watch->since_block + REPLACE_BLOCKS || !address_eq(l->t->account, s->account))
        return true;
    if (!rpc_fee_history(s->rpc, FEE_BLOCKS, FEE_PERCENTILE, &history, err))
        return false;
    if (!fee_suggest(&history, s->config.max_fee, &fresh, err)
        || (is_below_market(newest, &history, &fresh)
            && !fee_replace((struct fee){ newest->max_priority_fee, newest->max_fee }, fresh, s->config.max_fee, &fee,
                            err))) {
        if (err->code != ERR_AGAIN)
            return false;
        s->report.waits = WAITS_FOR_FEES;      /* above the ceiling: held, and the same bytes sent again */
        return true;
    }
    /* At or above the market and still out: a fault of the connection, not of the price. */
    if (!is_below_market(newest, &history, &fresh))
        return true;
    l->watch->since_block = l->latest;
    l->watch->sent_ms = clock_now_ms(s->clock);
    *l->moved = true;
    return send_replacement(s, l->t, newest, &fee, err);
}
