/* The receipt itself, its place in the receipts tree, and the header that holds the tree. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/core/keyring.h"
#include "gateway/core/receipt_json.h"

/* Reads the 13 fields and the signatures; `bundle` is a member of the answer alone. */
static bool read_receipt(struct verification *v, const json *object)
{
    json *plain = json_new_object();
    struct faults faults = { 0 };
    bool has_job_id, ok;
    void *cursor = NULL;
    const json *value;
    const char *name;

    while ((name = json_next_member(object, &cursor, &value)) != NULL)
        if (strcmp(name, "bundle") != 0)
            json_put(plain, name, json_share(value));
    receipt_from_json(plain, RECEIPT_UNSIGNED, &v->receipt, &has_job_id, &faults);
    ok = faults.count == 0 || verify_note(v, "receipt", false, "%s: %s", faults.list[0].pointer, faults.list[0].detail);
    faults_clear(&faults);
    json_free(plain);
    return ok;
}

static void check_hash(struct verification *v)
{
    struct hash found;

    v->hash = receipt_struct_hash(&v->receipt.receipt);
    v->has_hash = true;
    if (verify_shape(v, "hash", "hash", json_get_hash(json_member(v->answer, "hash"), &found)))
        verify_hash(v, "hash", "EIP-712 struct hash of the 13 fields", v->hash, found);
}

/* Who is to have signed: the provider, or the key that a delegation in the answer names, which its wallet must have signed.  Whether
 * the key was revoked before, only the archives say (audit). */
static struct address signer_of(struct verification *v)
{
    const json *object = json_member(v->answer, "delegation");
    const struct receipt *r = &v->receipt.receipt;
    struct delegation d = { .provider = r->provider };

    if (object == NULL)
        return r->provider;
    if (!verify_shape(v, "delegation", "key, validFrom, validUntil or signature", json_get_address(json_member(object, "key"), &d.key)
                      && json_get_u64(json_member(object, "validFrom"), &d.valid_from_ms)
                      && json_get_u64(json_member(object, "validUntil"), &d.valid_until_ms)
                      && json_get_signature(json_member(object, "signature"), &d.signature)))
        return r->provider;
    verify_signature(v, "delegation", &d.signature, delegation_struct_hash(d.provider, d.key, d.valid_from_ms, d.valid_until_ms), d.provider);
    verify_note(v, "delegation-time", r->finished_at_ms >= d.valid_from_ms && r->finished_at_ms <= d.valid_until_ms,
                "finishedAt %" PRIu64 ", the key is lent from %" PRIu64 " until %" PRIu64, r->finished_at_ms, d.valid_from_ms, d.valid_until_ms);
    return d.key;
}

static void check_bundle(struct verification *v, const json *object, struct address signer)
{
    struct receipt_bundle bundle = { .provider = v->receipt.receipt.provider };
    struct signature signature;
    struct proof path;
    uint64_t index;

    if (!verify_shape(v, "bundle", "root, count, signature, index or path", json_get_hash(json_member(object, "root"), &bundle.root)
                      && json_get_u64(json_member(object, "count"), &bundle.count)
                      && json_get_signature(json_member(object, "signature"), &signature)
                      && json_get_u64(json_member(object, "index"), &index) && verify_read_path(json_member(object, "path"), &path)))
        return;
    verify_note(v, "bundle-index", index < bundle.count, "index %" PRIu64 " of %" PRIu64, index, bundle.count);
    verify_hash(v, "bundle-path", "the receipt is in the bundle", tree_fold(tree_promise_leaf(v->hash), &path), bundle.root);
    verify_signature(v, "bundle-signature", &signature, bundle_struct_hash(&bundle), signer);
}

static void check_signatures(struct verification *v, const json *object)
{
    const json *bundle = json_member(object, "bundle");
    const struct receipt *r = &v->receipt.receipt;
    struct address signer = signer_of(v);

    if (v->receipt.has_signature == (bundle != NULL))
        verify_note(v, "signature", false, "either a signature or a bundle");
    else if (bundle != NULL)
        check_bundle(v, bundle, signer);
    else
        verify_signature(v, "signature", &v->receipt.signature, v->hash, signer);
    if (v->receipt.has_consumer_signature)
        verify_signature(v, "consumer-signature", &v->receipt.consumer_signature, v->hash, r->consumer);
}

void verify_receipt(struct verification *v)
{
    const json *object = json_member(v->answer, "receipt");

    if (!read_receipt(v, object))
        return;
    check_hash(v);
    check_signatures(v, object);
}

/* ---- the settlement ---- */

static bool read_settlement(struct verification *v, const json *s)
{
    struct settlement_content *c = &v->content;

    v->has_header = json_member(s, "header") != NULL;
    if (!verify_shape(v, "settlement", "previousHeader", json_get_hash(json_member(s, "previousHeader"), &v->previous_header))
        || !verify_shape(v, "settlement", "sequence", json_get_u64(json_member(s, "sequence"), &c->sequence) && c->sequence > 0)
        || !verify_shape(v, "settlement", "receiptsRoot", json_get_hash(json_member(s, "receiptsRoot"), &c->receipts_root))
        || !verify_shape(v, "settlement", "rewardsRoot", json_get_hash(json_member(s, "rewardsRoot"), &c->rewards_root))
        || !verify_shape(v, "settlement", "archive", json_get_hash(json_member(s, "archive"), &c->archive))
        || !verify_shape(v, "settlement", "total", json_get_amount(json_member(s, "total"), &c->total))
        || !verify_shape(v, "settlement", "receipts", json_get_u64(json_member(s, "receipts"), &c->receipts)))
        return false;
    return !v->has_header
        || (verify_shape(v, "header", "header", json_get_hash(json_member(s, "header"), &v->header))
            && verify_shape(v, "header", "committedAt", json_get_u64(json_member(s, "committedAt"), &v->committed_at_s)));
}

static bool check_inclusion(struct verification *v)
{
    const json *inclusion = json_member(v->answer, "inclusion");
    const struct receipt *r = &v->receipt.receipt;
    struct hash salt, leaf;
    struct proof path;
    uint64_t index;
    bool in_range;

    if (!verify_shape(v, "inclusion", "index, salt or proof", json_get_u64(json_member(inclusion, "index"), &index)
                      && json_get_hash(json_member(inclusion, "salt"), &salt) && verify_read_path(json_member(inclusion, "proof"), &path)))
        return false;
    in_range = verify_note(v, "inclusion-index", index < v->content.receipts, "index %" PRIu64 " of %" PRIu64 " receipts", index,
                           v->content.receipts);
    leaf = tree_receipts_leaf(index, r->job_id, r->provider, salt, v->hash);
    return verify_hash(v, "inclusion", "the salted leaf leads to receiptsRoot", tree_fold(leaf, &path), v->content.receipts_root)
        && in_range;
}

static bool check_header(struct verification *v)
{
    const struct verify_config *c = v->config;

    if (v->content.sequence == 1 && v->has_token
        && !verify_hash(v, "previous-header", "header(0) of this chain, contract and token",
                        header_first(c->domain.chain_id, c->domain.contract, v->token), v->previous_header))
        return false;
    return verify_hash(v, "header", "holds both roots, the archive, total, receipts and committedAt",
                       header_next(v->previous_header, &v->content, v->committed_at_s), v->header);
}

void verify_settlement(struct verification *v)
{
    const json *s = json_member(v->answer, "settlement"), *state = json_member(s, "state");
    bool included, headed;

    if (s == NULL) {
        /* A receipt that is said to be settled must come with its proof. */
        if (verify_text_is(json_member(v->answer, "state"), "paid") || verify_text_is(json_member(v->answer, "state"), "committed"))
            verify_note(v, "settlement", false, "missing, though the receipt is said to be settled");
        return;
    }
    if (!v->has_hash || !read_settlement(v, s))
        return;
    v->has_settlement = true;
    v->cancelled = verify_text_is(state, "cancelled");
    v->active = verify_text_is(state, "active") || verify_text_is(state, "distributed") || verify_text_is(state, "final");
    included = check_inclusion(v);
    headed = v->has_header && check_header(v);
    v->in_tree = included && headed;
    if (!v->has_header) {
        verify_note(v, "header", !v->active && !verify_text_is(state, "committed"), "not committed yet");
        verify_unchecked(v, "the header: the settlement is not committed yet");
    }
}
