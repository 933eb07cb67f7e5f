#include "gateway/core/siwe.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/u256.h"
#include "gateway/lib/address_text.h"
#include "gateway/lib/keccak.h"

#define WANTS " wants you to sign in with your Ethereum account:"
#define TEXT_AND_LEN(literal) literal, sizeof literal - 1

/* The lines that are left; each ends with a line feed but the last. */
struct lines { const char *at, *end; unsigned number; bool over; };
struct line { const char *text; size_t len; };

static bool bad(const struct lines *l, const char *rule, struct err *err)
{
    return err_set(err, ERR_INVALID, "message: line %u %s", l->number, rule);
}

/* false: there is none left. */
static bool next_line(struct lines *l, struct line *line)
{
    const char *end;

    if (l->over)
        return false;
    end = memchr(l->at, '\n', (size_t)(l->end - l->at));
    line->text = l->at;
    line->len = (size_t)((end != NULL ? end : l->end) - l->at);
    l->over = end == NULL;
    l->at = end != NULL ? end + 1 : l->end;
    l->number++;
    return true;
}

static bool starts_with(const struct line *line, const char *prefix, size_t len)
{
    return line->len >= len && memcmp(line->text, prefix, len) == 0;
}

static bool is_visible(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0;
}

static bool copy_visible(const char *text, size_t len, char *to, size_t size)
{
    if (!is_visible(text, len) || len >= size)
        return false;
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

/* [scheme "://"] authority, then the words. */
static bool read_head(struct lines *l, struct siwe *m, struct err *err)
{
    size_t words = sizeof WANTS - 1, len;
    struct line line;
    const char *scheme;

    if (!next_line(l, &line) || line.len <= words || memcmp(line.text + line.len - words, WANTS, words) != 0)
        return bad(l, "must be a domain and \"" WANTS "\"", err);
    len = line.len - words;
    scheme = memmem(line.text, len, "://", 3);
    if (scheme != NULL) {
        if (!starts_with(&line, TEXT_AND_LEN("https://")) && !starts_with(&line, TEXT_AND_LEN("http://")))
            return bad(l, "has a scheme that is neither http nor https", err);
        len -= (size_t)(scheme + 3 - line.text);
        line.text = scheme + 3;
    }
    if (!copy_visible(line.text, len, m->domain, sizeof m->domain) || strpbrk(m->domain, "/?#@") != NULL)
        return bad(l, "must begin with a host and its port", err);
    return true;
}

static bool read_address(struct lines *l, struct siwe *m, struct err *err)
{
    struct line line;
    char text[ADDRESS_TEXT];

    if (!next_line(l, &line) || !address_from_text(line.text, line.len, &m->address))
        return bad(l, "must be an address of 0x and 40 hex digits", err);
    address_to_text(m->address, text);
    return (line.len == strlen(text) && memcmp(line.text, text, line.len) == 0) || bad(l, "must have the checksum of EIP-55", err);
}

/* An empty line, then a statement and an empty line, or an empty line alone. */
static bool read_statement(struct lines *l, struct err *err)
{
    struct line line;

    if (!next_line(l, &line) || line.len != 0)
        return bad(l, "must be empty", err);
    if (!next_line(l, &line))
        return bad(l, "must be a statement or empty", err);
    if (line.len == 0)
        return true;
    for (size_t i = 0; i < line.len; i++)
        if (line.text[i] < ' ' || line.text[i] > '~')
            return bad(l, "is a statement with a character that is not printable ASCII", err);
    return (next_line(l, &line) && line.len == 0) || bad(l, "must be empty", err);
}

/* The rest of a line with this name. */
static bool take(struct lines *l, const char *name, size_t name_len, struct line *rest, struct err *err)
{
    if (!next_line(l, rest) || !starts_with(rest, name, name_len)) {
        char rule[64];

        snprintf(rule, sizeof rule, "must begin with \"%s\"", name);
        return bad(l, rule, err);
    }
    rest->text += name_len;
    rest->len -= name_len;
    return true;
}

static bool digits(const char **at, const char *end, unsigned count, unsigned least, unsigned most, unsigned *value)
{
    unsigned v = 0;

    for (unsigned i = 0; i < count; i++, (*at)++) {
        if (*at == end || !isdigit((unsigned char)**at))
            return false;
        v = 10 * v + (unsigned)(**at - '0');
    }
    *value = v;
    return v >= least && v <= most;
}

static bool sign(const char **at, const char *end, const char *any_of)
{
    if (*at == end || strchr(any_of, **at) == NULL || **at == '\0')
        return false;
    (*at)++;
    return true;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    uint64_t days = day - 1;

    for (unsigned y = 1970; y < year; y++)
        days += days_of_month(y, 2) == 29 ? 366 : 365;
    for (unsigned m = 1; m < month; m++)
        days += days_of_month(year, m);
    return days;
}

static bool read_offset(const char **at, const char *end, int64_t *offset_s)
{
    unsigned hours, minutes;
    bool east = *at != end && **at == '+';

    *offset_s = 0;
    if (sign(at, end, "Zz"))
        return true;
    if (!sign(at, end, "+-") || !digits(at, end, 2, 0, 23, &hours) || !sign(at, end, ":") || !digits(at, end, 2, 0, 59, &minutes))
        return false;
    *offset_s = (east ? 1 : -1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool read_fraction(const char **at, const char *end, uint64_t *ms)
{
    unsigned scale = 100, count = 0;

    *ms = 0;
    if (!sign(at, end, "."))
        return true;
    for (; *at != end && isdigit((unsigned char)**at); (*at)++, count++, scale /= 10)
        *ms += scale * (unsigned)(**at - '0');
    return count > 0;
}

/* RFC 3339 date-time from 1970 on; a leap second is the one after it. */
static bool read_time(const struct line *line, uint64_t *unix_ms)
{
    const char *at = line->text, *end = line->text + line->len;
    unsigned year, month, day, hour, minute, second;
    int64_t offset_s, seconds;
    uint64_t ms;

    if (!digits(&at, end, 4, 1970, 9999, &year) || !sign(&at, end, "-") || !digits(&at, end, 2, 1, 12, &month)
        || !sign(&at, end, "-") || !digits(&at, end, 2, 1, days_of_month(year, month), &day) || !sign(&at, end, "Tt")
        || !digits(&at, end, 2, 0, 23, &hour) || !sign(&at, end, ":") || !digits(&at, end, 2, 0, 59, &minute)
        || !sign(&at, end, ":") || !digits(&at, end, 2, 0, 60, &second) || !read_fraction(&at, end, &ms)
        || !read_offset(&at, end, &offset_s) || at != end)
        return false;
    seconds = (int64_t)(days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) - offset_s;
    if (seconds < 0)
        return false;
    *unix_ms = (uint64_t)seconds * 1000 + ms;
    return true;
}

static bool read_nonce(struct lines *l, struct siwe *m, struct err *err)
{
    struct line rest;

    if (!take(l, TEXT_AND_LEN("Nonce: "), &rest, err))
        return false;
    if (rest.len < 8 || !copy_visible(rest.text, rest.len, m->nonce, sizeof m->nonce))
        return bad(l, "must have a nonce of 8 to 127 letters and digits", err);
    for (size_t i = 0; i < rest.len; i++)
        if (!isalnum((unsigned char)rest.text[i]))
            return bad(l, "must have a nonce of 8 to 127 letters and digits", err);
    return true;
}

static bool read_required(struct lines *l, struct siwe *m, struct err *err)
{
    struct line rest;
    struct u256 v;

    if (!take(l, TEXT_AND_LEN("URI: "), &rest, err))
        return false;
    if (!copy_visible(rest.text, rest.len, m->uri, sizeof m->uri))
        return bad(l, "must have a URI", err);
    if (!take(l, TEXT_AND_LEN("Version: "), &rest, err))
        return false;
    if (rest.len != 1 || rest.text[0] != '1')
        return bad(l, "must be version 1", err);
    if (!take(l, TEXT_AND_LEN("Chain ID: "), &rest, err))
        return false;
    if (!u256_from_decimal(rest.text, rest.len, &v) || !u256_to_u64(v, &m->chain_id))
        return bad(l, "must have a chain's number", err);
    if (!read_nonce(l, m, err) || !take(l, TEXT_AND_LEN("Issued At: "), &rest, err))
        return false;
    return read_time(&rest, &m->issued_at_ms) || bad(l, "must have a time of RFC 3339", err);
}

/* Each at most once and in this order; "Resources:" is followed by lines of "- URI". */
enum { PART_EXPIRES, PART_STARTS, PART_REQUEST, PART_RESOURCES, PARTS };
static const char *const part_names[PARTS] = { "Expiration Time: ", "Not Before: ", "Request ID: ", "Resources:" };

static bool read_part(struct lines *l, int part, const struct line *rest, struct siwe *m, struct err *err)
{
    switch (part) {
    case PART_EXPIRES:
        m->expires = read_time(rest, &m->expires_at_ms);
        return m->expires || bad(l, "must have a time of RFC 3339", err);
    case PART_STARTS:
        m->starts = read_time(rest, &m->not_before_ms);
        return m->starts || bad(l, "must have a time of RFC 3339", err);
    case PART_REQUEST:
        return rest->len == 0 || is_visible(rest->text, rest->len) || bad(l, "must have an ID without spaces", err);
    default:
        return rest->len == 0 || bad(l, "must be \"Resources:\" alone", err);
    }
}

static bool read_resource(struct lines *l, const struct line *line, struct err *err)
{
    return (starts_with(line, TEXT_AND_LEN("- ")) && is_visible(line->text + 2, line->len - 2))
        || bad(l, "must be \"- \" and a URI", err);
}

static bool read_optional(struct lines *l, struct siwe *m, struct err *err)
{
    struct line line;
    int part = 0;

    while (next_line(l, &line)) {
        if (part == PARTS) {
            if (!read_resource(l, &line, err))
                return false;
            continue;
        }
        while (part < PARTS && !starts_with(&line, part_names[part], strlen(part_names[part])))
            part++;
        if (part == PARTS)
            return bad(l, "is none of those that may follow", err);
        line.text += strlen(part_names[part]);
        line.len -= strlen(part_names[part]);
        if (!read_part(l, part++, &line, m, err))
            return false;
    }
    return true;
}

bool siwe_parse(const char *text, size_t len, struct siwe *message, struct err *err)
{
    struct lines l = { .at = text, .end = text + len };
    struct siwe m = { .chain_id = 0 };

    if (len > SIWE_MAX)
        return err_set(err, ERR_INVALID, "message: must have at most %d bytes", SIWE_MAX);
    if (!read_head(&l, &m, err) || !read_address(&l, &m, err) || !read_statement(&l, err) || !read_required(&l, &m, err)
        || !read_optional(&l, &m, err))
        return false;
    *message = m;
    return true;
}

struct hash siwe_digest(const char *text, size_t len)
{
    struct hash digest;
    struct buf framed;

    buf_init(&framed);
    buf_printf(&framed, "\x19" "Ethereum Signed Message:\n%zu", len);
    buf_add(&framed, text, len);
    digest = keccak256(framed.data, framed.len);
    buf_clear(&framed);
    return digest;
}
