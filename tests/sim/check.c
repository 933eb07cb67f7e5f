/* During a life: what leaves the process, and what its store says, against the chain as it is. */
#include "tests/sim/check.h"

#include "gateway/base/mem.h"
#include "gateway/lib/keccak.h"
#include "gateway/settle/parts.h"
#include "store/meta.h"
#include "store/wei.h"

#define WAS_MINED 0x80                 /* in tx_states, beside the state */

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("the checks' own reader: %s", err->text);
}

/* The one number a statement gives; it must be prepared and bound. */
static uint64_t one_number(struct stmt *st)
{
    struct err err = { 0 };
    uint64_t v = 0;
    bool row;

    must(stmt_step(st, &row, &err), &err);
    if (row)
        v = stmt_u64(st);
    stmt_end(st);
    return v;
}

/* -- what leaves -- */

static void check_stored(struct sim *s, const struct sim_tx *t)
{
    struct err err = { 0 };
    struct stmt st;

    must(db_prepare(s->look, "SELECT COUNT(*) FROM attempts WHERE hash = ?", &st, &err), &err);
    stmt_bind_hash(&st, &t->hash.h);
    if (one_number(&st) != 1)
        sim_fail(s, "bytes were sent that are not in the store (nonce %llu)", (unsigned long long)t->nonce);
}

static struct hash content_of(const struct sim_tx *t)
{
    struct keccak k;

    keccak_init(&k);
    keccak_update(&k, t->to.b, sizeof t->to.b);
    keccak_update(&k, t->data.data, t->data.len);
    return keccak_final(&k);
}

/* The row is read after the COMMIT: nobody else has written since, as all is one thread.  A group none of whose tasks succeeded has
 * no number. */
void check_settler(struct sim *s)
{
    uint64_t before = s->group_seen;
    struct err err = { 0 };
    struct stmt st;

    must(store_meta_get(s->look, "group", &s->group_seen, &err), &err);
    if (!s->at->settling || s->ticking || s->group_seen == before)
        return;
    must(db_prepare(s->look, "SELECT generation FROM settler", &st, &err), &err);
    if (one_number(&st) != s->at->settle->generation)
        sim_fail(s, "gateway %u wrote as a settler, which it is no more", sim_number(s) + 1);
}

static bool is_raised(uint64_t old, uint64_t fresh)
{
    return (u128)fresh * 100 >= (u128)old * 110;
}

/* Above the ceiling nothing more can be offered: a void then goes at the market, as no node holds what it replaces. */
static bool is_at_ceiling(const struct sim *s, uint64_t max_fee)
{
    struct u256 raised;

    return u256_mul_u64(u256_from_u64(max_fee), 9, &raised)
        && u256_cmp(u256_div_u64(raised, 8, NULL), s->config.max_fee.v) >= 0;
}

/* Attempts of one nonce do the same, but that a void may take the place of what no node took; and each newer one offers
 * as much more as pools ask for. */
static void check_after(struct sim *s, const struct wire_slot *before, const struct sim_tx *t)
{
    bool is_void = t->data.len == 0 && address_eq(t->to, t->from);

    if (!is_void && !hash_eq(before->content, content_of(t)))
        sim_fail(s, "nonce %llu was sent with two contents", (unsigned long long)t->nonce);
    if (!(is_void && is_at_ceiling(s, before->max_fee))
        && (!is_raised(before->max_fee, t->max_fee) || !is_raised(before->tip, t->tip)))
        sim_fail(s, "nonce %llu was replaced with less than 10 %% more", (unsigned long long)t->nonce);
}

static void check_content(struct sim *s, const struct sim_tx *t)
{
    for (size_t i = 0; i < s->wire_count; i++)
        if (hash_eq(s->wire[i].hash, t->hash.h))
            return;                                /* the same bytes again */
    for (size_t i = 0; i < s->wire_count; i++)
        if (s->wire[i].key == t->key && s->wire[i].nonce == t->nonce)
            check_after(s, &s->wire[i], t);
    s->wire = mem_grow(s->wire, s->wire_count + 1, sizeof *s->wire);
    s->wire[s->wire_count++] = (struct wire_slot){ t->key, t->nonce, content_of(t), t->hash.h, t->max_fee, t->tip };
}

void check_sent(struct sim *s, const struct sim_tx *t)
{
    struct u256 fee = u256_from_u64(t->max_fee);

    sim_say(s, "  sends %02x%02x key %u nonce %llu, %zu bytes of data, max fee %llu", t->hash.h.b[0], t->hash.h.b[1],
            t->key, (unsigned long long)t->nonce, t->data.len, (unsigned long long)t->max_fee);
    check_stored(s, t);
    check_content(s, t);
    if (u256_cmp(fee, s->config.max_fee.v) > 0)
        sim_fail(s, "a fee above the ceiling");
    if (t->gas > SIM_GAS_CAP)
        sim_fail(s, "more gas than a transaction may have");
}

/* -- what the store says -- */

struct tx_now {
    uint64_t id, nonce, block;
    enum tx_state state;
    struct address account;
    struct hash block_hash;
    struct tx_hash mined;
};

static bool is_canonical(const struct sim *s, const struct tx_now *t, const struct mined **m)
{
    const struct block_ *b;

    *m = chain_find(&s->chain, s->chain.head, t->mined, &b);
    return *m != NULL && b->number == t->block && hash_eq(b->hash, t->block_hash);
}

/* Final in the store: mined in a block that nothing may replace, and with this end. */
static void check_final(struct sim *s, const struct tx_now *t)
{
    const struct mined *m = NULL;
    bool is_void;

    if (!is_canonical(s, t, &m) || t->block > world_final_height(s)) {
        sim_fail(s, "transaction %llu is %s at block %llu: not there, or not final", (unsigned long long)t->id,
                 tx_state_name(t->state), (unsigned long long)t->block);
        return;
    }
    is_void = s->chain.txs[m->tx].data.len == 0;
    if ((t->state == TX_VOID) != is_void || (!is_void && m->success != (t->state == TX_FINAL)))
        sim_fail(s, "transaction %llu is %s, and the chain says otherwise", (unsigned long long)t->id,
                 tx_state_name(t->state));
}

/* Given up: another transaction has its nonce, for good. */
static void check_foreign(struct sim *s, const struct tx_now *t)
{
    const struct chain *c = &s->chain;
    const struct block_ *b = chain_at(c, c->head, world_final_height(s));

    for (unsigned k = 0; k < SIM_KEYS; k++)
        if (address_eq(c->keys[k], t->account) && chain_state(c, b)->nonce[k] <= t->nonce)
            sim_fail(s, "nonce %llu was given up and is not used for good", (unsigned long long)t->nonce);
}

/* A new nonce stands directly behind one that somebody uses. */
static void check_dense(struct sim *s, const struct tx_now *t)
{
    const struct chain *c = &s->chain;
    struct err err = { 0 };
    struct stmt st;
    unsigned key = address_eq(t->account, c->keys[0]) ? 0 : 1;

    if (t->nonce == c->states[0].nonce[key])
        return;
    for (size_t i = 0; i < c->tx_count; i++)
        if (c->txs[i].key == key && c->txs[i].nonce + 1 == t->nonce)
            return;
    must(db_prepare(s->look, "SELECT COUNT(*) FROM transactions WHERE account = ? AND nonce = ?", &st, &err), &err);
    stmt_bind_address(&st, &t->account);
    stmt_bind_u64(&st, t->nonce - 1);
    if (one_number(&st) != 1)
        sim_fail(s, "nonce %llu was given out, the one before is nobody's", (unsigned long long)t->nonce);
}

static void check_move(struct sim *s, const struct tx_now *t)
{
    enum tx_state before;

    if (t->id >= s->tx_state_count) {
        s->tx_states = mem_grow(s->tx_states, t->id + 1, sizeof *s->tx_states);
        memset(s->tx_states + s->tx_state_count, 0, t->id + 1 - s->tx_state_count);
        s->tx_state_count = t->id + 1;
    }
    before = (enum tx_state)(s->tx_states[t->id] & ~WAS_MINED);
    if (before == t->state)
        return;
    s->tx_states[t->id] = (uint8_t)(t->state | (before == TX_MINED ? WAS_MINED : s->tx_states[t->id] & WAS_MINED));
    sim_say(s, "transaction %llu, nonce %llu: %s", (unsigned long long)t->id, (unsigned long long)t->nonce,
            tx_state_name(t->state));
    if (before == 0)
        check_dense(s, t);
    if (before == TX_FINAL || before == TX_REVERTED || before == TX_VOID)
        sim_fail(s, "transaction %llu was final and moved", (unsigned long long)t->id);
    if (t->state == TX_FINAL || t->state == TX_REVERTED || t->state == TX_VOID)
        check_final(s, t);
    if (t->state == TX_FOREIGN)
        check_foreign(s, t);
}

static void check_transactions(struct sim *s)
{
    struct err err = { 0 };
    struct stmt st;
    bool row;

    must(db_prepare(s->look, "SELECT id, account, nonce, state, block, block_hash, mined FROM transactions ORDER BY id",
                    &st, &err), &err);
    for (;;) {
        struct tx_now t;

        must(stmt_step(&st, &row, &err), &err);
        if (!row)
            break;
        t.id = stmt_u64(&st);
        t.account = stmt_address(&st);
        t.nonce = stmt_u64(&st);
        t.state = (enum tx_state)stmt_enum(&st, TX_PREPARED, TX_STATES - 1);
        t.block = stmt_u64(&st);
        t.block_hash = stmt_hash(&st);
        t.mined.h = stmt_hash(&st);
        check_move(s, &t);
    }
}

/* The same work under two nonces, neither of which is known to have failed.  A rotated key's may be left behind, and where the
 * mined attempt of one is its void (21 000 gas: a transfer) it did nothing, whatever its state says until that is final. */
static void check_work_once(struct sim *s)
{
    struct err err = { 0 };
    struct stmt st;

    must(db_prepare(s->look, "SELECT COUNT(*) FROM (SELECT 1 FROM transactions WHERE kind = 'commit' AND state IN (1, 2, 3, 4)"
                             " AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.hash = transactions.mined AND a.gas = 21000)"
                             " GROUP BY account, sequence HAVING COUNT(*) > 1) AS twice", &st, &err), &err);
    if (one_number(&st) != 0)
        sim_fail(s, "a settlement is committed under two nonces");
    must(db_prepare(s->look, "SELECT COUNT(*) FROM (SELECT 1 FROM set_accounts a JOIN transactions t ON t.id = a.tx"
                             " WHERE t.state IN (1, 2, 3) GROUP BY t.account, t.sequence, a.account HAVING COUNT(*) > 1) AS twice",
                    &st, &err), &err);
    if (one_number(&st) != 0)
        sim_fail(s, "an account is in two calls that are under way");
}

/* What a reorg made unmined was let go of in its time, and a void that fills a gap comes on top: without it nothing
 * behind it would ever be mined. */
static void check_window(struct sim *s)
{
    uint64_t most = s->plan.in_flight != 0 ? s->plan.in_flight : 16, open = 0;
    struct err err = { 0 };
    struct stmt st;
    bool row;

    must(db_prepare(s->look, "SELECT id FROM transactions WHERE state IN (1, 2) AND kind <> 'void' AND account = ?", &st,
                    &err), &err);
    stmt_bind_address(&st, &s->chain.keys[s->key]);
    for (;;) {
        must(stmt_step(&st, &row, &err), &err);
        if (!row)
            break;
        open += (s->tx_states[stmt_u64(&st)] & WAS_MINED) == 0;
    }
    if (open > most)
        sim_fail(s, "more transactions in flight than the window");
}

/* Every payment in the books is a Transfer in a final block. */
static bool is_paid_on_chain(const struct sim *s, uint64_t block, uint64_t index, struct address account,
                             struct amount amount, struct hash tx)
{
    const struct chain *c = &s->chain;
    const struct block_ *b = chain_at(c, c->head, block);
    uint8_t word[32];

    if (b == NULL || block > world_final_height(s) || index >= b->log_count)
        return false;
    u256_to_be(amount.base_units, word);
    for (size_t i = 0; i < b->mined_count; i++)
        if (hash_eq(c->txs[b->mined[i].tx].hash.h, tx) && index >= b->mined[i].first_log
            && index < b->mined[i].first_log + b->mined[i].log_count)
            return address_eq(b->logs[index].address, c->token)
                && memcmp(b->logs[index].topics[2].b + 12, account.b, sizeof account.b) == 0
                && memcmp(b->logs[index].data, word, sizeof word) == 0;
    return false;
}

static void check_payments(struct sim *s)
{
    struct err err = { 0 };
    struct stmt st;
    bool row;
    uint64_t count;

    must(db_prepare(s->look, "SELECT COUNT(*) FROM payments", &st, &err), &err);
    count = one_number(&st);
    if (count == s->payments_seen)
        return;
    s->payments_seen = count;
    must(db_prepare(s->look, "SELECT block, log_index, account, amount, tx FROM payments", &st, &err), &err);
    for (;;) {
        struct address account;
        struct amount amount;
        uint64_t block, index;
        struct hash tx;

        must(stmt_step(&st, &row, &err), &err);
        if (!row)
            break;
        block = stmt_u64(&st);
        index = stmt_u64(&st);
        account = stmt_address(&st);
        amount = stmt_amount(&st);
        tx = stmt_hash(&st);
        if (!is_paid_on_chain(s, block, index, account, amount, tx))
            sim_fail(s, "a payment in the books is in no final block (block %llu, log %llu)", (unsigned long long)block,
                     (unsigned long long)index);
    }
}

void check_look(struct sim *s)
{
    check_transactions(s);
    check_work_once(s);
    check_window(s);
    check_payments(s);
}

bool check_cancelled(struct sim *s, uint64_t *sequence)
{
    struct err err = { 0 };
    struct stmt st;

    must(db_prepare(s->look, "SELECT MAX(s.sequence) FROM settlements s JOIN batches b ON b.number = s.batch"
                             " WHERE b.state = ?", &st, &err), &err);
    stmt_bind_int(&st, BATCH_CANCELLED);
    *sequence = one_number(&st);
    return *sequence != 0;
}

bool check_is_idle(struct sim *s)
{
    struct err err = { 0 };
    struct stmt st;

    must(db_prepare(s->look, "SELECT COUNT(*) FROM batches WHERE (state <> ? AND state <> ?) OR (state = ? AND receipts > 0)",
                    &st, &err), &err);
    stmt_bind_int(&st, BATCH_FINAL);
    stmt_bind_int(&st, BATCH_OPEN);
    stmt_bind_int(&st, BATCH_OPEN);
    return one_number(&st) == 0;
}
