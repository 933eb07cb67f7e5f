#include "gateway/base/hex.h"

#define JOB_ID_DIGITS 32

#define BLOCK ((size_t)16)                     /* bytes at a time: loops of a fixed length become vector instructions */

static char digit_of(uint8_t v)
{
    return (char)(v + (v > 9 ? 'a' - 10 : '0'));
}

static void encode(const uint8_t *restrict bytes, size_t len, char *restrict text)
{
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digit_of(bytes[i] >> 4);
        text[2 * i + 1] = digit_of(bytes[i] & 15);
    }
}

/* What is left over goes with some of those before it once more. */
void hex_encode_bare(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i + BLOCK <= len; i += BLOCK)
        encode(bytes + i, BLOCK, text + 2 * i);
    if (len < BLOCK)
        encode(bytes, len, text);
    else if (len % BLOCK != 0)
        encode(bytes + len - BLOCK, BLOCK, text + 2 * (len - BLOCK));
    text[2 * len] = '\0';
}

void hex_encode(const uint8_t *bytes, size_t len, char *text)
{
    text[0] = '0';
    text[1] = 'x';
    hex_encode_bare(bytes, len, text + 2);
}

/* No branch on a digit and no isxdigit (which asks the locale): the digits of hashes are random, so half of the branches
 * would be foretold wrong. */
static bool are_digits(const char *text, size_t count)
{
    uint8_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        uint8_t c = (uint8_t)text[i], number = (uint8_t)(c - '0'), letter = (uint8_t)((c | 32) - 'a');

        wrong |= (uint8_t)((number > 9) & (letter > 5));
    }
    return wrong == 0;
}

/* Of a digit: the low bits count from '0', or from one before 'a'. */
static void decode(const char *restrict text, size_t len, uint8_t *restrict bytes)
{
    uint8_t value[2 * BLOCK];

    for (size_t i = 0; i < 2 * len; i++)
        value[i] = (uint8_t)(((uint8_t)text[i] & 15) + 9 * ((uint8_t)text[i] >> 6));
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(value[2 * i] << 4 | value[2 * i + 1]);
}

bool hex_decode_bare(const char *text, size_t text_len, uint8_t *bytes, size_t len)
{
    bool ok = true;

    if (text_len % 2 != 0 || text_len / 2 != len)
        return false;
    /* All is looked at before anything is written: outputs change only on success. */
    for (size_t i = 0; i + BLOCK <= len; i += BLOCK)
        ok &= are_digits(text + 2 * i, 2 * BLOCK);
    ok &= len < BLOCK ? are_digits(text, text_len) : are_digits(text + text_len - 2 * BLOCK, 2 * BLOCK);
    if (!ok)
        return false;
    for (size_t i = 0; i + BLOCK <= len; i += BLOCK)
        decode(text + 2 * i, BLOCK, bytes + i);
    if (len < BLOCK)
        decode(text, len, bytes);
    else if (len % BLOCK != 0)
        decode(text + text_len - 2 * BLOCK, BLOCK, bytes + len - BLOCK);
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

/* RFC 9562, section 4: 8-4-4-4-12, a dash before each but the first. */
static const struct { size_t in_text, in_bare, len; } groups[] = {
    { 0, 0, 8 }, { 9, 8, 4 }, { 14, 12, 4 }, { 19, 16, 4 }, { 24, 20, 12 },
};

void job_id_to_text(struct job_id id, char text[JOB_ID_TEXT])
{
    char bare[JOB_ID_DIGITS + 1];

    hex_encode_bare(id.b, sizeof id.b, bare);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (i > 0)
            text[groups[i].in_text - 1] = '-';
        memcpy(text + groups[i].in_text, bare + groups[i].in_bare, groups[i].len);
    }
    text[JOB_ID_TEXT - 1] = '\0';
}

bool job_id_from_text(const char *text, size_t len, struct job_id *id)
{
    char bare[JOB_ID_DIGITS];

    if (len != JOB_ID_TEXT - 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (i > 0 && text[groups[i].in_text - 1] != '-')
            return false;
        memcpy(bare + groups[i].in_bare, text + groups[i].in_text, groups[i].len);
    }
    return hex_decode_bare(bare, sizeof bare, id->b, sizeof id->b);
}
