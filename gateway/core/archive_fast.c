#include "gateway/core/archive_fast.h"

#include "gateway/base/hex.h"

#define DIGITS_MAX 18              /* below 2^63 without a look */

struct cursor { const char *at, *end; };

static bool take(struct cursor *c, const char *text, size_t len)
{
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

#define TAKE(c, literal) take((c), (literal), sizeof(literal) - 1)

/* ,"name": or nothing at all. */
static bool take_name(struct cursor *c, const char *name)
{
    struct cursor next = *c;

    if (!TAKE(&next, ",\"") || !take(&next, name, strlen(name)) || !TAKE(&next, "\":"))
        return false;
    *c = next;
    return true;
}

static bool take_hex(struct cursor *c, uint8_t *bytes, size_t len)
{
    const size_t text_len = 2 * len + 2;

    if ((size_t)(c->end - c->at) < text_len + 2 || c->at[0] != '"' || c->at[text_len + 1] != '"'
        || !hex_decode(c->at + 1, text_len, bytes, len))
        return false;
    c->at += text_len + 2;
    return true;
}

static bool take_job_id(struct cursor *c, struct job_id *id)
{
    const size_t text_len = JOB_ID_TEXT - 1;

    if ((size_t)(c->end - c->at) < text_len + 2 || c->at[0] != '"' || c->at[text_len + 1] != '"'
        || !job_id_from_text(c->at + 1, text_len, id))
        return false;
    c->at += text_len + 2;
    return true;
}

static size_t digits(const struct cursor *c)
{
    size_t count = 0;

    while (c->at + count < c->end && c->at[count] >= '0' && c->at[count] <= '9')
        count++;
    return count;
}

/* What follows the digits is looked at by the next take: a fraction or exponent fits none. */
static bool take_number(struct cursor *c, uint64_t *number)
{
    size_t count = digits(c);
    uint64_t v = 0;

    if (count == 0 || count > DIGITS_MAX || (count > 1 && c->at[0] == '0'))
        return false;
    for (size_t i = 0; i < count; i++)
        v = v * 10 + (uint64_t)(c->at[i] - '0');
    c->at += count;
    *number = v;
    return true;
}

static bool take_amount(struct cursor *c, struct amount *amount)
{
    size_t count;

    if (!TAKE(c, "\""))
        return false;
    count = digits(c);
    if (!u256_from_decimal(c->at, count, &amount->base_units))
        return false;
    c->at += count;
    return TAKE(c, "\"");
}

static bool take_field(struct cursor *c, const struct receipt_field *f, struct receipt *r)
{
    void *at = (uint8_t *)r + f->offset;
    uint64_t number;

    if (!take_name(c, f->name))
        return false;
    switch (f->kind) {
    case FIELD_JOB_ID:  return take_job_id(c, at);
    case FIELD_ADDRESS: return take_hex(c, at, sizeof(struct address));
    case FIELD_HASH:    return take_hex(c, at, sizeof(struct hash));
    case FIELD_COUNT:
    case FIELD_TIME:
        if (!take_number(c, &number) || (f->kind == FIELD_COUNT && number > RECEIPT_COUNT_MAX))
            return false;
        memcpy(at, &number, sizeof number);
        return true;
    }
    bug("receipt field kind %d", (int)f->kind);
}

static bool take_signatures(struct cursor *c, struct archive_receipt *r)
{
    struct signed_receipt *s = &r->receipt;

    s->has_signature = take_name(c, "signature");
    if (s->has_signature && !take_hex(c, s->signature.b, sizeof s->signature.b))
        return false;
    s->has_consumer_signature = take_name(c, "consumerSignature");
    if (s->has_consumer_signature && !take_hex(c, s->consumer_signature.b, sizeof s->consumer_signature.b))
        return false;
    r->has_bundle = !s->has_signature;
    return s->has_signature
        || (take_name(c, "bundle") && take_hex(c, r->bundle_root.b, sizeof r->bundle_root.b)
            && take_name(c, "index") && take_number(c, &r->bundle_index));
}

bool archive_fast_receipt(const char *text, size_t len, struct archive_receipt *receipt)
{
    struct cursor c = { text, text + len };
    struct archive_receipt r = { 0 };

    if (!TAKE(&c, "{\"type\":\"receipt\""))
        return false;
    for (size_t i = 0; i < RECEIPT_FIELDS; i++)
        if (!take_field(&c, &receipt_fields[i], &r.receipt.receipt))
            return false;
    if (!take_signatures(&c, &r) || !take_name(&c, "salt") || !take_hex(&c, r.salt.b, sizeof r.salt.b)
        || !take_name(&c, "acceptedAt") || !take_number(&c, &r.accepted_at_ms)
        || !take_name(&c, "priceVersion") || !take_number(&c, &r.price_version)
        || !take_name(&c, "amount") || !take_amount(&c, &r.amount) || !TAKE(&c, "}") || c.at != c.end)
        return false;
    *receipt = r;
    return true;
}
