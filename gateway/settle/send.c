/* The one way a transaction leaves: fee, gas and nonce, signed and stored in one task, and only then the first byte. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <inttypes.h>
#include <stdio.h>

bool send_fee(struct settle *s, struct fee *fee, struct err *err)
{
    struct fee_market market;

    return rpc_fee_market(s->rpc, &market, err)
        && (fee_suggest(&market, s->config.max_fee, fee, err) || hold(s, WAITS_FOR_FEES, err));
}

bool send_data_fee(struct settle *s, const struct tx *tx, struct wei *fee, struct err *err)
{
    struct buf bytes;
    struct wei now;
    bool ok;

    buf_init(&bytes);
    tx_unsigned(tx, &bytes);
    ok = (!bytes.failed || err_set(err, ERR_LIMIT, "the transaction is too large"))
      && rpc_data_fee(s->rpc, &bytes, &now, err);
    if (ok)
        *fee = wei_sum(now, now);
    buf_clear(&bytes);
    return ok;
}

bool send_gas_limit(struct settle *s, uint64_t *limit, struct err *err)
{
    struct block latest;

    if (!rpc_block(s->rpc, BLOCK_LATEST, &latest, err))
        return false;
    *limit = tx_gas_most(latest.gas_limit);
    return true;
}

bool explain_revert(struct settle *s, struct err *err)
{
    const uint8_t *revert;
    size_t len;

    if (err->code != ERR_CHAIN || rpc_last_class(s->rpc) != RPC_REVERT)
        return false;
    revert = rpc_last_revert(s->rpc, &len);
    return settlement_revert(revert, len, err);
}

bool send_estimate(struct settle *s, const struct buf *data, uint64_t *gas, struct err *err)
{
    uint64_t estimate, limit;
    struct tx plain;
    bool ok;

    if (!rpc_estimate_gas(s->rpc, s->account, &s->config.contract, data, &estimate, err))
        return explain_revert(s, err);
    if (!send_gas_limit(s, &limit, err))
        return false;
    tx_init(&plain);
    plain.to = s->config.contract;
    buf_add(&plain.data, data->data, data->len);
    ok = tx_gas_limit(&plain, estimate, limit, gas, err);
    tx_clear(&plain);
    return ok;
}

/* What those in flight may take of the balance: pools count it against the next one, too. */
static bool add_reserved(struct settle *s, const struct transaction_row *t, struct wei *sum, struct err *err)
{
    struct attempts attempts;
    const struct attempt_row *newest;

    if (!attempts_of(s, t->id, &attempts, err))
        return false;
    newest = &attempts.list[attempts.count - 1];
    *sum = wei_sum(*sum, fee_cost(newest->gas, newest->max_fee, newest->data_fee));
    attempts_clear(&attempts);
    return true;
}

bool send_in_flight(struct settle *s, size_t *count, struct wei *reserved, struct err *err)
{
    struct transactions open;
    bool ok;

    *count = 0;
    *reserved = (struct wei){ U256_ZERO };
    if (!transactions_open(s, &open, err))
        return false;
    ok = true;
    for (size_t i = 0; ok && i < open.count; i++)
        if (transaction_is_unmined(&open.list[i]) && address_eq(open.list[i].account, s->account)) {
            ++*count;
            ok = add_reserved(s, &open.list[i], reserved, err);
        }
    transactions_clear(&open);
    return ok;
}

bool send_room(struct settle *s, size_t *room, struct err *err)
{
    size_t count, window = s->config.in_flight != 0 ? s->config.in_flight : SEND_WINDOW;
    struct wei ignored;

    if (!send_in_flight(s, &count, &ignored, err))
        return false;
    *room = count < window ? window - count : 0;
    return true;
}

/* Told before anything is signed: a node's own words for it come only after the nonce is taken. */
static bool check_funds(struct settle *s, struct wei cost, struct err *err)
{
    char have_text[U256_DECIMAL_MAX], need_text[U256_DECIMAL_MAX];
    struct wei have, need, reserved;
    size_t count;

    if (!rpc_balance(s->rpc, s->account, &have, err) || !send_in_flight(s, &count, &reserved, err))
        return false;
    need = wei_sum(cost, reserved);
    if (u256_cmp(have.v, need.v) >= 0)
        return true;
    u256_to_decimal(have.v, have_text);
    u256_to_decimal(need.v, need_text);
    return err_set(err, ERR_AGAIN, "the signer has %s wei; this transaction and %zu in flight may need %s", have_text,
                   count, need_text);
}

struct signing {
    struct settle *settle;
    const struct send_request *request;
    struct tx tx;                              /* owned; its nonce is decided in the writer's task */
    struct transaction_row row;
    struct attempt_row attempt;
    struct wei data_fee;
    uint64_t chain_nonce, own_nonce;           /* the chain's next, and ours: one over the highest row; 0: there is none */
};

static bool sign(struct signing *g, struct err *err)
{
    struct attempt_row *a = &g->attempt;

    buf_reset(&a->raw);
    g->tx.nonce = g->row.nonce;
    a->seq = 1;
    a->gas = g->tx.gas;
    a->max_fee = g->tx.max_fee;
    a->max_priority_fee = g->tx.max_priority_fee;
    a->data_fee = g->data_fee;
    if (!signer_sign_tx(g->settle->signer, &g->tx, &a->raw, &a->hash, err))
        return false;
    return (!a->raw.failed && a->raw.len <= TX_BYTES_MAX)
        || err_set(err, ERR_LIMIT, "a transaction of %zu bytes", a->raw.len);
}

/* Outside of the writer, which a remote signer would keep waiting, and all receipts with it. */
static bool sign_next(struct signing *g, struct err *err)
{
    struct settle *s = g->settle;

    g->row = (struct transaction_row){ .account = s->account, .sequence = g->request->sequence, .state = TX_PREPARED };
    snprintf(g->row.kind, sizeof g->row.kind, "%s", g->request->kind);
    /* Where the chain is ahead of our rows the key was used by hand (as owner, say): we go on behind that.  The
     * contract's sequence and its cumulative amounts keep a payment from being made twice, whoever used the nonces. */
    return store_tx_next_nonce(s->db, s->account, 0, &g->own_nonce, err)
        && store_tx_next_nonce(s->db, s->account, g->chain_nonce, &g->row.nonce, err) && sign(g, err);
}

/* There is no counter that could drift: the nonce is the next one still, or what was signed is thrown away.  What is not
 * stored is never sent. */
static bool store_signed(void *self, struct group *group, struct err *err)
{
    struct signing *g = self;
    uint64_t next;

    if (!store_tx_next_nonce(group->db, g->row.account, g->chain_nonce, &next, err))
        return false;
    if (next != g->row.nonce)
        return err_set(err, ERR_AGAIN, "nonce %" PRIu64 " was taken while it was signed for", g->row.nonce);
    g->row.created_at_ms = g->attempt.created_at_ms = group->now_ms;
    return store_tx_insert(group->db, &g->row, &g->attempt, g->request->set, err);
}

/* Also behind what waits in the pool: a transaction sent by hand a moment ago would take the nonce. */
static bool next_on_chain(struct settle *s, uint64_t *nonce, struct err *err)
{
    uint64_t latest, pending;

    if (!rpc_nonce(s->rpc, s->account, BLOCK_LATEST, &latest, err)
        || !rpc_nonce(s->rpc, s->account, BLOCK_PENDING, &pending, err))
        return false;
    *nonce = pending > latest ? pending : latest;
    return true;
}

static void crash_after(const char *kind, const char *what)
{
    char name[40];

    snprintf(name, sizeof name, "%s-%s", kind, what);
    settle_crash_point(name);
}

/* What is going to be signed but for its nonce, and what it may cost, which funds and ceilings bear. */
static bool prepare(struct signing *g, struct err *err)
{
    struct settle *s = g->settle;
    const struct send_request *request = g->request;
    struct fee fee;
    struct wei cost;

    if (!send_fee(s, &fee, err) || !next_on_chain(s, &g->chain_nonce, err))
        return false;
    g->tx.chain_id = s->config.chain_id;
    g->tx.nonce = g->chain_nonce;
    g->tx.gas = request->gas;
    g->tx.to = s->config.contract;
    fee_put(fee, &g->tx);
    buf_add(&g->tx.data, request->data->data, request->data->len);
    if (!send_data_fee(s, &g->tx, &g->data_fee, err))
        return false;
    cost = fee_cost(g->tx.gas, g->tx.max_fee, g->data_fee);
    return budget_allows(s, request->sequence, 0, cost, err) && check_funds(s, cost, err);
}

bool send_new(struct settle *s, const struct send_request *request, struct err *err)
{
    struct signing g = { .settle = s, .request = request };
    bool ok = false;

    tx_init(&g.tx);
    buf_init(&g.attempt.raw);
    if (!prepare(&g, err) || !sign_next(&g, err) || !writer_do(s->writer, store_signed, &g, err))
        goto out;
    g.attempt.tx = g.row.id;
    if (g.own_nonce != 0 && g.own_nonce < g.row.nonce)
        tell_passed(s, g.own_nonce, g.row.nonce - 1);
    crash_after(request->kind, "stored");
    ok = send_stored(s, &g.row, &g.attempt, err);
    if (ok)
        crash_after(request->kind, "sent");
out:
    tx_clear(&g.tx);
    buf_clear(&g.attempt.raw);
    return ok;
}

struct sending { const struct transaction_row *t; const struct attempt_row *a; const char *answer; };

static bool record_sent(void *self, struct group *group, struct err *err)
{
    struct sending *g = self;

    return store_attempt_sent(group->db, g->a->hash, group->now_ms, g->answer, err)
        && (g->t->state != TX_PREPARED || store_tx_move(group->db, g->t->id, TX_PREPARED, TX_SENT, err));
}

/* Whether what the node said is for a person.  Most is not: the transaction is stored, and follow.c finds out. */
static bool judge_answer(struct settle *s, const struct err *answer, bool is_void, struct err *err)
{
    if (answer->code != ERR_CHAIN)
        return answer->code == ERR_NONE || answer->code == ERR_UNKNOWN
            || err_set(err, answer->code, "%s", answer->text);
    switch (rpc_last_class(s->rpc)) {
    case RPC_UNKNOWN:
    case RPC_KNOWN:
    case RPC_NONCE_USED:                       /* perhaps by this very transaction */
    case RPC_BUMP_NEEDED:
    case RPC_PRICE_LOW:
        return true;
    case RPC_NONCE_AHEAD:
    case RPC_POOL_FULL:
    case RPC_FUNDS:
    case RPC_FEE_CAP:
    case RPC_DOWN:
        return err_set(err, ERR_AGAIN, "%s", answer->text);
    case RPC_BAD_GAS:
    case RPC_MALFORMED:
    case RPC_REVERT:                           /* void.c gives the nonce another content, once */
        return !is_void || err_set(err, ERR_HALT, "%s", answer->text);
    case RPC_DELEGATED:
        return err_set(err, ERR_HALT, "%s", answer->text);
    }
    bug("RPC class %d", (int)rpc_last_class(s->rpc));
}

bool send_stored(struct settle *s, const struct transaction_row *t, const struct attempt_row *a, struct err *err)
{
    struct err answer = { 0 };
    struct sending sending = { t, a, answer.text };
    struct err judged = { 0 };
    bool fine, is_void, again = a->sent_at_ms != 0;

    if (!attempt_is_void(a, t->account, &is_void, err))
        return false;
    if (!rpc_send_raw(s->rpc, &a->raw, a->hash, &answer) && answer.code == ERR_AGAIN)
        return err_set(err, ERR_AGAIN, "%s", answer.text);      /* nobody took it: as if not sent */
    fine = judge_answer(s, &answer, is_void, &judged);
    if (!writer_do(s->writer, record_sent, &sending, err))
        return false;
    log_event(again ? LOG_DEBUG_LEVEL : LOG_NOTICE_LEVEL, again ? "tx_sent_again" : "tx_sent",
              KV_U64("sequence", t->sequence), KV_TEXT("kind", t->kind), KV_HASH("tx", &a->hash.h),
              KV_U64("nonce", t->nonce), KV_TEXT("answer", rpc_send_answers(s->rpc)));
    if (!fine)
        *err = judged;
    return fine;
}
