/* Nonces that are used up by nothing: a transfer of 0 to ourselves, stored before it is sent like all others.
 *
 * Two cases.  A slot whose bytes no node takes, for good (gas below the floor, say): they can never be mined, and all
 * behind them would wait for ever.  And a gap: a transaction that was sent by hand and then dropped by its pool leaves a
 * nonce below ours that is nobody's.  Which attempt was mined tells afterwards what became of a slot (follow.c). */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <stdio.h>

#define GAP_MS 60000u              /* pools and balanced endpoints may lag */

/* A clear no of a kind that no waiting turns into a yes. */
static bool is_refused_for_good(const struct attempt_row *a)
{
    if (a->sent_at_ms == 0 || a->answer[0] == '\0')
        return false;
    switch (rpc_classify(a->answer)) {
    case RPC_BAD_GAS:
    case RPC_MALFORMED:
    case RPC_REVERT:
        return true;
    case RPC_UNKNOWN:
    case RPC_KNOWN:
    case RPC_NONCE_USED:
    case RPC_NONCE_AHEAD:
    case RPC_BUMP_NEEDED:
    case RPC_PRICE_LOW:
    case RPC_POOL_FULL:
    case RPC_FUNDS:
    case RPC_FEE_CAP:
    case RPC_DELEGATED:
    case RPC_DOWN:
        return false;
    }
    bug("RPC class %d", (int)rpc_classify(a->answer));
}

/* At the market; and where a pool may hold something at the nonce all the same, enough to take its place.  Above the
 * ceiling that cannot be offered: then the market must do, as every node said that it does not hold it. */
static bool void_fee(struct settle *s, const struct attempt_row *old, struct fee *fee, struct err *err)
{
    struct err over = { 0 };
    struct fee fresh;

    if (!send_fee(s, &fresh, err))
        return false;
    if (old == NULL || !fee_replace((struct fee){ old->max_priority_fee, old->max_fee, fresh.legacy }, fresh, s->config.max_fee, fee,
                                    &over))
        *fee = fresh;
    return true;
}

/* t NULL: of no settlement. */
static bool sign_void(struct settle *s, uint64_t nonce, const struct transaction_row *t, const struct attempt_row *old,
                      struct attempt_row *a, struct err *err)
{
    struct fee fee;
    struct tx tx;
    bool ok;

    tx_init(&tx);
    tx.chain_id = s->config.chain_id;
    tx.nonce = nonce;
    tx.to = s->account;
    ok = void_fee(s, old, &fee, err)
      && rpc_estimate_gas(s->rpc, s->account, &s->account, &tx.data, &tx.gas, err);      /* not 21000 everywhere */
    if (ok) {
        fee_put(fee, &tx);
        ok = send_data_fee(s, &tx, &a->data_fee, err)
          && budget_allows(s, t != NULL ? t->sequence : 0, t != NULL ? t->id : 0,
                           fee_cost(tx.gas, tx.max_fee, a->data_fee), err);
    }
    if (ok) {
        a->max_fee = tx.max_fee;
        a->max_priority_fee = tx.max_priority_fee;
        a->gas = tx.gas;
        a->seq = old != NULL ? old->seq + 1 : 1;
        ok = signer_sign_tx(s->signer, &tx, &a->raw, &a->hash, err);
    }
    tx_clear(&tx);
    return ok;
}

static bool store_void(void *self, struct group *group, struct err *err)
{
    struct attempt_row *a = self;

    a->created_at_ms = group->now_ms;
    return store_attempt_insert(group->db, a, err);
}

bool void_when_refused(struct look *l, bool *voided, struct err *err)
{
    struct settle *s = l->settle;
    const struct attempt_row *newest = &l->attempts.list[l->attempts.count - 1];
    struct attempt_row a = { .tx = l->t->id };
    bool ok, is_void;

    *voided = false;
    for (size_t i = 0; i < l->attempts.count; i++)
        if (!is_refused_for_good(&l->attempts.list[i]))
            return true;
    if (!attempt_is_void(newest, l->t->account, &is_void, err))
        return false;
    if (is_void || !address_eq(l->t->account, s->account))
        return true;
    buf_init(&a.raw);
    ok = sign_void(s, l->t->nonce, l->t, newest, &a, err) && settle_do(s, store_void, &a, err);
    if (ok) {
        log_event(LOG_WARN_LEVEL, "tx_voided", KV_U64("sequence", l->t->sequence), KV_U64("nonce", l->t->nonce),
                  KV_TEXT("kind", l->t->kind), KV_HASH("tx", &a.hash.h), KV_TEXT("error", newest->answer));
        *voided = *l->moved = true;
        settle_crash_point("void-stored");
        ok = send_stored(s, l->t, &a, err);
    }
    buf_clear(&a.raw);
    return ok;
}

struct filling { struct transaction_row row; struct attempt_row attempt; };

static bool store_filling(void *self, struct group *group, struct err *err)
{
    struct filling *f = self;

    f->row.created_at_ms = f->attempt.created_at_ms = group->now_ms;
    return store_tx_insert(group->db, &f->row, &f->attempt, NULL, err);
}

static bool fill_nonce(struct settle *s, uint64_t nonce, struct err *err)
{
    struct filling f = { .row = { .account = s->account, .nonce = nonce, .kind = "void" } };
    bool ok;

    buf_init(&f.attempt.raw);
    ok = sign_void(s, nonce, NULL, NULL, &f.attempt, err) && settle_do(s, store_filling, &f, err);
    if (ok) {
        f.attempt.tx = f.row.id;
        log_event(LOG_WARN_LEVEL, "nonce_filled", KV_U64("nonce", nonce), KV_HASH("tx", &f.attempt.hash.h));
        settle_crash_point("filling-stored");
        ok = send_stored(s, &f.row, &f.attempt, err);
    }
    buf_clear(&f.attempt.raw);
    return ok;
}

/* The chain went back behind what was final here: the bytes that were mined once are offered again. */
static bool send_again(struct settle *s, const struct transaction_row *t, struct err *err)
{
    struct attempts attempts;
    bool ok;

    if (!attempts_of(s, t->id, &attempts, err))
        return false;
    log_event(LOG_ERROR_LEVEL, "final_undone", KV_U64("nonce", t->nonce), KV_U64("sequence", t->sequence),
              KV_TEXT("state", tx_state_name(t->state)));
    ok = send_stored(s, t, &attempts.list[attempts.count - 1], err);
    attempts_clear(&attempts);
    return ok;
}

bool fill_gap(struct look *l, uint64_t chain_nonce, struct err *err)
{
    struct settle *s = l->settle;
    uint64_t now_ms = clock_now_ms(s->clock), pending;
    struct transaction_row there;
    bool found;

    if (!l->is_lowest || chain_nonce >= l->t->nonce || !address_eq(l->t->account, s->account)) {
        l->watch->gap_since_ms = 0;
        return true;
    }
    if (!rpc_nonce(s->rpc, s->account, BLOCK_PENDING, &pending, err))
        return false;
    if (pending > chain_nonce) {               /* somebody's transaction waits there */
        l->watch->gap_since_ms = 0;
        return true;
    }
    if (l->watch->gap_since_ms == 0)
        l->watch->gap_since_ms = now_ms;
    if (now_ms < l->watch->gap_since_ms + GAP_MS)
        return true;
    l->watch->gap_since_ms = 0;
    *l->moved = true;
    if (!store_tx_at(s->db, s->account, chain_nonce, &there, &found, err))
        return false;
    return found ? send_again(s, &there, err) : fill_nonce(s, chain_nonce, err);
}
