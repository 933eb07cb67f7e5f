/* The inclusion promise: whose it is, that the receipt is in it, and what became of it. */
#include "gateway/audit/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/lib/address_text.h"

struct promise {
    struct inclusion_promise terms;
    struct signature signature;
    struct address signer;
    uint64_t index;
    struct proof path;
};

static bool read_promise(struct verification *v, const json *p, struct promise *out)
{
    return verify_shape(v, "promise", "root", json_get_hash(json_member(p, "root"), &out->terms.root))
        && verify_shape(v, "promise", "count", json_get_u64(json_member(p, "count"), &out->terms.count))
        && verify_shape(v, "promise", "acceptedAt", json_get_u64(json_member(p, "acceptedAt"), &out->terms.accepted_at_ms))
        && verify_shape(v, "promise", "settleBy", json_get_u64(json_member(p, "settleBy"), &out->terms.settle_by_ms))
        && verify_shape(v, "promise", "signature", json_get_signature(json_member(p, "signature"), &out->signature))
        && verify_shape(v, "promise", "signer", json_get_address(json_member(p, "signer"), &out->signer))
        && verify_shape(v, "promise", "index", json_get_u64(json_member(p, "index"), &out->index))
        && verify_shape(v, "promise", "path", verify_read_path(json_member(p, "path"), &out->path));
}

/* Any key can sign; only those the gateway published bind it. */
static void check_signer(struct verification *v, const char *what, struct address signer, uint64_t from_ms, uint64_t until_ms)
{
    const struct verify_config *c = v->config;
    char text[ADDRESS_TEXT], name[32];

    address_to_text(signer, text);
    snprintf(name, sizeof name, "%s-signer", what);
    if (c->signer_count == 0) {
        verify_unchecked(v, "whether %s is the gateway's: its promise keys are not known (--info or --promise-signer)", text);
        return;
    }
    for (size_t i = 0; i < c->signer_count; i++)
        if (address_eq(c->signers[i].address, signer) && until_ms >= c->signers[i].from_ms
            && (c->signers[i].until_ms == 0 || from_ms <= c->signers[i].until_ms)) {
            verify_note(v, name, true, "%s was the gateway's promise key then", text);
            return;
        }
    verify_note(v, name, false, "%s was not the gateway's promise key at %" PRIu64, text, from_ms);
}

void verify_signer(struct verification *v, const char *what, struct address signer, uint64_t at_ms)
{
    check_signer(v, what, signer, at_ms, at_ms);
}

void verify_signer_since(struct verification *v, const char *what, struct address signer, uint64_t since_ms)
{
    check_signer(v, what, signer, since_ms, UINT64_MAX);
}

static bool check_promise(struct verification *v, const struct promise *p)
{
    uint64_t accepted;
    bool path, signature, index;

    index = verify_note(v, "promise-index", p->index < p->terms.count, "index %" PRIu64 " of %" PRIu64, p->index, p->terms.count);
    path = verify_hash(v, "promise-path", "the receipt is among those promised", tree_fold(tree_promise_leaf(v->hash), &p->path),
                       p->terms.root);
    signature = verify_signature(v, "promise-signature", &p->signature, promise_struct_hash(&p->terms), p->signer);
    verify_signer(v, "promise", p->signer, p->terms.accepted_at_ms);
    verify_note(v, "acceptedAt", json_get_u64(json_member(v->answer, "acceptedAt"), &accepted) && accepted == p->terms.accepted_at_ms,
                "the receipt's is the promise's");
    return index && path && signature;
}

static enum promise_state judge(struct verification *v, const struct inclusion_promise *p)
{
    bool standing = v->in_tree && !v->cancelled, late = v->now_ms > p->settle_by_ms;

    if (standing && v->committed_at_s * 1000 > p->settle_by_ms) {
        verify_note(v, "promise-kept", false, "committed %" PRIu64 " s after settleBy", v->committed_at_s - p->settle_by_ms / 1000);
        return PROMISE_BROKEN;
    }
    if (standing && v->active) {
        verify_note(v, "promise-kept", true, "in settlement %" PRIu64 ", committed in time", v->content.sequence);
        return PROMISE_KEPT;
    }
    if (standing || !late)
        return PROMISE_PENDING;
    verify_note(v, "promise-kept", false, "settleBy %" PRIu64 " has passed at %" PRIu64 " and the receipt is in no committed settlement",
                p->settle_by_ms, v->now_ms);
    return PROMISE_BROKEN;
}

void verify_promise(struct verification *v)
{
    const json *object = json_member(v->answer, "promise");
    struct promise p;

    if (object == NULL) {
        if (json_member(v->answer, "acceptedAt") != NULL)
            verify_unchecked(v, "the promise: the answer holds none (whoever posted the receipt has it)");
        return;
    }
    /* A promise that does not hold together promises nothing. */
    if (v->has_hash && read_promise(v, object, &p) && check_promise(v, &p))
        v->report->promise = judge(v, &p.terms);
}
