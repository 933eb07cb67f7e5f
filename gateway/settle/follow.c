/* What became of open transactions, asked from the chain.
 *
 *   prepared -> sent -> mined -> final      a receipt of any attempt, in a block that is confirmed
 *                  <-                       its block is gone: a reorg; the same bytes are sent again (missing.c)
 *   mined -> reverted | void                final too, and without its work done: the stage tries anew at another nonce
 *   sent -> foreign                         the nonce was used by somebody else, and that is final (missing.c)
 *   foreign -> mined                        its receipt turned up after all
 *
 * A missing receipt is no evidence: it moves nothing by itself. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* Where its watch is, or belongs. */
static size_t watch_place(const struct settle *s, uint64_t tx)
{
    size_t low = 0, high = s->watch_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->watches[middle].tx < tx)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Borrowed until the next is made. */
static struct watch *watch_of(struct settle *s, uint64_t tx, uint64_t latest)
{
    size_t at = watch_place(s, tx);

    if (at == s->watch_count || s->watches[at].tx != tx) {
        s->watches = mem_grow(s->watches, s->watch_count + 1, sizeof *s->watches);
        memmove(s->watches + at + 1, s->watches + at, (s->watch_count++ - at) * sizeof *s->watches);
        s->watches[at] = (struct watch){ .tx = tx, .since_block = latest };
    }
    return &s->watches[at];
}

void watch_drop(struct settle *s, uint64_t tx)
{
    size_t at = watch_place(s, tx);

    if (at < s->watch_count && s->watches[at].tx == tx)
        memmove(s->watches + at, s->watches + at + 1, (--s->watch_count - at) * sizeof *s->watches);
}

/* Receipts of all attempts, newest first: any of them may be the one that was mined.  *which: NULL for none. */
static bool find_receipt(struct look *l, const struct attempt_row **which, struct err *err)
{
    *which = NULL;
    for (size_t i = l->attempts.count; i-- > 0;) {
        if (!l->has_receipt && !rpc_tx_receipt(l->settle->rpc, l->attempts.list[i].hash, &l->receipt, err))
            return false;
        l->has_receipt = false;
        if (l->receipt.found) {
            *which = &l->attempts.list[i];
            return true;
        }
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

static bool note_mined(struct look *l, const struct tx_receipt *receipt, const struct attempt_row *a, bool is_void,
                       struct err *err)
{
    struct settle *s = l->settle;
    struct transaction_row row = *l->t;

    if (!address_eq(receipt->from, row.account)
        || !address_eq(receipt->to, is_void ? row.account : s->config.contract))
        return err_set(err, ERR_HALT, "the receipt of a %s transaction is that of another call", row.kind);
    row.block = receipt->block;
    row.block_hash = receipt->block_hash;
    row.mined = a->hash;
    row.gas_used = receipt->gas_used;
    /* Nodes older than EIP-1559 do not give it: then it is what was offered. */
    row.gas_price = u256_is_zero(receipt->effective_gas_price.v) ? a->max_fee : receipt->effective_gas_price;
    row.l1_fee = receipt->l1_fee;
    if (!settle_do(s, record_mined, &row, err))
        return false;
    log_event(LOG_NOTICE_LEVEL, "tx_mined", KV_U64("sequence", row.sequence), KV_TEXT("kind", row.kind),
              KV_HASH("tx", &a->hash.h),
              KV_U64("nonce", row.nonce), KV_U64("block", row.block), KV_U64("gas", row.gas_used));
    if (!is_void)
        outcome_note(s, &row, receipt);
    if (strcmp(row.kind, "distribute") == 0)
        settle_crash_point("distribute-mined");
    *l->moved = true;
    return true;
}

struct tx_change { uint64_t id; enum tx_state to; };

static bool end_tx(void *self, struct group *group, struct err *err)
{
    const struct tx_change *c = self;

    return store_tx_move(group->db, c->id, TX_MINED, c->to, err);
}

/* The chain keeps no reason: asked again, the contract often still gives the same. */
static void tell_reverted(struct look *l, const struct attempt_row *a)
{
    struct settle *s = l->settle;
    struct signature ignored;
    struct err why = { 0 };
    struct tx tx;
    uint64_t gas;

    tx_init(&tx);
    if (!tx_decode(a->raw.data, a->raw.len, &tx, &ignored, &why) || send_estimate(s, &tx.data, &gas, &why))
        err_set(&why, ERR_CHAIN, "the reason is gone");
    tx_clear(&tx);
    log_event(LOG_WARN_LEVEL, "tx_reverted", KV_U64("sequence", l->t->sequence), KV_TEXT("kind", l->t->kind),
              KV_U64("nonce", l->t->nonce), KV_HASH("tx", &a->hash.h), KV_TEXT("error", why.text));
}

/* Mined, and still where it was: final once its block is confirmed and is the chain's at that height. */
static bool look_final(struct look *l, const struct tx_receipt *receipt, const struct attempt_row *a, bool is_void,
                       struct err *err)
{
    struct settle *s = l->settle;
    struct tx_change change = { l->t->id, is_void ? TX_VOID : receipt->success ? TX_FINAL : TX_REVERTED };
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
    if (!settle_do(s, end_tx, &change, err))
        return false;
    watch_drop(s, l->t->id);
    *l->moved = true;
    if (change.to == TX_REVERTED)
        tell_reverted(l, a);
    return true;
}

static bool look_found(struct look *l, const struct tx_receipt *receipt, const struct attempt_row *a, struct err *err)
{
    bool is_void;

    if (!attempt_is_void(a, l->t->account, &is_void, err))
        return false;
    if (l->t->state == TX_MINED && hash_eq(l->t->block_hash, receipt->block_hash))
        return look_final(l, receipt, a, is_void, err);
    return note_mined(l, receipt, a, is_void, err);
}

static bool look_at(struct look *l, struct err *err)
{
    const struct attempt_row *which;

    if (!find_receipt(l, &which, err))
        return false;
    return which != NULL ? look_found(l, &l->receipt, which, err) : look_missing(l, err);
}

#define LOOKS_AT_ONCE 100u         /* attempts in memory, and receipts asked for in one batch */

struct looks { struct look list[LOOKS_AT_ONCE]; size_t count; };

/* Receipts of the newest attempts in one batch, where one endpoint tells.  Unless nobody is there, what is refused so is asked for
 * one by one: a bad answer, or a node that takes no batches of this size, keeps no other from being looked at. */
static bool ask_together(struct settle *s, struct looks *looks, struct err *err)
{
    struct tx_hash hashes[LOOKS_AT_ONCE];
    struct tx_receipt receipts[LOOKS_AT_ONCE];
    bool ok, asked;

    for (size_t i = 0; i < looks->count; i++)
        hashes[i] = looks->list[i].attempts.list[looks->list[i].attempts.count - 1].hash;
    ok = rpc_tx_receipts(s->rpc, hashes, looks->count, receipts, &asked, err);
    for (size_t i = 0; i < looks->count; i++) {
        if (ok)
            looks->list[i].receipt = receipts[i];
        else
            logs_clear(&receipts[i].logs);
        looks->list[i].has_receipt = ok && asked;
    }
    return ok || err->code != ERR_AGAIN || (looks->count > 1 && rpc_last_class(s->rpc) == RPC_DOWN);
}

static void note_first(const struct err *why, struct err *first)
{
    if (first->code == ERR_NONE)
        *first = *why;
}

static void look_at_some(struct settle *s, struct looks *looks, struct err *first)
{
    struct err why = { 0 };

    if (ask_together(s, looks, &why)) {
        for (size_t i = 0; i < looks->count; i++) {
            struct look *l = &looks->list[i];

            l->watch = watch_of(s, l->t->id, l->round->latest);
            if (!look_at(l, &why) && !hold_taken(s))
                note_first(&why, first);
        }
    } else {
        note_first(&why, first);
    }
    if (!send_flush(s, &why))
        note_first(&why, first);
    for (size_t i = 0; i < looks->count; i++) {
        logs_clear(&looks->list[i].receipt.logs);
        attempts_clear(&looks->list[i].attempts);
    }
    looks->count = 0;
}

/* One that cannot be looked at keeps no other from it; the first error is told. */
static bool look_at_all(struct settle *s, const struct transactions *open, struct round *round, bool *moved,
                        struct err *err)
{
    const struct transaction_row *lowest = NULL;
    struct looks *looks = mem_new(sizeof *looks);
    struct err first = { 0 }, why;

    for (size_t i = 0; i < open->count; i++) {
        const struct transaction_row *t = &open->list[i];
        struct look *l = &looks->list[looks->count];

        *l = (struct look){ .settle = s, .t = t, .round = round, .moved = moved };
        /* By account and nonce: the first unmined one of an account is its lowest. */
        if (transaction_is_unmined(t) && (lowest == NULL || !address_eq(lowest->account, t->account))) {
            lowest = t;
            l->is_lowest = true;
        }
        if (attempts_of(s, t->id, &l->attempts, &why))
            looks->count++;
        else
            note_first(&why, &first);
        if (looks->count == LOOKS_AT_ONCE)
            look_at_some(s, looks, &first);
    }
    if (looks->count > 0)
        look_at_some(s, looks, &first);
    free(looks);
    if (first.code != ERR_NONE)
        *err = first;
    return first.code == ERR_NONE;
}

bool follow_transactions(struct settle *s, bool *moved, struct err *err)
{
    struct round round = { 0 };
    struct transactions open;
    struct block latest = { 0 };
    bool ok;

    if (!transactions_open(s, &open, err))
        return false;
    ok = open.count == 0 || rpc_block(s->rpc, BLOCK_LATEST, &latest, err);
    round.latest = latest.number;
    ok = ok && look_at_all(s, &open, &round, moved, err);
    transactions_clear(&open);
    s->flight_known = s->spent_known = false;  /* mined, replaced or voided meanwhile */
    return ok;
}
