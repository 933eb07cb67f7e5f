#include "tests/sim/mutations.h"

#include "gateway/settle/parts.h"
#include "store/ledger.h"
#include "store/settler.h"
#include "tests/sim/sim.h"

enum sim_mutation mutation;

static bool timed_out, said_used, scanning;

void mutation_forget(void)
{
    timed_out = said_used = scanning = false;
}

static const struct { const char *name, *text; } rows[MUTATIONS] = {
    { "NONE", "the code as it is" },
#define ROW(name, text) { #name, text },
    SIM_MUTATIONS(ROW)
#undef ROW
};

const char *mutation_name(enum sim_mutation m) { return rows[m].name; }
const char *mutation_text(enum sim_mutation m) { return rows[m].text; }

/* What the linker calls `function` is declared as __real_function, what it calls instead as __wrap_function. */
#define WRAPPED(result, function, ...)              \
    result __real_##function(__VA_ARGS__);          \
    result __wrap_##function(__VA_ARGS__);          \
    result __wrap_##function(__VA_ARGS__)

WRAPPED(bool, rpc_send_raw, struct rpc *rpc, const struct buf *raw, struct tx_hash expected, struct err *err)
{
    bool ok = __real_rpc_send_raw(rpc, raw, expected, err);

    if (!ok && err->code == ERR_UNKNOWN)
        timed_out = true;
    if (!ok && err->code == ERR_CHAIN && rpc_last_class(rpc) == RPC_NONCE_USED)
        said_used = true;
    return ok;
}

WRAPPED(bool, store_tx_insert, struct db *db, struct transaction_row *t, const struct attempt_row *first,
        const struct reward_leaves *set, struct err *err)
{
    struct err ignored = { 0 };

    if (mutation == MUTATION_SEND_BEFORE_STORE)
        (void)!__real_rpc_send_raw(sim_here->at->rpc, &first->raw, first->hash, &ignored);
    return __real_store_tx_insert(db, t, first, set, err);
}

WRAPPED(const struct transaction_row *, transactions_live, const struct settle *s, const struct transactions *txs,
        const char *kind)
{
    const struct transaction_row *live = __real_transactions_live(s, txs, kind);

    if (mutation != MUTATION_NEW_NONCE_ON_TIMEOUT || !timed_out || live == NULL || !transaction_is_unmined(live))
        return live;
    timed_out = false;
    return NULL;
}

static bool was_sent(const struct tx *tx)
{
    for (size_t i = 0; i < sim_here->wire_count; i++)
        if (sim_here->wire[i].key == sim_here->key && sim_here->wire[i].nonce == tx->nonce)
            return true;
    return false;
}

WRAPPED(bool, signer_sign_tx, const struct signer *signer, const struct tx *tx, struct buf *raw, struct tx_hash *hash,
        struct err *err)
{
    struct tx other = *tx;
    bool ok;

    if (mutation != MUTATION_RESEND_OTHER_CONTENT || tx->data.len == 0 || !was_sent(tx))
        return __real_signer_sign_tx(signer, tx, raw, hash, err);
    buf_init(&other.data);
    buf_add(&other.data, tx->data.data, tx->data.len);
    other.data.data[other.data.len - 1] ^= 1;
    ok = __real_signer_sign_tx(signer, &other, raw, hash, err);
    buf_clear(&other.data);
    return ok;
}

WRAPPED(bool, store_attempt_insert, struct db *db, const struct attempt_row *a, struct err *err)
{
    return (mutation == MUTATION_REPLACEMENT_NOT_STORED && a->seq > 1) || __real_store_attempt_insert(db, a, err);
}

static struct wei five_percent_more(struct wei old)
{
    struct wei more;

    return u256_mul_u64(old.v, 21, &more.v) ? (struct wei){ u256_div_u64(more.v, 20, NULL) } : old;
}

WRAPPED(bool, fee_replace, struct fee old, struct fee fresh, struct wei ceiling, struct fee *fee, struct err *err)
{
    if (!__real_fee_replace(old, fresh, ceiling, fee, err))
        return false;
    if (mutation == MUTATION_BUMP_TOO_LOW) {
        fee->max_priority_fee = five_percent_more(old.max_priority_fee);
        fee->max_fee = five_percent_more(old.max_fee);
    }
    return true;
}

WRAPPED(bool, store_tx_next_nonce, struct db *db, struct address account, uint64_t chain_nonce, uint64_t *nonce,
        struct err *err)
{
    if (!__real_store_tx_next_nonce(db, account, chain_nonce, nonce, err))
        return false;
    *nonce += mutation == MUTATION_NONCE_GAP;
    return true;
}

static bool give_up(void *self, struct group *group, struct err *err)
{
    return store_tx_move(group->db, *(const uint64_t *)self, TX_SENT, TX_FOREIGN, err);
}

WRAPPED(bool, look_missing, struct look *l, struct err *err)
{
    bool lost = (mutation == MUTATION_NULL_RECEIPT_IS_LOST && l->watch->sent_ms != 0)
             || (mutation == MUTATION_NONCE_LOW_IS_FOREIGN && said_used);
    uint64_t id = l->t->id;

    if (!lost || l->t->state != TX_SENT)
        return __real_look_missing(l, err);
    said_used = false;
    *l->moved = true;
    return writer_do(l->settle->writer, give_up, &id, err);
}

WRAPPED(bool, store_tx_unmined, struct db *db, uint64_t id, struct err *err)
{
    return mutation == MUTATION_REORG_IGNORED || __real_store_tx_unmined(db, id, err);
}

WRAPPED(bool, store_settlement_committed, struct db *db, const struct settlement_row *s, struct err *err)
{
    struct settlement_row kept;
    bool found = false;

    if (mutation == MUTATION_STALE_HEADER && store_settlement_find(db, s->sequence, &kept, &found, err) && found
        && kept.has_header)
        return true;
    return __real_store_settlement_committed(db, s, err);
}

WRAPPED(bool, confirmed_height, struct settle *s, uint64_t *height, bool *any, struct err *err)
{
    struct block latest;

    if (mutation != MUTATION_CONFIRMATIONS_IGNORED && !(mutation == MUTATION_PAYMENTS_UNCONFIRMED && scanning))
        return __real_confirmed_height(s, height, any, err);
    if (!rpc_block(s->rpc, BLOCK_LATEST, &latest, err))
        return false;
    *height = latest.number;
    *any = true;
    return true;
}

WRAPPED(bool, payments_scan, struct settle *s, bool *moved, struct err *err)
{
    bool ok;

    scanning = true;
    ok = __real_payments_scan(s, moved, err);
    scanning = false;
    return ok;
}

WRAPPED(bool, store_payment_add, struct db *db, const struct payment *p, struct err *err)
{
    struct payment again = *p;

    again.log_index += 1000;
    return __real_store_payment_add(db, p, err)
        && (mutation != MUTATION_PAYMENT_TWICE || __real_store_payment_add(db, &again, err));
}

WRAPPED(bool, store_set_load, struct db *db, uint64_t tx, struct reward_leaves *set, struct err *err)
{
    if (mutation != MUTATION_SET_FORGOTTEN)
        return __real_store_set_load(db, tx, set, err);
    *set = (struct reward_leaves){ 0 };
    return true;
}

WRAPPED(bool, attempt_is_void, const struct attempt_row *a, struct address account, bool *is_void, struct err *err)
{
    if (!__real_attempt_is_void(a, account, is_void, err))
        return false;
    *is_void = *is_void && mutation != MUTATION_VOID_IS_DONE;
    return true;
}

WRAPPED(bool, store_settler_check, struct db *db, uint64_t generation, struct err *err)
{
    return mutation == MUTATION_FENCE_IGNORED || __real_store_settler_check(db, generation, err);
}

WRAPPED(bool, db_commit, struct db *db, struct err *err)
{
    if (__real_db_commit(db, err))
        return true;
    return mutation == MUTATION_COMMIT_GUESSED && err->code == ERR_UNKNOWN && !sim_here->crashed;
}
