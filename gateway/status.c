/* gateway/status.c - see status.h. */
#include "gateway/status.h"

#include "store/batches.h"
#include "store/meta.h"
#include "store/receipts.h"

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
    *status = out;
    return true;
}
