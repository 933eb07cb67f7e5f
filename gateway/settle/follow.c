/* What became of open transactions, asked from the chain.
 *
 *   prepared -> sent -> mined -> final      a receipt of any attempt, in a block that is confirmed
 *                  <-                       its block is gone: a reorg; the same bytes are sent again
 *   mined -> reverted, sent -> foreign      a person must look
 *
 * A missing receipt is no evidence: it moves nothing by itself. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#include <inttypes.h>

#define RESEND_MS 5000u            /* the same bytes again while not mined: pools forget */
#define USED_LOOKS 8u              /* balanced endpoints may lag behind each other */
#define USED_LOOK_MS 1000u

/* One transaction during one look. */
struct look {
    struct settle *settle;
    const struct transaction_row *t;
    struct attempts attempts;
    struct watch *watch;
    uint64_t latest;               /* chain height */
    bool *moved;
};

static struct watch *watch_of(struct settle *s, uint64_t tx, uint64_t latest)
{
    struct watch *w;

    for (size_t i = 0; i < s->watch_count; i++)
        if (s->watches[i].tx == tx)
            return &s->watches[i];
    s->watches = mem_grow(s->watches, s->watch_count + 1, sizeof *s->watches);
    w = &s->watches[s->watch_count++];
    *w = (struct watch){ .tx = tx, .since_block = latest };
    return w;
}

static void watch_drop(struct settle *s, uint64_t tx)
{
    for (size_t i = 0; i < s->watch_count; i++)
        if (s->watches[i].tx == tx)
            s->watches[i] = s->watches[--s->watch_count];
}

/* Receipts of all attempts, newest first: any of them may be the one that was mined. */
static bool find_receipt(struct look *l, struct tx_receipt *receipt, struct tx_hash *hash, struct err *err)
{
    for (size_t i = l->attempts.count; i-- > 0;) {
        *hash = l->attempts.list[i].hash;
        if (!rpc_tx_receipt(l->settle->rpc, *hash, receipt, err))
            return false;
        if (receipt->found)
            return true;
    }
    return true;
}

static bool record_mined(void *self, struct group *group, struct err *err)
{
    const struct transaction_row *t = self;

    /* Sent by a process that did not live to say so. */
    if (t->state == TX_PREPARED && !store_tx_move(group->db, t->id, TX_PREPARED, TX_SENT, err))
        return false;
    return (t->state != TX_MINED || store_tx_unmined(group->db, t->id, err)) && store_tx_mined(group->db, t, err);
}

static bool note_mined(struct look *l, const struct tx_receipt *receipt, struct tx_hash hash, struct err *err)
{
    struct settle *s = l->settle;
    struct transaction_row row = *l->t;

    if (!address_eq(receipt->from, s->account) || !address_eq(receipt->to, s->config.contract))
        return err_set(err, ERR_HALT, "the receipt of a %s transaction is that of another call", row.kind);
    row.block = receipt->block;
    row.block_hash = receipt->block_hash;
    row.mined = hash;
    row.gas_used = receipt->gas_used;
    row.gas_price = receipt->effective_gas_price;
    if (!writer_do(s->writer, record_mined, &row, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "tx_mined", KV_U64("sequence", row.sequence), KV_TEXT("kind", row.kind),
              KV_HASH("tx", &hash.h),
              KV_U64("nonce", row.nonce), KV_U64("block", row.block), KV_U64("gas", row.gas_used));
    outcome_note(s, &row, receipt);
    if (strcmp(row.kind, "distribute") == 0)
        settle_crash_point("distribute-mined");
    *l->moved = true;
    return true;
}

struct tx_change { uint64_t id; enum tx_state from, to; };

static bool change_tx(void *self, struct group *group, struct err *err)
{
    const struct tx_change *c = self;

    return store_tx_move(group->db, c->id, c->from, c->to, err);
}

static bool reverted(struct look *l, struct err *err)
{
    struct settle *s = l->settle;
    const struct attempt_row *last = &l->attempts.list[l->attempts.count - 1];
    struct err why = { 0 };
    struct signature ignored;
    struct tx tx;
    uint64_t gas;

    /* The chain keeps no reason: asked again, the contract usually still gives the same. */
    tx_init(&tx);
    if (!tx_decode(last->raw.data, last->raw.len, &tx, &ignored, err)) {
        tx_clear(&tx);
        return false;
    }
    if (send_estimate(s, &tx.data, &gas, &why))
        err_set(&why, ERR_CHAIN, "the reason is gone");
    tx_clear(&tx);
    return err_set(err, ERR_HALT, "the %s transaction of settlement %" PRIu64 " was reverted: %.200s", l->t->kind,
                   l->t->sequence, why.text);
}

/* Mined, and still where it was: final once its block is confirmed and is the chain's at that height. */
static bool look_final(struct look *l, const struct tx_receipt *receipt, struct err *err)
{
    struct settle *s = l->settle;
    struct tx_change change = { l->t->id, TX_MINED, receipt->success ? TX_FINAL : TX_REVERTED };
    struct block block;
    uint64_t height;
    bool any;

    if (!confirmed_height(s, &height, &any, err))
        return false;
    if (!any || receipt->block > height)
        return true;
    if (!rpc_block_at(s->rpc, receipt->block, &block, err))
        return false;
    if (!hash_eq(block.hash, receipt->block_hash))
        return true;                           /* a receipt from a side chain: looked at again */
    if (!writer_do(s->writer, change_tx, &change, err))
        return false;
    watch_drop(s, l->t->id);
    *l->moved = true;
    return receipt->success || reverted(l, err);
}

static bool look_found(struct look *l, const struct tx_receipt *receipt, struct tx_hash hash, struct err *err)
{
    if (l->t->state == TX_MINED && hash_eq(l->t->block_hash, receipt->block_hash))
        return look_final(l, receipt, err);
    return note_mined(l, receipt, hash, err);
}

static bool record_unmined(void *self, struct group *group, struct err *err)
{
    return store_tx_unmined(group->db, *(const uint64_t *)self, err);
}

/* It was mined and its receipt is gone.  Back to sent only where its block is gone too. */
static bool look_reorg(struct look *l, struct err *err)
{
    struct settle *s = l->settle;
    uint64_t id = l->t->id;
    struct block block;

    if (rpc_block_at(s->rpc, l->t->block, &block, err)) {
        if (hash_eq(block.hash, l->t->block_hash))
            return true;
    } else if (err->code != ERR_NOT_FOUND) {
        return false;
    }
    if (!writer_do(s->writer, record_unmined, &id, err))
        return false;
    log_event(LOG_WARN_LEVEL, "tx_unmined", KV_U64("sequence", l->t->sequence), KV_TEXT("kind", l->t->kind),
              KV_U64("nonce", l->t->nonce));
    *l->moved = true;
    return true;
}

/* True in *foreign when the nonce was used, again and again none of our attempts has a receipt, and that is final. */
static bool look_foreign(struct look *l, bool *foreign, struct err *err)
{
    struct settle *s = l->settle;
    struct watch *w = l->watch;
    uint64_t now_ms = clock_now_ms(s->clock), used;

    *foreign = false;
    if (now_ms - w->used_look_ms < USED_LOOK_MS)
        return true;
    w->used_look_ms = now_ms;
    if (!rpc_nonce(s->rpc, s->account, BLOCK_LATEST, &used, err))
        return false;
    w->used_looks = used > l->t->nonce ? w->used_looks + 1 : 0;
    if (w->used_looks < USED_LOOKS)
        return true;
    if (s->config.confirmations == 0 && !rpc_nonce(s->rpc, s->account, BLOCK_FINALIZED, &used, err))
        return false;
    *foreign = used > l->t->nonce;
    return true;
}

static bool halt_foreign(struct look *l, struct err *err)
{
    /* Only a sent one may become foreign; the move says that it left, as it must have. */
    struct tx_change sent = { l->t->id, TX_PREPARED, TX_SENT }, foreign = { l->t->id, TX_SENT, TX_FOREIGN };

    if ((l->t->state == TX_PREPARED && !writer_do(l->settle->writer, change_tx, &sent, err))
        || !writer_do(l->settle->writer, change_tx, &foreign, err))
        return false;
    watch_drop(l->settle, l->t->id);
    return err_set(err, ERR_HALT,
                   "nonce %" PRIu64 " of the signer was used by somebody else: is the key in use elsewhere?",
                   l->t->nonce);
}

static bool look_missing(struct look *l, struct err *err)
{
    struct settle *s = l->settle;
    const struct attempt_row *newest = &l->attempts.list[l->attempts.count - 1];
    uint64_t now_ms = clock_now_ms(s->clock);
    bool foreign;

    if (l->t->state == TX_MINED)
        return look_reorg(l, err);
    if (!look_foreign(l, &foreign, err))
        return false;
    if (foreign)
        return halt_foreign(l, err);
    if (l->watch->used_looks > 0)
        return true;                           /* used, perhaps by us: nothing to send */
    if (l->t->state == TX_SENT && !replace_when_low(s, l->t, newest, l->watch, l->latest, l->moved, err))
        return false;
    if (l->t->state == TX_SENT && now_ms < l->watch->sent_ms + RESEND_MS)
        return true;
    *l->moved = *l->moved || l->t->state == TX_PREPARED;
    l->watch->sent_ms = now_ms;
    return send_stored(s, l->t, newest, err);
}

static bool look_at(struct settle *s, const struct transaction_row *t, uint64_t latest, bool *moved, struct err *err)
{
    struct look l = { .settle = s, .t = t, .watch = watch_of(s, t->id, latest), .latest = latest, .moved = moved };
    struct tx_receipt receipt = { 0 };
    struct tx_hash hash;
    bool ok;

    if (!attempts_of(s, t->id, &l.attempts, err))
        return false;
    ok = find_receipt(&l, &receipt, &hash, err);
    if (ok)
        ok = receipt.found ? look_found(&l, &receipt, hash, err) : look_missing(&l, err);
    logs_clear(&receipt.logs);
    attempts_clear(&l.attempts);
    return ok;
}

bool follow_transactions(struct settle *s, bool *moved, struct err *err)
{
    struct transactions open;
    struct block latest;
    bool ok;

    if (!transactions_open(s, &open, err))
        return false;
    ok = open.count == 0 || rpc_block(s->rpc, BLOCK_LATEST, &latest, err);
    for (size_t i = 0; ok && i < open.count; i++)
        ok = look_at(s, &open.list[i], latest.number, moved, err);
    transactions_clear(&open);
    return ok;
}
