/* A transaction without a receipt: gone with its block, not mined yet, or never to be mined as its nonce is used.
 *
 * Nobody's silence is evidence.  Foreign needs the nonce used up at a confirmed height, by an account whose every stored
 * attempt has been asked for again and again; and it stops nothing: the stage asks the contract whether the work was
 * done, and does it under another nonce if not.  A receipt that turns up later still counts (follow.c). */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"

#include <inttypes.h>

#define RESEND_MS 5000u            /* the same bytes again while not mined: pools forget */
#define USED_LOOKS 8u              /* balanced endpoints may lag behind each other */
#define USED_LOOK_MS 1000u

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
    if (!settle_do(s, record_unmined, &id, err))
        return false;
    log_event(LOG_WARN_LEVEL, "tx_unmined", KV_U64("sequence", l->t->sequence), KV_TEXT("kind", l->t->kind),
              KV_U64("nonce", l->t->nonce));
    *l->moved = true;
    return true;
}

/* Whether the nonce is used up, for good: at a height that is confirmed. */
static bool is_used_for_good(struct look *l, bool *used, struct err *err)
{
    struct settle *s = l->settle;
    uint64_t height, nonce = 0;
    bool any;

    *used = false;
    if (!confirmed_height(s, &height, &any, err))
        return false;
    if (!any)
        return true;
    if (!rpc_nonce_at(s->rpc, l->t->account, height, &nonce, err))
        return err->code == ERR_CHAIN;         /* a node that has forgotten that state: not known, so not used */
    *used = nonce > l->t->nonce;
    return true;
}

/* The chain's next nonce, asked for once a round and account. */
static bool next_nonce(struct look *l, uint64_t *nonce, struct err *err)
{
    struct round *r = l->round;

    if (!address_eq(r->account, l->t->account)) {
        if (!rpc_nonce(l->settle->rpc, l->t->account, BLOCK_LATEST, &r->chain_nonce, err))
            return false;
        r->account = l->t->account;
    }
    *nonce = r->chain_nonce;
    return true;
}

/* Once a second: used up, or not reached as one below it is nobody's. */
static bool look_nonce(struct look *l, bool *foreign, struct err *err)
{
    struct watch *w = l->watch;
    uint64_t now_ms = clock_now_ms(l->settle->clock), used;

    *foreign = false;
    if (now_ms < w->used_look_ms + USED_LOOK_MS)
        return true;
    w->used_look_ms = now_ms;
    if (!next_nonce(l, &used, err))
        return false;
    w->used_looks = used > l->t->nonce ? w->used_looks + 1 : 0;
    if (w->used_looks >= USED_LOOKS)
        return is_used_for_good(l, foreign, err);
    return w->used_looks > 0 || fill_gap(l, used, err);
}

bool look_missing(struct look *l, struct err *err)
{
    struct settle *s = l->settle;
    const struct attempt_row *newest = &l->attempts.list[l->attempts.count - 1];
    bool foreign, voided;
    uint64_t now_ms;

    if (l->t->state == TX_MINED)
        return look_reorg(l, err);
    if (l->t->state == TX_FOREIGN)
        return true;
    if (!look_nonce(l, &foreign, err))
        return false;
    if (foreign)
        return give_nonce_up(l, err);
    if (l->watch->used_looks > 0)
        return true;                           /* used, perhaps by us: nothing to send */
    if (!void_when_refused(l, &voided, err))
        return false;
    if (voided)
        return true;
    if (l->t->state == TX_SENT && l->is_lowest && !replace_when_low(l, newest, err))
        return false;
    now_ms = clock_now_ms(s->clock);
    if (l->t->state == TX_SENT && now_ms < l->watch->sent_ms + RESEND_MS)
        return true;
    *l->moved = *l->moved || l->t->state == TX_PREPARED;
    l->watch->sent_ms = now_ms;
    return send_stored_later(s, l->t, newest, err);
}
