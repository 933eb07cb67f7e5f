#include "api/receipts_decode.h"

#include <stdlib.h>

#include "api/problem.h"
#include "gateway/base/mem.h"
#include "gateway/core/members.h"
#include "gateway/core/receipt_json.h"

/* Of one request: an item may have two dozen, so ten thousand bad ones would be told at great length. */
#define FAULTS_KEPT_MAX 20000u
#define SIGNATURE_BYTES sizeof(struct signature)

static bool make_items(struct submission *s, size_t count, struct reply *reply)
{
    if (count > RECEIPTS_ITEMS_MAX) {
        problem(reply, 413, "too-large", "%zu receipts in one request; at most %d are taken.", count,
                RECEIPTS_ITEMS_MAX);
        return false;
    }
    s->items = mem_array(count, sizeof *s->items);
    s->count = count;
    return true;
}

/* Beyond that an item keeps its first fault, which has its code. */
static void cap_faults(struct faults *faults, size_t *kept)
{
    if (faults->count > 1 && *kept + faults->count > FAULTS_KEPT_MAX) {
        faults->list = mem_grow(faults->list, 1, sizeof *faults->list);
        faults->count = 1;
    }
    *kept += faults->count;
}

static void read_item(const json *object, enum receipt_form form, struct intake_item *item)
{
    receipt_from_json(object, form, &item->signed_, &item->has_job_id, &item->faults);
}

static bool malformed(struct reply *reply, const char *detail)
{
    problem(reply, 400, "malformed", "%s", detail);
    return false;
}

static bool decode_array(const json *array, struct submission *s, struct reply *reply)
{
    size_t kept = 0;

    if (!make_items(s, json_count(array), reply))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        read_item(json_at(array, i), RECEIPT_SINGLE, &s->items[i]);
        cap_faults(&s->items[i].faults, &kept);
    }
    return true;
}

/* What most senders write: well-formed receipts, alone or in an array, without a tree of values.  false: nothing was taken, and
 * the full reader finds out what it is. */
static bool decode_text(const struct buf *body, struct submission *s, bool *single)
{
    struct fast c = { buf_text(body), buf_text(body) + body->len };
    size_t count = 0, done = 0;

    fast_blanks(&c);
    *single = !FAST(&c, "[");
    fast_blanks(&c);
    for (const char *at = c.at; at < c.end && (at = memchr(at, '{', (size_t)(c.end - at))) != NULL; at++)
        count++;
    if (count == 0 || count > (*single ? 1 : RECEIPTS_ITEMS_MAX))
        return false;
    s->items = mem_array(count, sizeof *s->items);
    while (done < count && receipt_from_text(&c, RECEIPT_SINGLE, &s->items[done].signed_)) {
        s->items[done++].has_job_id = true;
        if (*single || !FAST(&c, ","))
            break;
        fast_blanks(&c);
    }
    if (!*single && FAST(&c, "]"))
        fast_blanks(&c);
    else if (!*single)
        done = 0;
    if (done == count && c.at == c.end) {
        s->count = count;
        return true;
    }
    free(s->items);
    s->items = NULL;
    return false;
}

/* {provider, root, count, signature} */
static bool read_bundle(const json *object, struct submission *s, struct err *err)
{
    static const char *const names[] = { "provider", "root", "count", "signature" };

    if (!members_known(object, names, ARRAY_LEN(names), err))
        return false;
    if (!json_get_address(json_member(object, "provider"), &s->bundle.provider))
        return err_set(err, ERR_INVALID, "bundle: provider must be a string of 0x and 40 hex digits");
    if (!json_get_hash(json_member(object, "root"), &s->bundle.root))
        return err_set(err, ERR_INVALID, "bundle: root must be a string of 0x and 64 hex digits");
    if (!json_get_u64(json_member(object, "count"), &s->bundle.count))
        return err_set(err, ERR_INVALID, "bundle: count must be an integer");
    if (!json_get_signature(json_member(object, "signature"), &s->bundle_signature))
        return err_set(err, ERR_INVALID, "bundle: signature must be a string of 0x and 130 hex digits");
    return true;
}

static bool decode_bundle(const json *object, struct submission *s, struct reply *reply)
{
    static const char *const names[] = { "bundle", "receipts" };
    const json *receipts = json_member(object, "receipts");
    struct err err = { 0 };
    size_t kept = 0;

    if (!members_known(object, names, ARRAY_LEN(names), &err) || !read_bundle(json_member(object, "bundle"), s, &err))
        return malformed(reply, err.text);
    if (receipts == NULL || json_kind_of(receipts) != JSON_KIND_ARRAY)
        return malformed(reply, "receipts must be an array.");
    if (!make_items(s, json_count(receipts), reply))
        return false;
    s->is_bundle = true;
    s->bundle_root_given = true;
    for (size_t i = 0; i < s->count; i++) {
        read_item(json_at(receipts, i), RECEIPT_BUNDLED, &s->items[i]);
        cap_faults(&s->items[i].faults, &kept);
    }
    return true;
}

static bool decode_single(const json *object, struct submission *s, struct reply *reply)
{
    if (!make_items(s, 1, reply))
        return false;
    read_item(object, RECEIPT_SINGLE, &s->items[0]);
    return true;
}

/* CloudEvents 1.0.2: these four attributes are required; others, also extensions, are the sender's own. */
static void read_event(const json *event, struct intake_item *item)
{
    static const struct { const char *name, *value; } required[] = {
        { "specversion", "1.0" }, { "type", "network.quittance.receipt.v1" }, { "id", NULL }, { "source", NULL },
    };
    const json *data = json_member(event, "data");
    const char *text;
    size_t len;

    if (json_kind_of(event) != JSON_KIND_OBJECT) {
        faults_add(&item->faults, CODE_MALFORMED, "", "not an object");
        return;
    }
    if (data != NULL)
        read_item(data, RECEIPT_SINGLE, item);
    else
        faults_add(&item->faults, CODE_MALFORMED, "/data", "missing");
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        char pointer[32] = "/";

        strncat(pointer, required[i].name, sizeof pointer - 2);
        if (!json_get_text(json_member(event, required[i].name), &text, &len) || len == 0)
            faults_add(&item->faults, CODE_MALFORMED, pointer, "a text is required in a CloudEvent");
        else if (required[i].value != NULL && strcmp(text, required[i].value) != 0)
            faults_add(&item->faults, CODE_MALFORMED, pointer, "must be \"%s\"", required[i].value);
    }
}

static bool decode_events(const json *events, struct submission *s, struct reply *reply)
{
    bool batch = json_kind_of(events) == JSON_KIND_ARRAY;
    size_t kept = 0;

    if (!make_items(s, batch ? json_count(events) : 1, reply))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        read_event(batch ? json_at(events, i) : events, &s->items[i]);
        cap_faults(&s->items[i].faults, &kept);
    }
    return true;
}

/* Newline-delimited JSON: a line that is no JSON is that item's fault alone. */
static void read_line(const char *line, size_t len, struct intake_item *item)
{
    struct fast c = { line, line + len };
    struct err err = { 0 };
    json *object;

    if (receipt_from_text(&c, RECEIPT_SINGLE, &item->signed_) && c.at == c.end) {
        item->has_job_id = true;
        return;
    }
    if (!json_read(line, len, &object, &err)) {
        faults_add(&item->faults, CODE_MALFORMED, "", "%s", err.text);
        return;
    }
    read_item(object, RECEIPT_SINGLE, item);
    json_free(object);
}

static size_t line_len(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);
}

static bool is_blank(const char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
        len--;
    return len == 0;
}

static bool decode_lines(const struct buf *body, struct submission *s, struct reply *reply)
{
    const char *text = buf_text(body), *end = text + body->len;
    size_t count = 0, kept = 0;

    for (const char *at = text; at < end; at += line_len(at, end) + 1)
        count += !is_blank(at, line_len(at, end));
    if (!make_items(s, count, reply))
        return false;
    count = 0;
    for (const char *at = text; at < end; at += line_len(at, end) + 1)
        if (!is_blank(at, line_len(at, end))) {
            read_line(at, line_len(at, end), &s->items[count]);
            cap_faults(&s->items[count++].faults, &kept);
        }
    return true;
}

/* 65 bytes of bundle signature, then 416 bytes a receipt; provider and count are those of the receipts. */
static bool decode_binary(const struct buf *body, struct submission *s, struct reply *reply)
{
    size_t count = body->len > SIGNATURE_BYTES ? (body->len - SIGNATURE_BYTES) / RECEIPT_WORDS : 0, kept = 0;
    const uint8_t *words;
    struct hash *hashes;

    if (count == 0 || body->len != SIGNATURE_BYTES + count * RECEIPT_WORDS)
        return malformed(reply, "A binary bundle is 65 bytes and 416 for each receipt, at least one.");
    if (!make_items(s, count, reply))
        return false;
    memcpy(s->bundle_signature.b, body->data, SIGNATURE_BYTES);
    words = body->data + SIGNATURE_BYTES;
    hashes = mem_array(count, sizeof *hashes);
    receipt_words_hashes(words, count, hashes);
    for (size_t i = 0; i < count; i++) {
        struct intake_item *item = &s->items[i];

        receipt_from_words(words + i * RECEIPT_WORDS, &item->signed_.receipt, &item->faults);
        item->hash = hashes[i];
        item->has_hash = true;
        item->has_job_id = true;
        cap_faults(&item->faults, &kept);
    }
    free(hashes);
    s->is_bundle = true;
    s->bundle.provider = s->items[0].signed_.receipt.provider;
    s->bundle.count = count;
    return true;
}

typedef bool decode_fn(const json *value, struct submission *s, struct reply *reply);

static bool decode_json(const struct buf *body, decode_fn *decode, struct submission *s, struct reply *reply)
{
    struct err err = { 0 };
    json *value;
    bool ok;

    if (!json_read(buf_text(body), body->len, &value, &err))
        return malformed(reply, err.text);
    ok = decode(value, s, reply);
    json_free(value);
    return ok;
}

/* application/json is one object, an array or a bundle. */
static bool decode_any(const json *value, struct submission *s, struct reply *reply)
{
    if (json_kind_of(value) == JSON_KIND_ARRAY)
        return decode_array(value, s, reply);
    if (json_member(value, "bundle") != NULL)
        return decode_bundle(value, s, reply);
    return decode_single(value, s, reply);
}

bool receipts_decode(const char *content_type, const struct buf *body, struct submission *submission, bool *single,
                     struct reply *reply)
{
    *single = false;
    if (content_type == NULL || header_is_type(content_type, "application/json")) {
        const char *text = buf_text(body);

        if (decode_text(body, submission, single))
            return true;
        *single = false;
        if (!decode_json(body, decode_any, submission, reply))
            return false;
        *single = !submission->is_bundle && text[strspn(text, " \t\r\n")] != '[';
        return true;
    }
    if (header_is_type(content_type, "application/x-ndjson"))
        return decode_lines(body, submission, reply);
    if (header_is_type(content_type, "application/cloudevents+json")
        || header_is_type(content_type, "application/cloudevents-batch+json"))
        return decode_json(body, decode_events, submission, reply);
    if (header_is_type(content_type, "application/vnd.quittance.bundle"))
        return decode_binary(body, submission, reply);
    problem(reply, 415, "unsupported-media-type",
            "Receipts come as JSON, NDJSON, CloudEvents or application/vnd.quittance.bundle.");
    return false;
}
