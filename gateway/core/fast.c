#include "gateway/core/fast.h"

#include "gateway/base/hex.h"

#define DIGITS_MAX 18              /* below 2^63 without a look */

bool fast_name(struct fast *c, const char *name)
{
    struct fast next = *c;

    if (!FAST(&next, ",\"") || !fast_text(&next, name, strlen(name)) || !FAST(&next, "\":"))
        return false;
    *c = next;
    return true;
}

void fast_blanks(struct fast *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

bool fast_hex(struct fast *c, uint8_t *bytes, size_t len)
{
    const size_t text_len = 2 * len + 2;

    if ((size_t)(c->end - c->at) < text_len + 2 || c->at[0] != '"' || c->at[text_len + 1] != '"'
        || !hex_decode(c->at + 1, text_len, bytes, len))
        return false;
    c->at += text_len + 2;
    return true;
}

static bool take_job_id(struct fast *c, struct job_id *id)
{
    const size_t text_len = JOB_ID_TEXT - 1;

    if ((size_t)(c->end - c->at) < text_len + 2 || c->at[0] != '"' || c->at[text_len + 1] != '"'
        || !job_id_from_text(c->at + 1, text_len, id))
        return false;
    c->at += text_len + 2;
    return true;
}

static size_t digits(const struct fast *c)
{
    size_t count = 0;

    while (c->at + count < c->end && c->at[count] >= '0' && c->at[count] <= '9')
        count++;
    return count;
}

/* What follows the digits is looked at by the next take: a fraction or exponent fits none. */
bool fast_number(struct fast *c, uint64_t *number)
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

bool fast_amount(struct fast *c, struct amount *amount)
{
    size_t count;

    if (!FAST(c, "\""))
        return false;
    count = digits(c);
    if (!u256_from_decimal(c->at, count, &amount->base_units))
        return false;
    c->at += count;
    return FAST(c, "\"");
}

bool fast_field(struct fast *c, const struct receipt_field *f, struct receipt *r)
{
    void *at = (uint8_t *)r + f->offset;
    uint64_t number;

    switch (f->kind) {
    case FIELD_JOB_ID:  return take_job_id(c, at);
    case FIELD_ADDRESS: return fast_hex(c, at, sizeof(struct address));
    case FIELD_HASH:    return fast_hex(c, at, sizeof(struct hash));
    case FIELD_COUNT:
    case FIELD_TIME:
        if (!fast_number(c, &number) || (f->kind == FIELD_COUNT && number > RECEIPT_COUNT_MAX))
            return false;
        memcpy(at, &number, sizeof number);
        return true;
    }
    bug("receipt field kind %d", (int)f->kind);
}

bool fast_receipt(struct fast *c, const char *before, struct receipt *r)
{
    for (size_t i = 0; i < RECEIPT_FIELDS; i++) {
        const struct receipt_field *f = &receipt_fields[i];

        if (!fast_text(c, i == 0 ? before : ",", 1) || !FAST(c, "\"") || !fast_text(c, f->name, strlen(f->name)) || !FAST(c, "\":")
            || !fast_field(c, f, r))
            return false;
    }
    return true;
}

bool fast_signatures(struct fast *c, struct signed_receipt *r)
{
    r->has_signature = fast_name(c, "signature");
    if (r->has_signature && !fast_hex(c, r->signature.b, sizeof r->signature.b))
        return false;
    r->has_consumer_signature = fast_name(c, "consumerSignature");
    return !r->has_consumer_signature || fast_hex(c, r->consumer_signature.b, sizeof r->consumer_signature.b);
}
