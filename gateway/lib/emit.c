#include "gateway/lib/emit.h"

#include "gateway/base/hex.h"
#include "gateway/lib/address_text.h"

#define U64_DIGITS 20

void emit_comma(struct buf *out)
{
    uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';

    if (last != '{' && last != '[')
        buf_add_byte(out, ',');
}

void emit_name(struct buf *out, const char *name)
{
    emit_comma(out);
    buf_add_byte(out, '"');
    buf_add_text(out, name);
    buf_add(out, "\":", 2);
}

void emit_u64(struct buf *out, const char *name, uint64_t v)
{
    char digits[U64_DIGITS];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    emit_name(out, name);
    buf_add(out, digits + at, sizeof digits - at);
}

static void quoted(struct buf *out, const char *text, size_t len)
{
    buf_add_byte(out, '"');
    buf_add(out, text, len);
    buf_add_byte(out, '"');
}

void emit_word(struct buf *out, const char *name, const char *word)
{
    emit_name(out, name);
    quoted(out, word, strlen(word));
}

void emit_text(struct buf *out, const char *name, const char *text)
{
    emit_json(out, name, json_new_text(text));
}

static void hash_value(struct buf *out, struct hash h)
{
    char text[HASH_TEXT];

    hash_to_text(h, text);
    quoted(out, text, sizeof text - 1);
}

void emit_hash(struct buf *out, const char *name, struct hash h)
{
    emit_name(out, name);
    hash_value(out, h);
}

void emit_hashes(struct buf *out, const char *name, const struct hash *list, size_t count)
{
    emit_name(out, name);
    buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        emit_comma(out);
        hash_value(out, list[i]);
    }
    buf_add_byte(out, ']');
}

void emit_address(struct buf *out, const char *name, struct address a)
{
    char text[ADDRESS_TEXT];

    address_to_text(a, text);
    emit_name(out, name);
    quoted(out, text, sizeof text - 1);
}

void emit_job_id(struct buf *out, const char *name, struct job_id id)
{
    char text[JOB_ID_TEXT];

    job_id_to_text(id, text);
    emit_name(out, name);
    quoted(out, text, sizeof text - 1);
}

void emit_amount(struct buf *out, const char *name, struct amount a)
{
    char text[U256_DECIMAL_MAX];
    size_t len = u256_to_decimal(a.base_units, text);

    emit_name(out, name);
    quoted(out, text, len);
}

void emit_signature(struct buf *out, const char *name, const struct signature *s)
{
    char text[SIGNATURE_TEXT];

    signature_to_text(s, text);
    emit_name(out, name);
    quoted(out, text, sizeof text - 1);
}

void emit_json(struct buf *out, const char *name, json *owned)
{
    emit_name(out, name);
    json_write(owned, out);
    json_free(owned);
}
