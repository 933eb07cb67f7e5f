/* gateway/status.c - see status.h. */
#include "gateway/status.h"

#include "store/batches.h"
#include "store/meta.h"
#include "store/receipts.h"
#include "store/transactions.h"

#define DAY_MS UINT64_C(86400000)
#define TAKEN_SHOWN 20u

static void put_batch(json *out, const char *key, const struct batch_row *b)
{
    json *row = json_new_object();

    json_put_u64(row, "number", b->number);
    json_put_text(row, "state", batch_state_name(b->state));
    json_put_u64(row, "receipts", b->receipts);
    json_put_amount(row, "amount", b->amount);
    if (b->sequence != 0)
        json_put_u64(row, "sequence", b->sequence);
    json_put(out, key, row);
}

static void put_settlement(json *out, const struct settlement_row *s)
{
    json *row = json_new_object();

    json_put_u64(row, "sequence", s->sequence);
    json_put_text(row, "state", batch_state_name(s->state));
    json_put_u64(row, "receipts", s->content.receipts);
    json_put_amount(row, "total", s->content.total);
    json_put(out, "lastSettlement", row);
}

static void put_wei(json *out, const char *key, struct wei wei)
{
    char text[U256_DECIMAL_MAX];

    u256_to_decimal(wei.v, text);
    json_put_text(out, key, text);
}

/* Of the settlement in progress, and of this UTC day, as [settle] max_run_cost_gwei and max_day_cost_gwei count them. */
static bool put_costs(struct db *db, json *out, const struct batch_row *unfinished, uint64_t now_ms, struct err *err)
{
    struct wei run = { U256_ZERO }, day;

    if ((unfinished != NULL && unfinished->sequence != 0 && !store_cost_of_sequence(db, unfinished->sequence, 0, &run, err))
        || !store_cost_since(db, now_ms - now_ms % DAY_MS, 0, &day, err))
        return false;
    put_wei(out, "runCostWei", run);
    put_wei(out, "dayCostWei", day);
    return true;
}

static bool add_taken(void *self, const struct transaction_row *t, struct err *err)
{
    json *row = json_new_object();

    (void)err;
    json_put_address(row, "account", t->account);
    json_put_u64(row, "nonce", t->nonce);
    json_put_u64(row, "sequence", t->sequence);
    json_put(row, "takenBy", hash_is_zero(t->taken_by.h) ? json_new_null() : json_new_hash(t->taken_by.h));
    json_add(self, row);
    return true;
}

/* Nonces of ours that a transaction of somebody else with the same key used. */
static bool put_taken(struct db *db, json *out, struct err *err)
{
    json *list = json_new_array();

    json_put(out, "noncesTaken", list);
    return store_tx_in_state(db, TX_FOREIGN, TAKEN_SHOWN, add_taken, list, err);
}

MUST_USE bool status_store(struct db *db, uint64_t now_ms, json **status, struct err *err)
{
    struct batch_row open, unfinished;
    struct settlement_row last;
    bool has_unfinished, has_last;
    uint64_t strangers, held, success;
    json *out;

    if (!store_batch_open(db, &open, err) || !store_batch_unfinished(db, &unfinished, &has_unfinished, err)
        || !store_settlement_last(db, &last, &has_last, err) || !store_receipts_held_count(db, &strangers, &held, err)
        || !store_meta_get(db, "last_success_ms", &success, err))
        return false;
    out = json_new_object();
    put_batch(out, "openBatch", &open);
    if (has_unfinished)
        put_batch(out, "unfinishedBatch", &unfinished);
    if (has_last)
        put_settlement(out, &last);
    json_put_u64(out, "held", held);
    if (success != 0) {
        json_put_u64(out, "lastSuccess", success);
        json_put_u64(out, "secondsSinceSuccess", now_ms > success ? (now_ms - success) / 1000 : 0);
    }
    if (!put_costs(db, out, has_unfinished ? &unfinished : NULL, now_ms, err) || !put_taken(db, out, err)) {
        json_free(out);
        return false;
    }
    *status = out;
    return true;
}
