#include "api/shapes.h"

#include <stdlib.h>

#include "api/held.h"
#include "gateway/base/mem.h"
#include "gateway/lib/emit.h"

json *proof_to_json(const struct proof *proof)
{
    json *list = json_new_array();

    for (size_t i = 0; i < proof->len; i++)
        json_add(list, json_new_hash(proof->path[i]));
    return list;
}

void promise_emit(const struct promise_row *row, struct buf *out)
{
    emit_hash(out, "root", row->promise.root);
    emit_u64(out, "count", row->promise.count);
    emit_u64(out, "acceptedAt", row->promise.accepted_at_ms);
    emit_u64(out, "settleBy", row->promise.settle_by_ms);
    emit_signature(out, "signature", &row->signature);
    emit_address(out, "signer", row->signer);
}

bool leaves_path(const struct buf *leaves, uint64_t index, struct proof *proof)
{
    size_t count = leaves->len / sizeof(struct hash);
    struct hash *list;

    if (index >= count)
        return false;
    list = mem_array(count, sizeof *list);
    memcpy(list, leaves->data, count * sizeof *list);
    tree_promise_leaves(list, count, list);
    tree_proof(list, count, (size_t)index, proof);
    free(list);
    return true;
}

struct attempts { json *list; struct tx_hash *last; };

static bool add_attempt(void *self, const struct attempt_row *a, struct err *err)
{
    struct attempts *to = self;
    json *object = json_new_object();

    (void)err;
    json_put_hash(object, "hash", a->hash.h);
    json_put_u64(object, "gas", a->gas);
    json_put_wei(object, "maxFeePerGas", a->max_fee);
    json_put_wei(object, "maxPriorityFeePerGas", a->max_priority_fee);
    if (!u256_is_zero(a->data_fee.v))
        json_put_wei(object, "maxDataFee", a->data_fee);
    json_put_u64(object, "createdAt", a->created_at_ms);
    if (a->sent_at_ms > 0)
        json_put_u64(object, "sentAt", a->sent_at_ms);
    if (a->answer[0] != '\0')
        json_put_text(object, "answer", a->answer);
    json_add(to->list, object);
    *to->last = a->hash;
    return true;
}

bool transaction_attempts(struct db *db, uint64_t tx, json **attempts, struct tx_hash *last, struct err *err)
{
    struct attempts to = { json_new_array(), last };

    memset(last, 0, sizeof *last);
    if (!store_attempts(db, tx, add_attempt, &to, err)) {
        json_free(to.list);
        return false;
    }
    *attempts = to.list;
    return true;
}

json *transaction_to_json(const struct transaction_row *t, json *owned_attempts)
{
    json *object = json_new_object();
    const json *last = json_at(owned_attempts, json_count(owned_attempts) - 1);

    json_put_u64(object, "id", t->id);
    if (!hash_is_zero(t->mined.h))
        json_put_hash(object, "hash", t->mined.h);
    else if (json_count(owned_attempts) > 0)
        json_put(object, "hash", json_share(json_member(last, "hash")));
    json_put_text(object, "kind", t->kind);
    json_put_text(object, "state", tx_state_name(t->state));
    json_put_address(object, "account", t->account);
    json_put_u64(object, "nonce", t->nonce);
    if (t->sequence > 0)
        json_put_u64(object, "sequence", t->sequence);
    json_put_u64(object, "createdAt", t->created_at_ms);
    if (t->block > 0) {
        json_put_u64(object, "block", t->block);
        json_put_hash(object, "blockHash", t->block_hash);
        json_put_u64(object, "gasUsed", t->gas_used);
        json_put_wei(object, "effectiveGasPrice", t->gas_price);
        if (!u256_is_zero(t->l1_fee.v))
            json_put_wei(object, "l1Fee", t->l1_fee);
    }
    if (!hash_is_zero(t->taken_by.h))
        json_put_hash(object, "takenBy", t->taken_by.h);
    json_put(object, "attempts", owned_attempts);
    return object;
}

json *stored_faults(const struct receipt_row *row)
{
    struct err ignored = { 0 };
    json *list;

    if (row->faults[0] != '\0' && json_read(row->faults, strlen(row->faults), &list, &ignored))
        return list;
    return json_new_array();
}

json *held_to_json(const struct receipt_row *row, const struct catalog *catalog)
{
    json *object = json_new_object();
    struct amount worth;

    json_put_address(object, "provider", row->signed_.receipt.provider);
    json_put_job_id(object, "jobId", row->signed_.receipt.job_id);
    json_put_hash(object, "receipt", row->hash);
    json_put_text(object, "code", receipt_codes[row->code].name);
    json_put(object, "errors", stored_faults(row));
    if (held_worth(catalog, row, &worth))
        json_put_amount(object, "amount", worth);
    json_put_u64(object, "receivedAt", row->received_at_ms);
    if (row->reason[0] != '\0')
        json_put_text(object, "reason", row->reason);
    return object;
}
