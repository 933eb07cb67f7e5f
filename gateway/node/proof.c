/* With until_proof: asks for what was answered until each has a proof (poster.h).
 *
 * Goes round the kept receipts in order, and rests once many in a row have none: receipts are settled in batches, so most have a
 * proof at once or none has. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/core/tree.h"
#include "gateway/lib/address_text.h"
#include "gateway/node/poster.h"
#include "gateway/node/refused.h"

#define REQUEST_TIMEOUT_MS 20000
#define ANSWER_MAX (1 * MIB)
#define REST_MS 3000
#define IN_A_ROW 50                           /* without a proof: rest */
#define ACCESS_MS (UINT64_C(10) * 60 * 1000)

struct prover {
    struct poster *p;
    struct http_client *http;
    struct domain domain;
    char access[256];                         /* Quittance-Auth: ..., or empty */
    uint64_t access_until_ms;
    struct spool_cursor at;
};

enum found { FOUND_PROOF, FOUND_WRONG_PROOF, FOUND_NONE_YET, FOUND_NOTHING, FOUND_REFUSED, FOUND_AWAY, FOUND_FAILED };

/* Where only parties may read a receipt, its provider says who it is (design 6). */
static bool renew_access(struct prover *v, struct err *err)
{
    const struct signer *signer = v->p->config->signer;
    uint64_t now = clock_now_ms(&clock_system);
    char account[ADDRESS_TEXT], text[SIGNATURE_TEXT];
    struct signature sig;
    struct access access;

    if (signer == NULL || now + ACCESS_MS / 2 < v->access_until_ms)
        return true;
    if (!poster_domain(v->p, v->http, false, &v->domain, err))
        return false;
    access = (struct access){ signer_address(signer), now + ACCESS_MS };
    if (!signer_sign_digest(signer, typed_digest(&v->domain, access_struct_hash(&access)), &sig, err))
        return false;
    address_to_text(access.account, account);
    signature_to_text(&sig, text);
    snprintf(v->access, sizeof v->access, "Quittance-Auth: %s %" PRIu64 " %s", account, access.expires_ms, text);
    v->access_until_ms = access.expires_ms;
    return true;
}

static bool read_path(const json *path, struct proof *proof)
{
    proof->len = json_count(path);
    if (path == NULL || proof->len > TREE_DEPTH_MAX)
        return false;
    for (size_t i = 0; i < proof->len; i++)
        if (!json_get_hash(json_at(path, i), &proof->path[i]))
            return false;
    return true;
}

/* Does inclusion {index, salt, proof} lead from this very receipt to the root of its settlement? */
static bool is_proven(const json *answer, const struct receipt *r)
{
    const json *inclusion = json_member(answer, "inclusion");
    struct hash salt, root;
    struct proof proof;
    uint64_t index;

    if (!json_get_u64(json_member(inclusion, "index"), &index) || !json_get_hash(json_member(inclusion, "salt"), &salt)
        || !read_path(json_member(inclusion, "proof"), &proof)
        || !json_get_hash(json_member(json_member(answer, "settlement"), "receiptsRoot"), &root))
        return false;
    return hash_eq(root, tree_fold(tree_receipts_leaf(index, r->job_id, r->provider, salt, receipt_struct_hash(r)), &proof));
}

static enum found read_answer(const json *answer, const struct receipt *r, struct err *err)
{
    const char *state = "";
    struct hash hash;
    size_t len;

    if (!json_get_hash(json_member(answer, "hash"), &hash) || !json_get_text(json_member(answer, "state"), &state, &len)) {
        err_set(err, ERR_AGAIN, "the answer for a receipt has no hash and state");
        return FOUND_AWAY;
    }
    if (!hash_eq(hash, receipt_struct_hash(r)))
        return FOUND_NOTHING;                 /* other content for this job: post it again and be told the conflict */
    if (strcmp(state, "refused") == 0)
        return FOUND_REFUSED;
    if (strcmp(state, "committed") != 0 && strcmp(state, "paid") != 0)
        return FOUND_NONE_YET;
    return is_proven(answer, r) ? FOUND_PROOF : FOUND_WRONG_PROOF;
}

static enum found judge(const struct http_answer *answer, const struct receipt *r, json **body, struct err *err)
{
    if (answer->status == 404)
        return FOUND_NOTHING;
    if (answer->status == 429 || answer->status >= 500) {
        err_set(err, ERR_AGAIN, "the gateway answers %d", answer->status);
        return FOUND_AWAY;
    }
    if (answer->status != 200) {
        err_set(err, ERR_CONFIG, "asking for a receipt's proof the gateway answers %d%s", answer->status,
                answer->status == 401 || answer->status == 403 ? ": only parties may read it there, give the provider's --key" : "");
        return FOUND_FAILED;
    }
    if (!json_read(answer->body.data, answer->body.len, body, err))
        return FOUND_AWAY;
    return read_answer(*body, r, err);
}

static enum found ask(struct prover *v, const struct receipt *r, json **body, unsigned *retry_after_s, struct err *err)
{
    char url[640], job[JOB_ID_TEXT], provider[ADDRESS_TEXT];
    struct http_request request = { .method = "GET", .url = url, .timeout_ms = REQUEST_TIMEOUT_MS, .max_bytes = ANSWER_MAX };
    struct http_answer answer;
    enum found found;

    if (!renew_access(v, err))
        return err->code == ERR_AGAIN ? FOUND_AWAY : FOUND_FAILED;
    if (v->access[0] != '\0')
        request.headers[0] = v->access;
    job_id_to_text(r->job_id, job);
    address_to_text(r->provider, provider);
    snprintf(url, sizeof url, "%s/v1/receipts/%s?provider=%s", v->p->config->url, job, provider);
    if (!http_do(v->http, &request, &answer, err))
        return err->code == ERR_CONFIG ? FOUND_FAILED : FOUND_AWAY;
    *retry_after_s = answer.retry_after_s;
    found = judge(&answer, r, body, err);
    http_answer_clear(&answer);
    return found;
}

/* An operator has refused what was quarantined: the last word, and no proof will come. */
static bool let_go_refused(struct prover *v, const struct spool_item *item, const json *body, struct err *err)
{
    struct buf line;
    bool ok;

    buf_init(&line);
    refused_line(body, &item->receipt, &line);
    ok = refused_write(v->p->config->spool_dir, &line, err) && spool_release(v->p->spool, item, 1, err);
    buf_clear(&line);
    return ok;
}

static void note(struct poster *p, uint64_t *count)
{
    pthread_mutex_lock(&p->lock);
    (*count)++;
    p->failing_since_ms = 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* One receipt; *in_a_row counts what has no proof. */
static bool look_at(struct prover *v, const struct spool_item *item, unsigned *in_a_row, struct err *err)
{
    struct poster *p = v->p;
    unsigned retry_after_s = 0;
    json *body = NULL;
    bool ok = true;

    switch (ask(v, &item->receipt.receipt, &body, &retry_after_s, err)) {
    case FOUND_PROOF:
        ok = spool_release(p->spool, item, 1, err);
        note(p, &p->counts.proven);
        *in_a_row = 0;
        break;
    case FOUND_WRONG_PROOF:                   /* kept, and said; the others go on */
        note(p, &p->counts.wrong_proofs);
        (*in_a_row)++;
        break;
    case FOUND_NONE_YET:
        (*in_a_row)++;
        break;
    case FOUND_NOTHING:
        spool_again(p->spool, item);
        note(p, &p->counts.reposted);
        break;
    case FOUND_REFUSED:
        ok = let_go_refused(v, item, body, err);
        note(p, &p->counts.rejected);
        break;
    case FOUND_AWAY:
        poster_failing(p, err, retry_after_s);
        *in_a_row = IN_A_ROW;                 /* rest */
        break;
    case FOUND_FAILED:
        ok = false;
        break;
    }
    json_free(body);
    return ok;
}

static bool go_round(struct prover *v, struct err *err)
{
    struct spool_item item;
    unsigned in_a_row = 0;
    bool found = true, ok = true;

    while (ok && found && in_a_row < IN_A_ROW && in_a_row < spool_left(v->p->spool) && !atomic_load(&v->p->stop)) {
        ok = spool_next_kept(v->p->spool, &v->at, &item, &found, err);
        if (ok && found)
            ok = look_at(v, &item, &in_a_row, err);
    }
    return ok;
}

void *proof_main(void *poster)
{
    struct prover v = { .p = poster, .http = http_new() };
    struct poster *p = poster;
    struct err err = { 0 };
    bool done = false;

    http_set_stop(v.http, &p->stop);
    while (!done && !atomic_load(&p->stop)) {
        if (!go_round(&v, &err) && !atomic_load(&p->stop))
            poster_fail(p, &err);
        pthread_mutex_lock(&p->lock);
        done = p->ended && spool_left(p->spool) == 0;
        pthread_mutex_unlock(&p->lock);
        if (!done)
            (void)poster_sleep_until(p, clock_monotonic_ms() + REST_MS);
    }
    http_free(v.http);
    return NULL;
}
