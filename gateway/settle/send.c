/* The one way a transaction comes into being: fee, gas and nonce, signed, stored in one task, and only then the first byte
 * leaves (broadcast.c).  Several calls that are ready together share that task: one wait for the disk. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define DATA_FREE_MS UINT64_C(60000)

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

    if (clock_now_ms(s->clock) < s->data_free_until_ms) {
        *fee = (struct wei){ U256_ZERO };
        return true;
    }
    buf_init(&bytes);
    tx_unsigned(tx, &bytes);
    ok = (!bytes.failed || err_set(err, ERR_LIMIT, "the transaction is too large"))
      && rpc_data_fee(s->rpc, &bytes, &now, err);
    if (ok) {
        *fee = wei_sum(now, now);
        if (u256_is_zero(now.v))               /* a chain that has no such fee: not asked for each call */
            s->data_free_until_ms = clock_now_ms(s->clock) + DATA_FREE_MS;
    }
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

/* Between two looks at them only we change what is in flight, so it is summed once. */
static bool know_flight(struct settle *s, struct err *err)
{
    s->flight_known = s->flight_known || store_tx_unmined_cost(s->db, s->account, &s->flight_count, &s->flight_cost, err);
    return s->flight_known;
}

bool send_room(struct settle *s, size_t *room, struct err *err)
{
    size_t window = s->config.in_flight != 0 ? s->config.in_flight : SEND_WINDOW;

    if (!know_flight(s, err))
        return false;
    *room = s->flight_count < window ? window - (size_t)s->flight_count : 0;
    return true;
}

bool send_in_flight(struct settle *s, size_t *count, struct wei *reserved, struct err *err)
{
    if (!know_flight(s, err))
        return false;
    *count = (size_t)s->flight_count;
    *reserved = s->flight_cost;
    return true;
}

/* Told before anything is signed: a node's own words for it come only after the nonce is taken.  What those in flight may
 * take of the balance pools count against the next one, too. */
static bool funds_bear(const struct settle *s, struct wei have, struct wei cost, struct err *err)
{
    char have_text[U256_DECIMAL_MAX], need_text[U256_DECIMAL_MAX];
    struct wei need = wei_sum(cost, s->flight_cost);

    if (u256_cmp(have.v, need.v) >= 0)
        return true;
    u256_to_decimal(have.v, have_text);
    u256_to_decimal(need.v, need_text);
    return err_set(err, ERR_AGAIN, "the signer has %s wei; the next transaction with those ready and %" PRIu64
                   " in flight may need %s", have_text, s->flight_count, need_text);
}

/* One request on its way. */
struct signing {
    struct tx tx;                              /* owned */
    struct transaction_row row;
    struct attempt_row attempt;
};

struct signings {
    struct settle *settle;
    const struct send_request *requests;
    size_t count;                              /* that funds and ceilings let through */
    struct fee fee;
    struct wei cost;                           /* of these, at most */
    uint64_t chain_nonce, own_nonce;           /* the chain's next, and ours: one over the highest row; 0: there is none */
    struct signing list[SEND_GROUP];
};

static bool sign(const struct settle *s, struct signing *g, struct err *err)
{
    struct attempt_row *a = &g->attempt;

    buf_reset(&a->raw);
    g->tx.nonce = g->row.nonce;
    a->seq = 1;
    a->gas = g->tx.gas;
    a->max_fee = g->tx.max_fee;
    a->max_priority_fee = g->tx.max_priority_fee;
    if (!signer_sign_tx(s->signer, &g->tx, &a->raw, &a->hash, err))
        return false;
    return (!a->raw.failed && a->raw.len <= TX_BYTES_MAX)
        || err_set(err, ERR_LIMIT, "a transaction of %zu bytes", a->raw.len);
}

/* Outside of the writer, which a remote signer would keep waiting, and all receipts with it. */
static bool sign_next(struct signings *all, struct err *err)
{
    struct settle *s = all->settle;
    uint64_t next;
    bool ok;

    /* Where the chain is ahead of our rows the key was used by hand (as owner, say): we go on behind that.  The
     * contract's sequence and its cumulative amounts keep a payment from being made twice, whoever used the nonces. */
    ok = store_tx_next_nonce(s->db, s->account, 0, &all->own_nonce, err)
      && store_tx_next_nonce(s->db, s->account, all->chain_nonce, &next, err);
    for (size_t i = 0; ok && i < all->count; i++) {
        const struct send_request *request = &all->requests[i];
        struct signing *g = &all->list[i];

        g->row = (struct transaction_row){ .account = s->account, .nonce = next + i, .sequence = request->sequence,
                                           .state = TX_PREPARED };
        snprintf(g->row.kind, sizeof g->row.kind, "%s", request->kind);
        ok = sign(s, g, err);
    }
    return ok;
}

/* There is no counter that could drift: the nonces are the next ones still, or what was signed is thrown away.  What is not
 * stored is never sent. */
static bool store_signed(void *self, struct group *group, struct err *err)
{
    struct signings *all = self;
    uint64_t next;

    if (!store_tx_next_nonce(group->db, all->settle->account, all->chain_nonce, &next, err))
        return false;
    if (next != all->list[0].row.nonce)
        return err_set(err, ERR_AGAIN, "nonce %" PRIu64 " was taken while it was signed for", all->list[0].row.nonce);
    for (size_t i = 0; i < all->count; i++) {
        struct signing *g = &all->list[i];

        g->row.created_at_ms = g->attempt.created_at_ms = group->now_ms;
        if (!store_tx_insert(group->db, &g->row, &g->attempt, all->requests[i].set, err))
            return false;
        g->attempt.tx = g->row.id;
    }
    return true;
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

/* Lowest nonce first.  What is not sent after an error is stored, and follow.c sends it. */
static bool send_signed(struct signings *all, struct err *err)
{
    struct settle *s = all->settle;
    struct err unwritten = { 0 };
    bool ok = true;

    for (size_t i = 0; ok && i < all->count; i++)
        ok = send_stored_later(s, &all->list[i].row, &all->list[i].attempt, err);
    if (!send_flush(s, &unwritten)) {
        *err = unwritten;
        ok = false;
    }
    return ok;
}

/* What is going to be signed but for its nonce, and what it may cost. */
static bool prepare_one(struct signings *all, size_t at, struct wei *cost, struct err *err)
{
    struct settle *s = all->settle;
    const struct send_request *request = &all->requests[at];
    struct signing *g = &all->list[at];

    g->tx.chain_id = s->config.chain_id;
    g->tx.nonce = all->chain_nonce;
    g->tx.gas = request->gas;
    g->tx.to = s->config.contract;
    fee_put(all->fee, &g->tx);
    buf_add(&g->tx.data, request->data->data, request->data->len);
    if (!send_data_fee(s, &g->tx, &g->attempt.data_fee, err))
        return false;
    *cost = fee_cost(g->tx.gas, g->tx.max_fee, g->attempt.data_fee);
    return true;
}

/* As many as funds and ceilings let through, in order; `held` says what stopped the others.  All are of one settlement. */
static bool prepare(struct signings *all, size_t count, struct err *held, struct err *err)
{
    struct settle *s = all->settle;
    struct wei have;

    if (!send_fee(s, &all->fee, err) || !next_on_chain(s, &all->chain_nonce, err)
        || !rpc_balance(s->rpc, s->account, &have, err) || !know_flight(s, err))
        return false;
    for (all->count = 0; all->count < count; all->count++) {
        struct wei cost, sum;

        if (!prepare_one(all, all->count, &cost, err))
            return false;
        sum = wei_sum(all->cost, cost);
        if (!budget_bears(s, all->requests[0].sequence, sum, held) || !funds_bear(s, have, sum, held))
            break;
        all->cost = sum;
    }
    if (all->count == 0)
        *err = *held;
    return all->count > 0;
}

static bool send_prepared(struct signings *all, struct err *err)
{
    struct settle *s = all->settle;
    const char *kind = all->requests[0].kind;
    uint64_t first;

    if (!sign_next(all, err) || !settle_do(s, store_signed, all, err))
        return false;
    s->flight_count += all->count;
    s->flight_cost = wei_sum(s->flight_cost, all->cost);
    budget_add(s, all->cost);
    first = all->list[0].row.nonce;
    if (all->own_nonce != 0 && all->own_nonce < first)
        tell_passed(s, all->own_nonce, first - 1);
    crash_after(kind, "stored");
    if (!send_signed(all, err))
        return false;
    crash_after(kind, "sent");
    return true;
}

bool send_new(struct settle *s, const struct send_request *requests, size_t count, struct err *err)
{
    struct signings all = { .settle = s, .requests = requests };
    struct err held = { 0 };
    bool ok;

    assert(count > 0 && count <= SEND_GROUP);
    for (size_t i = 0; i < count; i++) {
        tx_init(&all.list[i].tx);
        buf_init(&all.list[i].attempt.raw);
    }
    ok = prepare(&all, count, &held, err) && send_prepared(&all, err);
    if (ok && all.count < count) {
        *err = held;                           /* the others are for when funds and ceilings allow */
        ok = false;
    } else if (!ok && all.count > 0 && hold_taken(s)) {
        s->report.waits = WAITS_NOT;           /* what was let through failed: that is told, not the ceiling */
    }
    for (size_t i = 0; i < count; i++) {
        tx_clear(&all.list[i].tx);
        buf_clear(&all.list[i].attempt.raw);
    }
    return ok;
}
