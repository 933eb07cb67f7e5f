/* Stored bytes, handed to the node; and what it said, written down.
 *
 * An answer is a hint only: whatever is stored may have been sent.  So those of many transactions wait for one commit. */
#include "gateway/settle/parts.h"

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

static bool record_marks(void *self, struct group *group, struct err *err)
{
    const struct settle *s = self;

    for (size_t i = 0; i < s->mark_count; i++) {
        const struct sent_mark *m = &s->marks[i];

        if (!store_attempt_sent(group->db, m->hash, group->now_ms, m->answer.text, err)
            || (m->was_prepared && !store_tx_move(group->db, m->tx, TX_PREPARED, TX_SENT, err)))
            return false;
    }
    return true;
}

bool send_flush(struct settle *s, struct err *err)
{
    bool ok = s->mark_count == 0 || settle_do(s, record_marks, s, err);

    s->mark_count = 0;      /* lost ones are found out again: the same bytes are sent once more */
    return ok;
}

static void mark(struct settle *s, const struct transaction_row *t, const struct attempt_row *a, const struct err *answer)
{
    struct sent_mark *m;

    s->marks = mem_grow(s->marks, s->mark_count + 1, sizeof *s->marks);
    m = &s->marks[s->mark_count++];
    *m = (struct sent_mark){ .tx = t->id, .was_prepared = t->state == TX_PREPARED, .hash = a->hash,
                             .answer = *answer };
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

bool send_stored_later(struct settle *s, const struct transaction_row *t, const struct attempt_row *a, struct err *err)
{
    struct err answer = { 0 }, judged = { 0 };
    bool fine, is_void, again = a->sent_at_ms != 0;

    /* Who was stopped for a while may not be the settler any more. */
    if (!attempt_is_void(a, t->account, &is_void, err) || !lease_check(s->config.lease, s->generation, err))
        return false;
    if (!rpc_send_raw(s->rpc, &a->raw, a->hash, &answer) && answer.code == ERR_AGAIN)
        return err_set(err, ERR_AGAIN, "%s", answer.text);      /* nobody took it: as if not sent */
    fine = judge_answer(s, &answer, is_void, &judged);
    mark(s, t, a, &answer);
    log_event(again ? LOG_DEBUG_LEVEL : LOG_NOTICE_LEVEL, again ? "tx_sent_again" : "tx_sent",
              KV_U64("sequence", t->sequence), KV_TEXT("kind", t->kind), KV_HASH("tx", &a->hash.h),
              KV_U64("nonce", t->nonce), KV_TEXT("answer", rpc_send_answers(s->rpc)));
    if (!fine)
        *err = judged;
    return fine;
}

bool send_stored(struct settle *s, const struct transaction_row *t, const struct attempt_row *a, struct err *err)
{
    struct err unwritten = { 0 };
    bool fine = send_stored_later(s, t, a, err);

    if (send_flush(s, &unwritten))
        return fine;
    *err = unwritten;
    return false;
}
