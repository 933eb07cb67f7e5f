/* Transactions and attempts, copied out of the store: nothing is written or asked while a statement is open. */
#include "gateway/settle/parts.h"

#include "gateway/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEFT_BEHIND_MS 600000u
#define RETRIES_AT_ONCE 3u
#define RETRY_MS UINT64_C(60000)
#define RETRY_DOUBLINGS 6u                     /* an hour and four minutes at most */

static bool keep_transaction(void *self, const struct transaction_row *t, struct err *err)
{
    struct transactions *txs = self;

    (void)err;
    txs->list = mem_grow(txs->list, txs->count + 1, sizeof *txs->list);
    txs->list[txs->count++] = *t;
    return true;
}

bool transactions_open(struct settle *s, struct transactions *txs, struct err *err)
{
    *txs = (struct transactions){ 0 };
    if (store_tx_open(s->db, keep_transaction, txs, err))
        return true;
    transactions_clear(txs);
    return false;
}

bool transactions_of(struct settle *s, uint64_t sequence, struct transactions *txs, struct err *err)
{
    *txs = (struct transactions){ 0 };
    if (store_tx_of_sequence(s->db, sequence, keep_transaction, txs, err))
        return true;
    transactions_clear(txs);
    return false;
}

void transactions_clear(struct transactions *txs)
{
    free(txs->list);
    *txs = (struct transactions){ 0 };
}

static bool keep_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    struct attempts *attempts = self;
    struct attempt_row *copy;

    (void)err;
    attempts->list = mem_grow(attempts->list, attempts->count + 1, sizeof *attempts->list);
    copy = &attempts->list[attempts->count++];
    *copy = *a;
    buf_init(&copy->raw);
    buf_add(&copy->raw, a->raw.data, a->raw.len);
    return true;
}

bool attempts_of(struct settle *s, uint64_t tx, struct attempts *attempts, struct err *err)
{
    *attempts = (struct attempts){ 0 };
    if (!store_attempts(s->db, tx, keep_attempt, attempts, err)) {
        attempts_clear(attempts);
        return false;
    }
    return attempts->count > 0 || err_set(err, ERR_BUG, "transaction %" PRIu64 " has no attempt", tx);
}

void attempts_clear(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->count; i++)
        attempt_clear(&attempts->list[i]);
    free(attempts->list);
    *attempts = (struct attempts){ 0 };
}

bool transaction_is_unmined(const struct transaction_row *t)
{
    return t->state == TX_PREPARED || t->state == TX_SENT;
}

/* Nobody here can replace it, and what it does the contract takes once only, whoever sends it. */
static bool is_left_behind(const struct settle *s, const struct transaction_row *t)
{
    return !address_eq(t->account, s->account) && transaction_is_unmined(t)
        && clock_now_ms(s->clock) > t->created_at_ms + LEFT_BEHIND_MS;
}

bool transaction_holds_work(const struct settle *s, const struct transaction_row *t)
{
    switch (t->state) {
    case TX_PREPARED:
    case TX_SENT:
    case TX_MINED:
    case TX_FINAL:
        return !is_left_behind(s, t);
    case TX_REVERTED:
    case TX_VOID:
    case TX_FOREIGN:
        return false;
    }
    bug("transaction state %d", (int)t->state);
}

const struct transaction_row *transactions_live(const struct settle *s, const struct transactions *txs,
                                                const char *kind)
{
    const struct transaction_row *live = NULL;

    /* States of those that hold work are numbered in the order of their certainty. */
    for (size_t i = 0; i < txs->count; i++) {
        const struct transaction_row *t = &txs->list[i];

        if (strcmp(t->kind, kind) == 0 && transaction_holds_work(s, t) && (live == NULL || t->state >= live->state))
            live = t;
    }
    return live;
}

bool transactions_may_retry(const struct settle *s, const struct transactions *txs, const char *kind, struct err *err)
{
    uint64_t now_ms = clock_now_ms(s->clock), newest_ms = 0, next_ms;
    unsigned failed = 0;

    for (size_t i = 0; i < txs->count; i++) {
        const struct transaction_row *t = &txs->list[i];

        if (strcmp(t->kind, kind) != 0 || transaction_holds_work(s, t))
            continue;
        failed++;
        if (t->created_at_ms > newest_ms)
            newest_ms = t->created_at_ms;
    }
    if (failed < RETRIES_AT_ONCE)
        return true;
    failed -= RETRIES_AT_ONCE;
    next_ms = newest_ms + (RETRY_MS << (failed < RETRY_DOUBLINGS ? failed : RETRY_DOUBLINGS));
    return now_ms >= next_ms
        || err_set(err, ERR_AGAIN, "%u %s transactions were mined in vain; the next is tried in %" PRIu64 " s",
                   failed + RETRIES_AT_ONCE, kind, (next_ms - now_ms) / 1000 + 1);
}

bool attempt_is_void(const struct attempt_row *a, struct address account, bool *is_void, struct err *err)
{
    struct signature ignored;
    struct tx tx;
    bool ok;

    tx_init(&tx);
    ok = tx_decode(a->raw.data, a->raw.len, &tx, &ignored, err);
    if (ok)
        *is_void = !tx.creates && tx.data.len == 0 && address_eq(tx.to, account);
    tx_clear(&tx);
    return ok;
}
