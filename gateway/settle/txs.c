/* Transactions and attempts, copied out of the store: nothing is written or asked while a statement is open. */
#include "gateway/settle/parts.h"

#include "gateway/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

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
    if (store_tx_open(s->db, s->account, keep_transaction, txs, err))
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

bool transactions_sound(const struct transactions *txs, struct err *err)
{
    for (size_t i = 0; i < txs->count; i++) {
        const struct transaction_row *t = &txs->list[i];

        if (t->state == TX_REVERTED || t->state == TX_FOREIGN)
            return err_set(err, ERR_HALT, "the %s transaction of settlement %" PRIu64 " with nonce %" PRIu64 " %s",
                           t->kind,
                           t->sequence, t->nonce,
                           t->state == TX_REVERTED ? "was reverted" : "was taken by somebody else");
    }
    return true;
}

bool transactions_unmined(const struct transactions *txs)
{
    for (size_t i = 0; i < txs->count; i++)
        if (txs->list[i].state == TX_PREPARED || txs->list[i].state == TX_SENT)
            return true;
    return false;
}

const struct transaction_row *transactions_newest(const struct transactions *txs, const char *kind)
{
    const struct transaction_row *newest = NULL;

    for (size_t i = 0; i < txs->count; i++)
        if (strcmp(txs->list[i].kind, kind) == 0 && (newest == NULL || txs->list[i].nonce > newest->nonce))
            newest = &txs->list[i];
    return newest;
}
