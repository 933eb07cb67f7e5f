#include "gateway/core/archive_fast.h"

#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/core/fast.h"
#include "gateway/lib/address_text.h"

static bool take_signatures(struct fast *c, struct archive_receipt *r)
{
    if (!fast_signatures(c, &r->receipt))
        return false;
    r->has_bundle = !r->receipt.has_signature;
    return !r->has_bundle
        || (fast_name(c, "bundle") && fast_hex(c, r->bundle_root.b, sizeof r->bundle_root.b)
            && fast_name(c, "index") && fast_number(c, &r->bundle_index));
}

/* A line with a delegated key is rare: it is left to the other reader. */
bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt)
{
    struct fast c = { text, text + len };
    struct archive_receipt r = { 0 };

    if (!FAST(&c, "{\"type\":\"receipt\"") || !fast_receipt(&c, ",", &r.receipt.receipt)
        || !take_signatures(&c, &r) || !fast_name(&c, "salt") || !fast_hex(&c, r.salt.b, sizeof r.salt.b)
        || !fast_name(&c, "acceptedAt") || !fast_number(&c, &r.accepted_at_ms)
        || !fast_name(&c, "priceVersion") || !fast_number(&c, &r.price_version)
        || !fast_name(&c, "amount") || !fast_amount(&c, &r.amount) || !FAST(&c, "}") || c.at != c.end)
        return false;
    *receipt = r;
    return true;
}

/* -- writing -- */

#define LINE_MAX_BYTES 2048u                  /* the longest there can be has 1161 (seal.h) */

static char *put_text(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

static char *put_name(char *at, const char *name)
{
    at = put_text(at, ",\"");
    at = put_text(at, name);
    return put_text(at, "\":");
}

static char *put_hex(char *at, const uint8_t *bytes, size_t len)
{
    *at++ = '"';
    hex_encode(bytes, len, at);
    at += 2 * len + 2;
    *at++ = '"';
    return at;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_field(char *at, const struct receipt_field *f, const struct receipt *r)
{
    const void *field = (const uint8_t *)r + f->offset;
    struct address address;
    struct job_id job;
    uint64_t number;

    switch (f->kind) {
    case FIELD_JOB_ID:
        memcpy(&job, field, sizeof job);
        *at++ = '"';
        job_id_to_text(job, at);
        at += JOB_ID_TEXT - 1;
        *at++ = '"';
        return at;
    case FIELD_ADDRESS:
        memcpy(&address, field, sizeof address);
        *at++ = '"';
        address_to_text(address, at);
        at += ADDRESS_TEXT - 1;
        *at++ = '"';
        return at;
    case FIELD_HASH:
        return put_hex(at, field, sizeof(struct hash));
    case FIELD_COUNT:
    case FIELD_TIME:
        memcpy(&number, field, sizeof number);
        return put_number(at, number);
    }
    bug("receipt field kind %d", (int)f->kind);
}

static char *put_signatures(char *at, const struct archive_receipt *r)
{
    if (r->receipt.has_signature)
        at = put_hex(put_name(at, "signature"), r->receipt.signature.b, sizeof r->receipt.signature.b);
    if (r->receipt.has_consumer_signature)
        at = put_hex(put_name(at, "consumerSignature"), r->receipt.consumer_signature.b, sizeof r->receipt.consumer_signature.b);
    if (r->has_bundle) {
        at = put_hex(put_name(at, "bundle"), r->bundle_root.b, sizeof r->bundle_root.b);
        at = put_number(put_name(at, "index"), r->bundle_index);
    }
    return at;
}

void archive_fast_write(const struct archive_receipt *r, struct buf *out)
{
    char line[LINE_MAX_BYTES], amount[U256_DECIMAL_MAX], *at = put_text(line, "{\"type\":\"receipt\"");

    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        at = put_field(put_name(at, receipt_fields[i].name), &receipt_fields[i], &r->receipt.receipt);
    at = put_signatures(at, r);
    if (!address_is_zero(r->key)) {
        char key[ADDRESS_TEXT];

        address_to_text(r->key, key);
        at = put_text(put_text(put_text(put_name(at, "key"), "\""), key), "\"");
    }
    at = put_hex(put_name(at, "salt"), r->salt.b, sizeof r->salt.b);
    at = put_number(put_name(at, "acceptedAt"), r->accepted_at_ms);
    at = put_number(put_name(at, "priceVersion"), r->price_version);
    u256_to_decimal(r->amount.base_units, amount);
    at = put_text(put_text(put_text(put_name(at, "amount"), "\""), amount), "\"}\n");
    buf_add(out, line, (size_t)(at - line));
}
