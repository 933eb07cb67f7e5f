#include "gateway/lib/emit.h"

#include "gateway/base/hex.h"
#include "gateway/lib/address_text.h"

#define U64_DIGITS 20

static bool comma_is_due(const struct buf *out)
{
    uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';

    return last != '{' && last != '[';
}

void emit_comma(struct buf *out)
{
    if (comma_is_due(out))
        buf_add_byte(out, ',');
}

/* A member but for the `len` bytes of its value: where they go; NULL: the buffer takes no more. */
static char *member(struct buf *out, const char *name, size_t len)
{
    size_t name_len = strlen(name);
    bool comma = comma_is_due(out);
    char *at = (char *)buf_extend(out, comma + name_len + 3 + len);

    if (at == NULL)
        return NULL;
    if (comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, name_len);
    at += name_len;
    *at++ = '"';
    *at++ = ':';
    return at;
}

void emit_name(struct buf *out, const char *name)
{
    (void)member(out, name, 0);
}

void emit_u64(struct buf *out, const char *name, uint64_t v)
{
    char digits[U64_DIGITS], *value;
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    value = member(out, name, sizeof digits - at);
    if (value != NULL)
        memcpy(value, digits + at, sizeof digits - at);
}

/* A text of `len` bytes in quotes: where they go; a zero byte may follow them until `closed`. */
static char *quoted(struct buf *out, const char *name, size_t len)
{
    char *value = member(out, name, len + 2);

    if (value == NULL)
        return NULL;
    *value = '"';
    return value + 1;
}

static void closed(char *text, size_t len)
{
    text[len] = '"';
}

static void text_value(struct buf *out, const char *name, const char *text, size_t len)
{
    char *to = quoted(out, name, len);

    if (to == NULL)
        return;
    memcpy(to, text, len);
    closed(to, len);
}

void emit_word(struct buf *out, const char *name, const char *word)
{
    text_value(out, name, word, strlen(word));
}

void emit_text(struct buf *out, const char *name, const char *text)
{
    emit_json(out, name, json_new_text(text));
}

void emit_hash(struct buf *out, const char *name, struct hash h)
{
    char *to = quoted(out, name, HASH_TEXT - 1);

    if (to == NULL)
        return;
    hash_to_text(h, to);
    closed(to, HASH_TEXT - 1);
}

void emit_hashes(struct buf *out, const char *name, const struct hash *list, size_t count)
{
    emit_name(out, name);
    buf_add_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        char *to;

        emit_comma(out);
        to = (char *)buf_extend(out, HASH_TEXT + 1);
        if (to == NULL)
            return;
        *to++ = '"';
        hash_to_text(list[i], to);
        closed(to, HASH_TEXT - 1);
    }
    buf_add_byte(out, ']');
}

void emit_address(struct buf *out, const char *name, struct address a)
{
    char *to = quoted(out, name, ADDRESS_TEXT - 1);

    if (to == NULL)
        return;
    address_to_text(a, to);
    closed(to, ADDRESS_TEXT - 1);
}

void emit_job_id(struct buf *out, const char *name, struct job_id id)
{
    char *to = quoted(out, name, JOB_ID_TEXT - 1);

    if (to == NULL)
        return;
    job_id_to_text(id, to);
    closed(to, JOB_ID_TEXT - 1);
}

void emit_amount(struct buf *out, const char *name, struct amount a)
{
    char text[U256_DECIMAL_MAX];

    text_value(out, name, text, u256_to_decimal(a.base_units, text));
}

void emit_signature(struct buf *out, const char *name, const struct signature *s)
{
    char *to = quoted(out, name, SIGNATURE_TEXT - 1);

    if (to == NULL)
        return;
    signature_to_text(s, to);
    closed(to, SIGNATURE_TEXT - 1);
}

void emit_json(struct buf *out, const char *name, json *owned)
{
    emit_name(out, name);
    json_write(owned, out);
    json_free(owned);
}
