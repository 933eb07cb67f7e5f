#include "gateway/audit/verify_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/settlement.h"
#include "gateway/base/hex.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/secp.h"

#define DETAIL_MAX 400

const char *promise_state_name(enum promise_state state)
{
    switch (state) {
    case PROMISE_NONE:    return "none";
    case PROMISE_KEPT:    return "kept";
    case PROMISE_PENDING: return "pending";
    case PROMISE_BROKEN:  return "broken";
    }
    bug("promise state %d", (int)state);
}

void verify_report_clear(struct verify_report *report)
{
    json_free(report->checks);
    json_free(report->unchecked);
    *report = (struct verify_report){ 0 };
}

bool verify_note(struct verification *v, const char *name, bool holds, const char *format, ...)
{
    json *check = json_new_object();
    char detail[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    json_put_text(check, "name", name);
    json_put_bool(check, "ok", holds);
    json_put_text(check, "detail", detail);
    json_add(v->report->checks, check);
    if (!holds && v->report->ok)
        snprintf(v->report->first_wrong, sizeof v->report->first_wrong, "%s: %.120s", name, detail);
    v->report->ok = v->report->ok && holds;
    return holds;
}

void verify_unchecked(struct verification *v, const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_add(v->report->unchecked, json_new_text(text));
}

bool verify_hash(struct verification *v, const char *name, const char *what, struct hash computed, struct hash found)
{
    char expected[HASH_TEXT], got[HASH_TEXT];

    hash_to_text(computed, expected);
    hash_to_text(found, got);
    return hash_eq(computed, found) ? verify_note(v, name, true, "%s", what)
                                    : verify_note(v, name, false, "%s: computed %s, found %s", what, expected, got);
}

bool verify_address(struct verification *v, const char *name, const char *what, struct address computed, struct address found)
{
    char expected[ADDRESS_TEXT], got[ADDRESS_TEXT];

    address_to_text(computed, expected);
    address_to_text(found, got);
    return address_eq(computed, found) ? verify_note(v, name, true, "%s", what)
                                       : verify_note(v, name, false, "%s: expected %s, found %s", what, expected, got);
}

bool verify_shape(struct verification *v, const char *name, const char *member, bool well_formed)
{
    return well_formed || verify_note(v, name, false, "%s is missing or of another form", member);
}

bool verify_text_is(const json *value, const char *text)
{
    const char *got;
    size_t len;

    return json_get_text(value, &got, &len) && strcmp(got, text) == 0;
}

const json *verify_member(const struct verification *v, const char *object, const char *member)
{
    return json_member(json_member(v->answer, object), member);
}

bool verify_read_path(const json *array, struct proof *path)
{
    if (array == NULL || json_kind_of(array) != JSON_KIND_ARRAY || json_count(array) > TREE_DEPTH_MAX)
        return false;
    path->len = json_count(array);
    for (size_t i = 0; i < path->len; i++)
        if (!json_get_hash(json_at(array, i), &path->path[i]))
            return false;
    return true;
}

bool verify_signature(struct verification *v, const char *name, const struct signature *sig, struct hash struct_hash, struct address signer)
{
    struct address found;
    char text[ADDRESS_TEXT];
    struct err err = { 0 };

    if (!secp_recover(sig, typed_digest(&v->config->domain, struct_hash), &found, &err))
        return verify_note(v, name, false, "no signature: %s", err.text);
    address_to_text(signer, text);
    return address_eq(found, signer) ? verify_note(v, name, true, "by %s", text)
                                     : verify_address(v, name, "who signed it", signer, found);
}

/* ---- which token, which time ---- */

static bool read_surroundings(struct verification *v, struct err *err)
{
    struct settlement_view view;
    struct block latest;

    v->now_ms = v->config->now_ms;
    v->has_token = v->config->has_token;
    v->token = v->config->token;
    if (v->config->rpc == NULL)
        return true;
    if (!settlement_read(v->config->rpc, v->config->domain.contract, &view, err)
        || !rpc_block(v->config->rpc, BLOCK_LATEST, &latest, err))
        return false;
    /* A settlement is late by the chain's time, which may run ahead of ours or behind it. */
    if (latest.timestamp_s * 1000 > v->now_ms)
        v->now_ms = latest.timestamp_s * 1000;
    if (v->has_token)
        verify_address(v, "token", "the contract's token", view.token, v->token);
    v->has_token = true;
    v->token = view.token;
    return true;
}

static bool verify_receipt_answer(struct verification *v, struct err *err)
{
    verify_receipt(v);
    verify_quote(v);
    verify_settlement(v);
    if (v->config->rpc != NULL && !verify_on_chain(v, err))
        return false;
    if (v->config->rpc == NULL && v->has_settlement)
        verify_unchecked(v, "without --rpc: that the header is the contract's, and what was paid");
    verify_payments(v);
    verify_promise(v);
    return true;
}

static bool verify_charges_answer(struct verification *v, struct err *err)
{
    struct charges charges = { 0 };
    bool ok = !verify_charge_statement(v, v->answer, &charges) || verify_archived(v, &charges, err);

    free(charges.lines);
    return ok;
}

enum answer_kind { ANSWER_RECEIPT, ANSWER_CLAIM, ANSWER_CHARGES, ANSWER_SAVINGS };

/* By two members that no other answer has together. */
static bool kind_of(const json *answer, enum answer_kind *kind)
{
    static const char *const members[][2] = {
        [ANSWER_RECEIPT] = { "receipt", "hash" }, [ANSWER_CLAIM] = { "claimable", "calldata" }, [ANSWER_CHARGES] = { "receipts", "csv" },
        [ANSWER_SAVINGS] = { "referenceCost", "csv" },
    };
    unsigned found = 0;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_member(answer, members[i][0]) != NULL && json_member(answer, members[i][1]) != NULL) {
            *kind = (enum answer_kind)i;
            found++;
        }
    return found == 1;
}

static bool verify_kind(struct verification *v, enum answer_kind kind, struct err *err)
{
    switch (kind) {
    case ANSWER_RECEIPT: return verify_receipt_answer(v, err);
    case ANSWER_CLAIM:   return verify_claim(v, err);
    case ANSWER_CHARGES: return verify_charges_answer(v, err);
    case ANSWER_SAVINGS: return verify_savings(v, err);
    }
    bug("answer kind %d", (int)kind);
}

bool verify_answer(const struct verify_config *config, const json *answer, struct verify_report *report, struct err *err)
{
    struct verification v = { .config = config, .answer = answer, .report = report };
    enum answer_kind kind;
    bool ok;

    *report = (struct verify_report){ .ok = true };
    if (!kind_of(answer, &kind))
        return err_set(err, ERR_INVALID, "neither a proof, the answer to GET /v1/receipts/{jobId} or GET /v1/accounts/{address}/claim, nor a"
                       " statement, the answer to GET /v1/accounts/{address}/charges?from=&until= or .../savings");
    report->checks = json_new_array();
    report->unchecked = json_new_array();
    ok = read_surroundings(&v, err) && verify_kind(&v, kind, err);
    if (!ok)
        verify_report_clear(report);
    return ok;
}
