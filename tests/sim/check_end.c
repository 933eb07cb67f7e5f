/* At the end of a life: who was owed what, who got what, and whether books and chain say the same. */
#include "tests/sim/check.h"

#include "store/ledger.h"

static void must(bool ok, const struct err *err)
{
    if (!ok)
        bug("the checks' own reader: %s", err->text);
}

static uint64_t small(struct amount a)
{
    uint64_t v = 0;

    return u256_to_u64(a.base_units, &v) ? v : UINT64_MAX;
}

/* -- what was earned, from the postings -- */

struct owed { const struct chain *chain; uint64_t to[SIM_PEOPLE]; };

static bool add_credit(void *self, const struct posting *p, struct err *err)
{
    struct owed *owed = self;
    unsigned who = chain_person(owed->chain, p->share.account);

    if (!role_is_credit(p->share.role))
        return true;
    if (who == SIM_PEOPLE)
        return err_set(err, ERR_BUG, "a posting for a stranger");
    owed->to[who] += small(p->share.amount);
    return true;
}

static void add_owed(struct sim *s, struct owed *owed)
{
    struct batch_row batch;
    struct err err = { 0 };
    bool found = true;

    for (uint64_t n = 1; found; n++) {
        must(store_batch_find(s->look, n, &batch, &found, &err), &err);
        if (!found)
            break;
        if (batch.state != BATCH_FINAL && batch.state != BATCH_OPEN)
            sim_fail(s, "batch %llu is %s at the end", (unsigned long long)n, batch_state_name(batch.state));
        must(store_postings_of_batch(s->look, n, add_credit, owed, &err), &err);
    }
}

static bool is_due(const struct sim *s, unsigned who, uint64_t owed)
{
    uint64_t held = chain_head_state(&s->chain)->held[who];

    return held < owed && owed - held >= (s->plan.minimum > 0 ? s->plan.minimum : 1);
}

bool check_is_any_due(struct sim *s)
{
    struct owed owed = { .chain = &s->chain };
    bool any = false;

    add_owed(s, &owed);
    for (unsigned i = 0; i < SIM_PEOPLE; i++)
        any = any || is_due(s, i, owed.to[i]);
    return any;
}

static bool add_paid(void *self, const struct payment *p, struct err *err)
{
    (void)err;
    *(uint64_t *)self += small(p->amount);
    return true;
}

static void check_person(struct sim *s, unsigned who, uint64_t owed)
{
    const struct state *st = chain_head_state(&s->chain);
    struct err err = { 0 };
    uint64_t booked = 0;

    must(store_payments_of_account(s->look, s->chain.people[who], add_paid, &booked, &err), &err);
    if (st->held[who] > owed)
        sim_fail(s, "person %u was paid %llu and earned %llu", who, (unsigned long long)st->held[who],
                 (unsigned long long)owed);
    if (st->held[who] != st->claimed[who])
        sim_fail(s, "person %u has another sum than it claimed", who);
    if (is_due(s, who, owed))
        sim_fail(s, "person %u was paid %llu of %llu", who, (unsigned long long)st->held[who], (unsigned long long)owed);
    if (booked != st->held[who])
        sim_fail(s, "the books say person %u was paid %llu, the chain %llu", who, (unsigned long long)booked,
                 (unsigned long long)st->held[who]);
}

/* -- numbers -- */

static bool check_header(void *self, const struct settlement_row *row, struct err *err)
{
    struct sim *s = self;
    const struct state *st = chain_head_state(&s->chain);
    struct hash want = row->state == BATCH_CANCELLED ? header_cancelled(row->header) : row->header;

    (void)err;
    if (row->sequence > st->sequence || !row->has_header || !hash_eq(want, st->header[row->sequence]))
        sim_fail(s, "header %llu is not the contract's", (unsigned long long)row->sequence);
    return true;
}

/* Every nonce up to the last of ours was used on the chain: none was skipped, none is left open. */
static void check_nonces(struct sim *s)
{
    const struct state *st = chain_head_state(&s->chain);
    struct err err = { 0 };
    bool row;

    for (unsigned k = 0; k < SIM_KEYS; k++) {
        struct stmt st_;
        uint64_t next;

        must(db_prepare(s->look, "SELECT COALESCE(MAX(nonce) + 1, 0) FROM transactions WHERE account = ?", &st_, &err), &err);
        stmt_bind_address(&st_, &s->chain.keys[k]);
        must(stmt_step(&st_, &row, &err), &err);
        next = stmt_u64(&st_);
        stmt_end(&st_);
        /* What an old key left in no pool stays open: nobody can sign for it any more. */
        if (next > st->nonce[k] && k == s->key)
            sim_fail(s, "nonces up to %llu were given out, the chain is at %llu", (unsigned long long)next,
                     (unsigned long long)st->nonce[k]);
    }
}

static bool in_store(struct sim *s, unsigned key, uint64_t nonce)
{
    struct transaction_row t;
    struct err err = { 0 };
    bool found;

    must(store_tx_at(s->look, s->chain.keys[key], nonce, &t, &found, &err), &err);
    return found;
}

/* A nonce on the chain is a row of ours, or was used by somebody else: ours without a row would be a lost record. */
static void check_rows(struct sim *s)
{
    const struct chain *c = &s->chain;

    for (const struct block_ *b = &c->blocks[c->head]; b->number > SIM_DEPLOY_BLOCK; b = &c->blocks[b->parent])
        for (size_t i = 0; i < b->mined_count; i++) {
            const struct sim_tx *t = &c->txs[b->mined[i].tx];

            if (t->key != SIM_STRANGER && t->bytes > 0 && !in_store(s, t->key, t->nonce))
                sim_fail(s, "nonce %llu of ours is on the chain and not in the store", (unsigned long long)t->nonce);
        }
}

void check_end(struct sim *s)
{
    struct owed owed = { .chain = &s->chain };
    struct err err = { 0 };

    add_owed(s, &owed);
    for (unsigned i = 0; i < SIM_PEOPLE && !s->failed; i++)
        check_person(s, i, owed.to[i]);
    must(store_settlements(s->look, 0, SIM_SEQUENCES, check_header, s, &err), &err);
    check_nonces(s);
    check_rows(s);
}
