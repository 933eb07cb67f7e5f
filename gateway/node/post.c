/* gateway/node/post.c - see post.h. */
#include "gateway/node/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/http.h"
#include "gateway/base/clock.h"
#include "gateway/base/mem.h"
#include "gateway/core/receipt_json.h"
#include "gateway/core/tree.h"

#define REQUEST_TIMEOUT_MS 60000
#define ANSWER_MAX (32 * MIB)
#define PAUSE_MAX_MS 8000

struct poster {
    struct post_config config;
    struct http_client *http;
    struct signed_receipt *waiting;
    size_t count;
    struct post_counts counts;
    void (*refused)(void *self, const char *item);
    void *refused_self;
};

struct poster *poster_new(const struct post_config *config)
{
    struct poster *p = mem_new(sizeof *p);

    p->config = *config;
    p->http = http_new();
    p->waiting = mem_array(config->per_request, sizeof *p->waiting);
    return p;
}

void poster_free(struct poster *poster)
{
    if (poster == NULL)
        return;
    http_free(poster->http);
    free(poster->waiting);
    free(poster);
}

const struct post_counts *poster_counts(const struct poster *poster)
{
    return &poster->counts;
}

void poster_on_refused(struct poster *poster, void (*refused)(void *self, const char *item), void *self)
{
    poster->refused = refused;
    poster->refused_self = self;
}

/* {"bundle":{provider,root,count,signature},"receipts":[...]} around the receipts (design 3). */
static bool wrap_bundle(const struct poster *p, json *receipts, json **body, struct err *err)
{
    struct hash *leaves = mem_array(p->count, sizeof *leaves);
    struct receipt_bundle b = { .provider = p->waiting[0].receipt.provider, .count = p->count };
    struct signature sig;
    json *bundle;

    for (size_t i = 0; i < p->count; i++)
        leaves[i] = receipt_struct_hash(&p->waiting[i].receipt);
    tree_promise_leaves(leaves, p->count, leaves);
    b.root = tree_root(leaves, p->count);
    free(leaves);
    if (!signer_sign_digest(p->config.signer, typed_digest(&p->config.domain, bundle_struct_hash(&b)), &sig, err))
        return false;
    bundle = json_new_object();
    json_put_address(bundle, "provider", b.provider);
    json_put_hash(bundle, "root", b.root);
    json_put_u64(bundle, "count", b.count);
    json_put_signature(bundle, "signature", &sig);
    *body = json_new_object();
    json_put(*body, "bundle", bundle);
    json_put(*body, "receipts", json_share(receipts));
    return true;
}

static bool encode(const struct poster *p, struct buf *text, struct err *err)
{
    json *receipts = json_new_array(), *body = NULL;
    bool ok = true;

    for (size_t i = 0; i < p->count; i++) {
        struct signed_receipt r = p->waiting[i];

        r.has_signature = r.has_signature && !p->config.bundles;
        json_add(receipts, receipt_to_json(&r));
    }
    if (p->config.bundles)
        ok = wrap_bundle(p, receipts, &body, err);
    if (ok)
        json_write(p->config.bundles ? body : receipts, text);
    json_free(body);
    json_free(receipts);
    return ok && (!text->failed || err_set(err, ERR_LIMIT, "the request is too large: post fewer at once"));
}

static void report_refused(const struct poster *p, const json *item)
{
    struct buf text;

    if (p->refused == NULL)
        return;
    buf_init(&text);
    json_write(item, &text);
    p->refused(p->refused_self, buf_text(&text));
    buf_clear(&text);
}

/* Prefer: return=minimal gives only what was not accepted, and the counts. */
static bool count_answer(struct poster *p, const struct http_answer *answer, struct err *err)
{
    static const char *const names[] = { "accepted", "duplicate", "quarantined", "rejected" };
    uint64_t *const totals[] = { &p->counts.accepted, &p->counts.duplicate, &p->counts.quarantined, &p->counts.rejected };
    json *body;
    const json *results;

    if (!json_read(answer->body.data, answer->body.len, &body, err))
        return err_prefix(err, "the gateway's answer");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        uint64_t n = 0;

        if (!json_get_u64(json_member(json_member(body, "counts"), names[i]), &n)) {
            json_free(body);
            return err_set(err, ERR_INVALID, "the gateway's answer has no counts.%s", names[i]);
        }
        *totals[i] += n;
    }
    results = json_member(body, "results");
    for (size_t i = 0; i < json_count(results); i++)
        report_refused(p, json_at(results, i));
    json_free(body);
    return true;
}

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_FAILED };

static enum attempt try_once(struct poster *p, const struct buf *text, uint64_t *pause_ms, struct err *err)
{
    char url[512];
    struct http_request request = {
        .method = "POST", .url = url, .headers = { "Content-Type: application/json", "Prefer: return=minimal" },
        .body = text->data, .body_len = text->len, .timeout_ms = REQUEST_TIMEOUT_MS, .max_bytes = ANSWER_MAX,
    };
    struct http_answer answer;
    enum attempt result = ATTEMPT_DONE;

    snprintf(url, sizeof url, "%s/v1/receipts", p->config.url);
    p->counts.requests++;
    /* A lost answer is no loss: the same receipts again are answered as duplicates. */
    if (!http_do(p->http, &request, &answer, err))
        return ATTEMPT_AGAIN;
    if (answer.status == 429 || answer.status == 503) {
        if (answer.retry_after_s > 0)
            *pause_ms = answer.retry_after_s * 1000;
        err_set(err, ERR_AGAIN, "the gateway answers %d", answer.status);
        result = ATTEMPT_AGAIN;
    } else if (answer.status != 200) {
        err_set(err, ERR_INVALID, "the gateway refuses the request with %d: %.300s", answer.status, buf_text(&answer.body));
        result = ATTEMPT_FAILED;
    } else if (!count_answer(p, &answer, err)) {
        result = ATTEMPT_FAILED;
    }
    http_answer_clear(&answer);
    return result;
}

MUST_USE bool poster_flush(struct poster *p, struct err *err)
{
    uint64_t start = clock_monotonic_ms(), pause_ms = 200;
    struct buf text;
    enum attempt result;

    if (p->count == 0)
        return true;
    buf_init(&text);
    if (!encode(p, &text, err)) {
        buf_clear(&text);
        return false;
    }
    while ((result = try_once(p, &text, &pause_ms, err)) == ATTEMPT_AGAIN && clock_monotonic_ms() - start < p->config.give_up_ms) {
        p->counts.retries++;
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause_ms * 2;
    }
    buf_clear(&text);
    if (result != ATTEMPT_DONE)
        return false;
    p->counts.sent += p->count;
    p->count = 0;
    return true;
}

MUST_USE bool poster_add(struct poster *p, const struct signed_receipt *receipt, struct err *err)
{
    p->waiting[p->count++] = *receipt;
    return p->count < p->config.per_request || poster_flush(p, err);
}

MUST_USE bool node_fetch_domain(const char *url, struct domain *domain, struct err *err)
{
    char full[512];
    struct http_client *http = http_new();
    struct http_request request = { .method = "GET", .url = full, .timeout_ms = 10000, .max_bytes = MIB };
    struct http_answer answer;
    struct address contract;
    uint64_t chain_id;
    json *body = NULL;
    bool ok;

    snprintf(full, sizeof full, "%s/v1/info", url);
    ok = http_do(http, &request, &answer, err);
    http_free(http);
    if (!ok)
        return err_prefix(err, "%s", full);
    ok = json_read(answer.body.data, answer.body.len, &body, err);
    if (ok && (!json_get_u64(json_member(body, "chainId"), &chain_id) || !json_get_address(json_member(body, "contract"), &contract)))
        ok = err_set(err, ERR_INVALID, "%s does not answer with chainId and contract", full);
    if (ok)
        domain_init(domain, chain_id, contract);
    json_free(body);
    http_answer_clear(&answer);
    return ok;
}
