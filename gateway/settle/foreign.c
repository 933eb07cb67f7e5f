/* A nonce of ours that somebody else's transaction used: it is looked for, named and recorded.
 *
 * Found by asking for the account's nonce at ever fewer blocks, and then for one block with its transactions.  Nodes that
 * keep no old state may not tell; then the name is missing and the rest goes on. */
#include "gateway/settle/parts.h"

#include "gateway/base/hex.h"
#include "gateway/base/log.h"

#include <stdio.h>

#define LOOK_BACK 100000u          /* blocks: two weeks of 12 s; 17 questions */

/* The first block after which the account's nonce is above this one: the block of the transaction. */
static bool find_block(struct settle *s, struct address account, uint64_t nonce, uint64_t *block, struct err *err)
{
    uint64_t high, low, counted;
    bool any;

    if (!confirmed_height(s, &high, &any, err))
        return false;
    if (!any)
        return err_set(err, ERR_NOT_FOUND, "no block is confirmed");
    low = high > LOOK_BACK ? high - LOOK_BACK : 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        bool known = rpc_nonce_at(s->rpc, account, middle, &counted, err);

        if (!known && err->code != ERR_CHAIN)
            return false;
        if (known && counted > nonce)
            high = middle;
        else                                   /* or a state that the node has forgotten: then it is later, or never found */
            low = middle + 1;
    }
    *block = high;
    return true;
}

static bool find_taker(struct settle *s, struct address account, uint64_t nonce, struct tx_hash *by, bool *found, struct err *err)
{
    uint64_t block = 0;

    *found = false;
    return find_block(s, account, nonce, &block, err) && rpc_tx_in_block(s->rpc, block, account, nonce, by, found, err);
}

void tell_passed(struct settle *s, uint64_t from, uint64_t to)
{
    char text[HASH_TEXT] = "not found";
    struct err why = { 0 };
    struct tx_hash by;
    bool found = false;

    if (find_taker(s, s->account, from, &by, &found, &why) && found)
        hash_to_text(by.h, text);
    log_event(LOG_WARN_LEVEL, "nonces_passed", KV_ADDRESS("account", &s->account), KV_U64("from", from), KV_U64("to", to),
              KV_TEXT("tx", text), KV_TEXT("error", "the key was used by hand or elsewhere: tx is the first of these nonces"));
}

struct taking { struct transaction_row row; const struct tx_hash *by; };

static bool record_foreign(void *self, struct group *group, struct err *err)
{
    const struct taking *t = self;

    /* Only a sent one may become foreign; the move says that it left, as it may have. */
    return (t->row.state != TX_PREPARED || store_tx_move(group->db, t->row.id, TX_PREPARED, TX_SENT, err))
        && store_tx_foreign(group->db, t->row.id, t->by, err);
}

static bool is_ours(const struct look *l, struct tx_hash hash)
{
    for (size_t i = 0; i < l->attempts.count; i++)
        if (hash_eq(l->attempts.list[i].hash.h, hash.h))
            return true;
    return false;
}

bool give_nonce_up(struct look *l, struct err *err)
{
    struct taking taking = { .row = *l->t };
    char text[HASH_TEXT] = "not found";
    struct err why = { 0 };
    struct tx_hash by;
    bool found = false;

    /* The name is a service to people: that it cannot be had keeps nothing from going on. */
    if (!find_taker(l->settle, l->t->account, l->t->nonce, &by, &found, &why))
        log_event(LOG_WARN_LEVEL, "nonce_taker_unknown", KV_U64("nonce", l->t->nonce), KV_TEXT("error", why.text));
    /* Ours, and no node tells its receipt: what it did is read from the contract, as with a stranger's, and the receipt
     * counts whenever it comes. */
    if (found && is_ours(l, by))
        snprintf(text, sizeof text, "ours, its receipt is not told");
    else if (found) {
        taking.by = &by;
        hash_to_text(by.h, text);
    }
    if (!settle_do(l->settle, record_foreign, &taking, err))
        return false;
    log_event(LOG_ERROR_LEVEL, "nonce_taken", KV_U64("nonce", l->t->nonce), KV_ADDRESS("account", &l->t->account),
              KV_TEXT("kind", l->t->kind), KV_U64("sequence", l->t->sequence), KV_TEXT("tx", text),
              KV_TEXT("error", "used by a transaction that is not ours: is the signer's key in use elsewhere?"));
    *l->moved = true;
    return true;
}
