/* A transaction that the market left behind is offered again: same nonce, same call, more for gas (fee.h). */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#define REPLACE_BLOCKS 3u

static bool store_replacement(void *self, struct group *group, struct err *err)
{
    struct attempt_row *a = self;

    a->created_at_ms = group->now_ms;
    return store_attempt_insert(group->db, a, err);
}

/* Same call, same nonce, other fees. */
static bool sign_replacement(struct settle *s, const struct transaction_row *t, const struct attempt_row *old,
                             struct fee fresh, struct attempt_row *a, struct err *err)
{
    struct fee fee = { .max_fee = old->max_fee, .max_priority_fee = old->max_priority_fee };
    struct signature ignored;
    struct tx tx;
    bool ok;

    tx_init(&tx);
    ok = tx_decode(old->raw.data, old->raw.len, &tx, &ignored, err);
    fee.legacy = tx.legacy;
    ok = ok && (fee_replace(fee, fresh, s->config.max_fee, &fee, err)
                || (err->code == ERR_AGAIN && hold(s, WAITS_FOR_FEES, err)));
    if (ok) {
        fee_put(fee, &tx);
        ok = send_data_fee(s, &tx, &a->data_fee, err)
          && budget_allows(s, t->sequence, t->id, fee_cost(tx.gas, tx.max_fee, a->data_fee), err);
    }
    if (ok) {
        a->max_fee = tx.max_fee;
        a->max_priority_fee = tx.max_priority_fee;
        a->tx = old->tx;
        a->seq = old->seq + 1;
        a->gas = tx.gas;
        ok = signer_sign_tx(s->signer, &tx, &a->raw, &a->hash, err);
    }
    tx_clear(&tx);
    return ok;
}

static bool send_replacement(struct look *l, const struct attempt_row *old, struct fee fresh, struct err *err)
{
    struct settle *s = l->settle;
    struct attempt_row a = { 0 };
    bool ok;

    buf_init(&a.raw);
    ok = sign_replacement(s, l->t, old, fresh, &a, err) && settle_do(s, store_replacement, &a, err);
    if (ok) {
        log_event(LOG_NOTICE_LEVEL, "tx_replaced", KV_U64("sequence", l->t->sequence), KV_U64("nonce", l->t->nonce),
                  KV_HASH("tx", &a.hash.h));
        l->watch->since_block = l->round->latest;
        *l->moved = true;
        settle_crash_point("replacement-stored");
        ok = send_stored(s, l->t, &a, err);
        l->watch->sent_ms = clock_now_ms(s->clock);      /* behind what it took: the old bytes are not sent after the new */
    }
    buf_clear(&a.raw);
    return ok;
}

bool replace_when_low(struct look *l, const struct attempt_row *newest, struct err *err)
{
    struct settle *s = l->settle;
    struct fee_market market;
    struct fee fresh;

    /* One of another account we cannot sign. */
    if (l->round->latest < l->watch->since_block + REPLACE_BLOCKS || !address_eq(l->t->account, s->account))
        return true;
    if (!rpc_fee_market(s->rpc, &market, err))
        return false;
    if (!fee_suggest(&market, s->config.max_fee, &fresh, err)) {
        (void)hold(s, WAITS_FOR_FEES, err);
        return hold_taken(s);                  /* above the ceiling: the same bytes are sent again */
    }
    /* At or above the market and still out: a fault of the connection, not of the price. */
    if (!fee_is_low((struct fee){ newest->max_priority_fee, newest->max_fee, market.legacy }, &market, fresh))
        return true;
    return send_replacement(l, newest, fresh, err) || hold_taken(s);
}
