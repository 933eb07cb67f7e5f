#include "api/settlement_shapes.h"

#include "api/shapes.h"

json *settlement_to_json(const struct settlement_row *s)
{
    json *object = json_new_object();

    json_put_u64(object, "sequence", s->sequence);
    json_put_u64(object, "batch", s->batch);
    json_put_text(object, "state", batch_state_name(s->state));
    json_put_hash(object, "receiptsRoot", s->content.receipts_root);
    json_put_hash(object, "rewardsRoot", s->content.rewards_root);
    json_put_hash(object, "archive", s->content.archive);
    json_put_amount(object, "total", s->content.total);
    json_put_u64(object, "receipts", s->content.receipts);
    json_put_u64(object, "accounts", s->accounts);
    json_put_hash(object, "parent", s->parent);
    if (s->has_header) {
        json_put_hash(object, "header", s->header);
        json_put_u64(object, "committedAt", s->committed_at_s);
        json_put_u64(object, "activeAt", s->active_at_s);
    }
    return object;
}

struct listing { struct db *db; json *list; };

static bool add_transaction(void *self, const struct transaction_row *t, struct err *err)
{
    struct listing *to = self;
    struct tx_hash last;
    json *attempts;

    if (!transaction_attempts(to->db, t->id, &attempts, &last, err))
        return false;
    json_add(to->list, transaction_to_json(t, attempts));
    return true;
}

bool settlement_in_full(struct db *db, const struct settlement_row *s, json **out, struct err *err)
{
    struct listing to = { db, json_new_array() };
    struct batch_row batch = { 0 };
    struct settlement_sums sums;
    bool whole, found;
    json *object;

    if (!store_batch_find(db, s->batch, &batch, &found, err)
        || !store_tx_of_sequence(db, s->sequence, add_transaction, &to, err)
        || !settlement_sum(db, s, &sums, &whole, err)) {
        json_free(to.list);
        return false;
    }
    object = settlement_to_json(s);
    if (batch.closed_at_ms > 0)
        json_put_u64(object, "closedAt", batch.closed_at_ms);
    json_put_u64(object, "preparedAt", s->prepared_at_ms);
    if (whole) {
        json_put_amount(object, "paid", sums.paid);
        json_put_amount(object, "skipped", sums.skipped);
        json_put_amount(object, "left", sums.left);
    }
    json_put(object, "transactions", to.list);
    *out = object;
    return true;
}

static bool find_commit(void *self, const struct transaction_row *t, struct err *err)
{
    struct tx_hash *commit = self;

    (void)err;
    if (strcmp(t->kind, "commit") == 0 && (t->state == TX_MINED || t->state == TX_FINAL))
        *commit = t->mined;
    return true;
}

bool settlement_commit(struct db *db, uint64_t sequence, struct tx_hash *commit, struct err *err)
{
    *commit = (struct tx_hash){ 0 };
    return store_tx_of_sequence(db, sequence, find_commit, commit, err);
}

bool settlement_of_receipt(struct db *db, const struct settlement_row *s, json **out, struct err *err)
{
    struct tx_hash commit;
    json *object;

    if (!settlement_commit(db, s->sequence, &commit, err))
        return false;
    object = json_new_object();
    json_put_u64(object, "sequence", s->sequence);
    if (s->has_header)
        json_put_hash(object, "header", s->header);
    json_put_hash(object, "previousHeader", s->parent);
    json_put_hash(object, "receiptsRoot", s->content.receipts_root);
    json_put_hash(object, "rewardsRoot", s->content.rewards_root);
    json_put_hash(object, "archive", s->content.archive);
    json_put_amount(object, "total", s->content.total);
    json_put_u64(object, "receipts", s->content.receipts);
    if (s->has_header)
        json_put_u64(object, "committedAt", s->committed_at_s);
    json_put_text(object, "state", batch_state_name(s->state));
    if (!hash_is_zero(commit.h))
        json_put_hash(object, "transaction", commit.h);
    *out = object;
    return true;
}
