#include "api/context.h"
#include "api/handlers.h"
#include "api/parties.h"
#include "api/problem.h"
#include "api/receipt_find.h"
#include "api/settlement_shapes.h"
#include "api/shapes.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/seal.h"
#include "gateway/lib/emit.h"
#include "gateway/lib/secp.h"
#include "store/archived.h"
#include "store/ledger.h"
#include "store/quotes.h"
#include "store/tree_parts.h"

/* Everything an answer is made of. */
struct view {
    struct request *req;
    struct db *db;
    const struct catalog *catalog;
    struct receipt_row row;
    struct batch_row batch;
    bool has_settlement;
    struct settlement_row settlement;
    bool all_paid;
    struct buf *out;                          /* the answer: an object that is open */
};

/* The delegation that a signature leans on; none where the provider signed.  Of one that is not accepted yet, as of now. */
static bool put_delegation(struct view *v, const struct signature *signature, struct hash message, struct err *err)
{
    const struct keyring *keys = catalog_keys(v->catalog);
    const struct receipt *r = &v->row.signed_.receipt;
    uint64_t at_ms = v->row.state == RECEIPT_ACCEPTED ? v->row.accepted_at_ms : UINT64_MAX;
    const struct delegation *by;
    struct address key;

    if (!keyring_has(keys, r->provider))
        return true;
    if (!secp_recover(signature, typed_digest(&v->req->api->config->domain, message), &key, err))
        return false;
    if (!address_eq(key, r->provider) && keyring_standing(keys, r->provider, key, r->finished_at_ms, at_ms, &by) == KEY_VALID)
        emit_json(v->out, "delegation", delegation_to_json(by));
    return true;
}

static bool put_receipt(struct view *v, struct err *err)
{
    json *receipt = receipt_to_json(&v->row.signed_), *object;
    struct bundle_row bundle;
    struct proof proof;
    bool found;

    if (!v->row.has_bundle) {
        emit_json(v->out, "receipt", receipt);
        return put_delegation(v, &v->row.signed_.signature, v->row.hash, err);
    }
    if (!store_bundle_path(v->db, v->row.bundle, v->row.bundle_index, &bundle, &proof, &found, err)) {
        json_free(receipt);
        return false;
    }
    object = json_new_object();
    json_put_hash(object, "root", bundle.bundle.root);
    json_put_u64(object, "count", bundle.bundle.count);
    json_put_signature(object, "signature", &bundle.signature);
    json_put_u64(object, "index", v->row.bundle_index);
    if (found)
        json_put(object, "path", proof_to_json(&proof));
    json_put(receipt, "bundle", object);
    emit_json(v->out, "receipt", receipt);
    return put_delegation(v, &bundle.signature, bundle_struct_hash(&bundle.bundle), err);
}

static void put_shares(struct view *v, const struct shares *shares)
{
    json *list = json_new_array();

    for (size_t i = 0; i < shares->count; i++) {
        json *object = json_new_object();

        json_put_address(object, "account", shares->list[i].account);
        json_put_text(object, "role", role_name(shares->list[i].role));
        json_put_hash(object, "model", shares->list[i].model);
        json_put_amount(object, "amount", shares->list[i].amount);
        json_add(list, object);
    }
    emit_json(v->out, "shares", list);
}

static bool put_promise(struct view *v, struct err *err)
{
    struct promise_row promise;
    struct proof proof;
    bool found;

    if (v->row.promise == 0)
        return true;                          /* a rebuilt store: the promise stays with whoever holds it */
    if (!store_promise_path(v->db, v->row.promise, v->row.promise_index, &promise, &proof, &found, err))
        return false;
    emit_name(v->out, "promise");
    buf_add_byte(v->out, '{');
    promise_emit(&promise, v->out);
    emit_u64(v->out, "index", v->row.promise_index);
    if (found)
        emit_hashes(v->out, "path", proof.path, proof.len);
    buf_add_byte(v->out, '}');
    return true;
}

/* What fixed the price, where something did. */
static bool put_quote(struct view *v, struct err *err)
{
    const struct receipt *r = &v->row.signed_.receipt;
    struct issued_quote quote;
    bool found = false;

    if (!hash_is_zero(r->quote) && !store_quote_find(v->db, r->quote, &quote, &found, err))
        return false;
    if (found && quote_matches(&quote.quote, r))
        emit_json(v->out, "quote", quote_to_json(&quote));
    return true;
}

static bool put_inclusion(struct view *v, struct err *err)
{
    const struct receipt *r = &v->row.signed_.receipt;
    struct proof proof;
    uint64_t index;
    bool found;
    json *object;

    if (!archived_prove(v->db, &v->settlement, r->job_id, r->provider, &index, &proof, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "a receipt is not in the tree of its batch %llu",
                       (unsigned long long)v->batch.number);
    object = json_new_object();
    json_put_u64(object, "index", index);
    json_put_hash(object, "salt", receipt_salt(v->req->api->config->secret, r->job_id, r->provider));
    json_put(object, "proof", proof_to_json(&proof));
    emit_json(v->out, "inclusion", object);
    return true;
}

/* One row for an account's leaf; *unpaid when the chain has not paid it in full. */
static bool add_payment(struct view *v, struct address account, json *list, bool *unpaid, struct err *err)
{
    struct amount claimable, claimed;
    struct tx_hash last;
    struct proof proof;
    bool found, any;
    json *object;

    if (!trees_reward(v->req->api->trees, v->db, v->settlement.sequence, v->req->api->config->token, account,
                      &claimable, &proof, &found, err))
        return false;
    if (!found)
        return true;
    if (!store_account_paid(v->db, account, &claimed, &last, &any, err))
        return false;
    *unpaid = *unpaid || amount_cmp(claimed, claimable) < 0;
    object = json_new_object();
    json_put_address(object, "account", account);
    json_put_amount(object, "claimable", claimable);
    json_put(object, "proof", proof_to_json(&proof));
    json_put_amount(object, "claimed", any ? claimed : AMOUNT_ZERO);
    if (any)
        json_put_hash(object, "transaction", last.h);
    json_add(list, object);
    return true;
}

static bool seen_before(const struct shares *shares, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (address_eq(shares->list[k].account, shares->list[i].account))
            return true;
    return false;
}

static bool put_settled(struct view *v, const struct shares *shares, struct err *err)
{
    json *settlement, *payments = json_new_array();
    bool unpaid = false, ok = true;

    for (size_t i = 0; ok && i < shares->count; i++)
        ok = seen_before(shares, i) || add_payment(v, shares->list[i].account, payments, &unpaid, err);
    ok = ok && settlement_of_receipt(v->db, &v->settlement, &settlement, err);
    if (ok)
        emit_json(v->out, "settlement", settlement);
    ok = ok && put_inclusion(v, err);
    emit_json(v->out, "payments", payments);
    v->all_paid = !unpaid;
    return ok;
}

static bool put_accepted(struct view *v, struct err *err)
{
    struct shares shares = { 0 };
    bool ok = receipt_shares(v->db, v->catalog, &v->row, &shares, err);

    emit_u64(v->out, "acceptedAt", v->row.accepted_at_ms);
    emit_u64(v->out, "priceVersion", v->row.price_version);
    emit_amount(v->out, "amount", v->row.amount);
    if (ok)
        put_shares(v, &shares);
    ok = ok && put_quote(v, err) && put_promise(v, err);
    emit_u64(v->out, "batch", v->row.batch);
    ok = ok && (!v->has_settlement || put_settled(v, &shares, err));
    shares_clear(&shares);
    return ok;
}

static bool load_settlement(struct view *v, struct err *err)
{
    bool found;

    if (v->row.state != RECEIPT_ACCEPTED)
        return true;
    if (!store_batch_find(v->db, v->row.batch, &v->batch, &found, err))
        return false;
    if (!found)
        return err_set(err, ERR_BUG, "batch %llu is missing", (unsigned long long)v->row.batch);
    return v->batch.sequence == 0
        || store_settlement_find(v->db, v->batch.sequence, &v->settlement, &v->has_settlement, err);
}

static void put_judgement(struct view *v)
{
    emit_hash(v->out, "hash", v->row.hash);
    emit_address(v->out, "contract", v->req->api->config->domain.contract);
    if (v->row.code != CODE_ACCEPTED && v->row.state != RECEIPT_ACCEPTED) {
        emit_word(v->out, "code", receipt_codes[v->row.code].name);
        emit_json(v->out, "errors", stored_faults(&v->row));
    }
    if (v->row.reason[0] != '\0')
        emit_text(v->out, "reason", v->row.reason);
}

static bool make(struct view *v, struct err *err)
{
    if (!put_receipt(v, err) || !load_settlement(v, err))
        return false;
    put_judgement(v);
    if (v->row.state == RECEIPT_ACCEPTED && !put_accepted(v, err))
        return false;
    emit_word(v->out, "state", receipt_public_state(v->row.state, v->batch.state, v->all_paid));
    return true;
}

/* Opens the receipt's line in a sealed archive: whoever may read the receipt may read the line. */
static void put_key(struct view *v)
{
    const struct api_config *config = v->req->api->config;
    const struct receipt *r = &v->row.signed_.receipt;

    if (config->parties_only)
        emit_hash(v->out, "key", seal_line_key(config->secret, r->job_id, r->provider));
}

static void answer(struct view *v, struct reply *reply)
{
    struct err err = { 0 };

    v->out = &reply->body;
    buf_add_byte(v->out, '{');
    if (!make(v, &err)) {
        problem_from_err(reply, &err);
        return;
    }
    put_key(v);
    buf_add_byte(v->out, '}');
    reply->status = 200;
    reply->content_type = "application/json";
}

static void show(struct request *req, struct reply *reply)
{
    struct view v = { .req = req };
    const struct snapshot *snapshot;
    struct reader reader;

    if (!access_reader(req, &reader, reply) || !api_begin(req->api, &v.db, reply))
        return;
    if (api_catalog(req->api, v.db, &snapshot, reply)) {
        v.catalog = snapshot->catalog;
        if (receipt_find(req, v.db, v.catalog, &reader, &v.row, reply))
            answer(&v, reply);
        snapshot_release(snapshot);
    }
    api_end(req->api, v.db);
}

/* Whoever asks for a job need not know which contract its receipt was signed for. */
void receipt_get(struct request *req, struct reply *reply)
{
    struct api *other = api_other(req);

    show(req, reply);
    if (reply->status != 404 || other == NULL)
        return;
    reply_clear(reply);
    req->api = other;
    show(req, reply);
}
