#include "gateway/base/hex.h"

#define JOB_ID_DIGITS 32

static const char digits[] = "0123456789abcdef";

void hex_encode_bare(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * len] = '\0';
}

void hex_encode(const uint8_t *bytes, size_t len, char *text)
{
    text[0] = '0';
    text[1] = 'x';
    hex_encode_bare(bytes, len, text + 2);
}

/* A value for each byte, plus one, so that what is not named is 0.  A table, not isxdigit (which asks the locale) and not
 * comparisons: the digits of hashes are random, so half of those would be foretold wrong. */
static const uint8_t values[256] = {
    ['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['a'] = 11, 12, 13, 14, 15, 16, ['A'] = 11, 12, 13, 14, 15, 16,
};

static unsigned digit_value(char c)
{
    return values[(uint8_t)c] - 1u;           /* over 15 when c is no hex digit */
}

bool hex_decode_bare(const char *text, size_t text_len, uint8_t *bytes, size_t len)
{
    unsigned wrong = 0;

    if (text_len % 2 != 0 || text_len / 2 != len)
        return false;
    /* All is looked at before anything is written: outputs change only on success. */
    for (size_t i = 0; i < text_len; i++)
        wrong |= digit_value(text[i]);
    if (wrong > 15)
        return false;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(digit_value(text[2 * i]) << 4 | digit_value(text[2 * i + 1]));
    return true;
}

bool hex_decode(const char *text, size_t text_len, uint8_t *bytes, size_t len)
{
    return text_len >= 2 && text[0] == '0' && text[1] == 'x' && hex_decode_bare(text + 2, text_len - 2, bytes, len);
}

void hash_to_text(struct hash h, char text[HASH_TEXT])
{
    hex_encode(h.b, sizeof h.b, text);
}

bool hash_from_text(const char *text, size_t len, struct hash *h)
{
    return hex_decode(text, len, h->b, sizeof h->b);
}

bool address_from_text(const char *text, size_t len, struct address *a)
{
    return hex_decode(text, len, a->b, sizeof a->b);
}

void signature_to_text(const struct signature *s, char text[SIGNATURE_TEXT])
{
    hex_encode(s->b, sizeof s->b, text);
}

/* RFC 9562, section 4: 8-4-4-4-12. */
static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void job_id_to_text(struct job_id id, char text[JOB_ID_TEXT])
{
    char bare[JOB_ID_DIGITS + 1];
    size_t next = 0;

    hex_encode_bare(id.b, sizeof id.b, bare);
    for (size_t i = 0; i < JOB_ID_TEXT - 1; i++)
        text[i] = is_dash_place(i) ? '-' : bare[next++];
    text[JOB_ID_TEXT - 1] = '\0';
}

bool job_id_from_text(const char *text, size_t len, struct job_id *id)
{
    char bare[JOB_ID_DIGITS];
    size_t next = 0;

    if (len != JOB_ID_TEXT - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (is_dash_place(i) != (text[i] == '-'))
            return false;
        if (!is_dash_place(i))
            bare[next++] = text[i];
    }
    return hex_decode_bare(bare, sizeof bare, id->b, sizeof id->b);
}
